"""Checks the gateways beside this folder against a running Muster; `../run` is the way in."""
