"""Checks schemas/ as readers in Python would: each schema of an event is valid, and takes its golden events."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

schemas = pathlib.Path(sys.argv[1])
problems, validators = [], {}
for path in sorted((schemas / "events").glob("*.json")):
    schema = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    validators[path.stem] = Draft202012Validator(schema)
golden = sorted((schemas / "fixtures").glob("*.json"))
for path in golden:
    found = validators[path.stem.split("@")[0]].iter_errors(json.loads(path.read_text()))
    problems += [f"fixtures/{path.name}: {error.message}" for error in found]
print(*problems, sep="\n", file=sys.stderr)
print(f"{len(validators)} schemas, {len(golden)} golden events")
sys.exit(bool(problems) or len(golden) < len(validators))
