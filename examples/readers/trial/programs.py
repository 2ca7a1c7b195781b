"""The examples: what each needs, how it is installed, and how it is started.

What is installed lies under target/readers, each example in a copy of its own.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

from checks.processes import Skip, find, output


@dataclasses.dataclass
class Program:
    """An example that is ready to run. `way` is kafka or sse."""

    way: str
    command: list
    version: str


def run(command, folder, what):
    """Runs the package manager of a language, in the folder of its copy."""
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise Skip(f"{what}; {command[0]} says:\n{(done.stdout + done.stderr)[-2000:]}")


def at_least(text, *wanted):
    """Whether the first version number in a text is this one or a later one."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return bool(found) and tuple(int(part or 0) for part in found.groups()) >= wanted


def python(folder, install):
    """The packages of requirements.txt in an environment of their own."""
    if sys.version_info < (3, 11):
        raise Skip("its packages need Python 3.11 or later")
    install([sys.executable, "-m", "venv", "venv"], folder, "no environment could be made (Debian: python3-venv)")
    pip = ["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]
    install(pip, folder, "its packages can't be had")
    return [f"{folder}/venv/bin/python", f"{folder}/reader.py"], f"Python {sys.version.split()[0]}"


def node(folder, install):
    """The packages of package-lock.json. None of them runs a script of its own."""
    program, how = find(["node"], "it needs Node 20.19.4 or later with npm"), "its packages can't be had"
    version = output(program, "--version")
    if not at_least(version, 20, 19, 4):
        raise Skip(f"it needs Node 20.19.4 or later, and there is {version}")
    install([find(["npm"], "it needs npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, how)
    return [program, f"{folder}/reader.mjs"], f"Node {version}"


def java(folder, install):
    """The classes, and the jars that pom.xml names."""
    program, maven = find(["java"], "it needs Java 17 or later"), find(["mvn"], "it needs Maven")
    version = output(program, "-version")
    if not at_least(version, 17):
        raise Skip(f"it needs Java 17 or later, and there is {version}")
    install([maven, "-B", "-q", "-Dstyle.color=never", "compile"], folder, "it could not be built")
    classes = f"{folder}/target/classes:{folder}/target/dependency/*"
    return [program, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes, "Reader"], version.splitlines()[0]


def go(folder, install):
    """The program, built with the modules of go.sum."""
    program = find(["go", "/usr/local/go/bin/go"], "it needs Go 1.26 or later")
    install([program, "build", "-mod=readonly", "-o", "reader", "."], folder, "it could not be built")
    return [f"{folder}/reader"], output(program, "version")


LANGUAGES = {"python": python, "node": node, "java": java, "go": go}
NAMES = ["kafka-python", "kafka-node", "kafka-java", "kafka-go", "sse-python", "sse-node"]


def bring(name, source, built):
    """Installs an example into its folder under `built`, unless it is there already as it is in `source`."""
    way, language = name.split("-")
    folder, stamp = pathlib.Path(built, name), pathlib.Path(built, name, ".installed")
    foreign = {"node_modules", "target", "venv"}
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and not foreign & set(path.parts[len(source.parts) :])]
    content = "".join(f"{path.relative_to(source)}\n{path.read_text()}" for path in files)
    there = stamp.exists() and stamp.read_text() == content
    if not there:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*foreign))
    command, version = LANGUAGES[language](folder, (lambda *_: None) if there else run)
    # Last, so that an installation that was broken off is made again.
    stamp.write_text(content)
    return Program(way, command, version)
