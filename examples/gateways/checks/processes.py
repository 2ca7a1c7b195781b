"""Starts programs, waits for their ports, and ends every one of them."""

import os
import pathlib
import signal
import socket
import subprocess
import time


class Skip(Exception):
    """A server can't be had on this machine; the text says how to get it."""


class Broken(Exception):
    """Something did not come up; the text says what."""


def free_port():
    """A port on which nothing listens now. Somebody else may still be quicker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(names, how):
    """The path of the first program that exists; otherwise the server is skipped, and `how` says how to get it."""
    # Debian puts servers where a user's PATH does not lead.
    folders = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]
    for name in filter(None, names):
        for path in [name] if "/" in name else [f"{folder}/{name}" for folder in folders]:
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return os.path.realpath(path) if "/" in name else path
    raise Skip(how)


def output(*command):
    """What a program prints, on either stream."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )
    return done.stdout.decode(errors="replace").strip()


class Processes:
    """Programs that were started and have to be ended."""

    def __init__(self):
        self.running = []

    def start(self, command, log, port=None, env=None):
        """Starts a program, its output in the file `log`, and waits until it listens on `port`."""
        # A session of its own, so that everything that the program starts can be ended with it.
        with open(log, "wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=env, start_new_session=True
            )
        self.running.append(process)
        deadline = time.monotonic() + 60
        while port and not listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"{command[0]} does not listen on port {port}:\n{last_lines(log)}")
            time.sleep(0.05)
        return process

    def stop(self, process):
        """Ends one program: politely, after five seconds by force."""
        self.running.remove(process)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        # What is left of its session, itself included.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def stop_all(self):
        """Ends all that still run, the last one first."""
        while self.running:
            self.stop(self.running[-1])


def listens(port):
    """Whether somebody accepts connections on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def last_lines(log):
    """The end of a log file, for people."""
    return "\n".join(pathlib.Path(log).read_text(errors="replace").splitlines()[-15:])
