"""A Muster for the examples: distributed over Kafka and PostgreSQL, or embedded."""

import json
import os
import pathlib
import re
import secrets
import subprocess
import urllib.parse

from checks.muster import Muster, environment, find_muster, wait_until_ready
from checks.processes import Broken, Skip, find, free_port


def run(command, env, what, wait=120):
    """Runs a command to its end and returns what it prints."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=wait, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Broken(f"{what}: {done.stdout}{done.stderr}")
    return done.stdout


class Servers:
    """The Kafka and the PostgreSQL that the variables name; without a variable one is started, and ended with the rest."""

    def __init__(self, folder, root):
        self.folder, self.root, self.own = folder, root, []
        self.kafka, self.postgres = os.environ.get("MUSTER_TEST_KAFKA"), os.environ.get("DATABASE_URL")

    def start(self):
        """Brings up what is missing."""
        self.kafka = self.kafka or self.bring_up("kafka")
        self.postgres = self.postgres or self.bring_up("postgres")

    def bring_up(self, name):
        """Runs dev/kafka or dev/postgres, and returns where its server is."""
        self.own.append(name)
        try:
            said = run([f"{self.root}/dev/{name}", "start", "--dir", f"{self.folder}/{name}"], None, f"dev/{name}", 600)
        except Broken as reason:
            raise Skip(str(reason)) from None
        return re.search(r"export \w+=(\S+)", said)[1]

    def stop(self):
        """Ends what was started here."""
        for name in self.own:
            subprocess.run([f"{self.root}/dev/{name}", "stop", "--dir", f"{self.folder}/{name}", "--remove"])


class Distributed(Muster):
    """One process of each service, with topics and a database of their own. The topics stay on brokers that were there."""

    def __init__(self, processes, folder, root, servers):
        self.program, self.processes, self.folder = find_muster(root), processes, folder
        name = f"readers_{secrets.token_hex(4)}"
        self.kafka, self.topic = servers.kafka, f"{name}.user-events"
        self.psql = [find(["psql", *map(str, sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/psql")))], "psql is missing")]
        self.psql += ["--quiet", "--no-psqlrc", servers.postgres, "--command"]
        run([*self.psql, f"CREATE DATABASE {name}"], None, "the database could not be made")
        self.database = name
        self.env = environment() | {
            "MUSTER_LOG": f"kafka://{servers.kafka}",
            "MUSTER_TOPIC_PREFIX": f"{name}.",
            "MUSTER_VIEWS": urllib.parse.urlsplit(servers.postgres)._replace(path=f"/{name}").geturl(),
            "MUSTER_SERVICE_TOKEN": secrets.token_urlsafe(32),
        }
        try:
            run([self.program, "topics"], self.env, "muster topics")
        except Broken as reason:
            # On a busy broker a topic that was just made may have no leader yet. A second call finds what is there.
            print(f"once more: {reason}", flush=True)
            run([self.program, "topics"], self.env, "muster topics")
        said = run([self.program, "init", "--username", "administrator"], self.env, "muster init")
        self.port = free_port()
        operations = {
            "command-service": self.serve("command-service", f"--commands-listen=127.0.0.1:{free_port()}"),
            "projection-service": self.serve("projection-service"),
            "graphql-gateway": self.serve("graphql-gateway", f"--listen=127.0.0.1:{self.port}"),
        }
        for service, port in operations.items():
            wait_until_ready(port, f"{folder}/{service}.log")
        self.begin(re.search(r"password +(\S+)", said)[1])

    def serve(self, service, *settings):
        """Starts a service and returns the port of its health."""
        operations = free_port()
        command = [self.program, service, f"--operations-listen=127.0.0.1:{operations}", *settings]
        self.processes.start(command, f"{self.folder}/{service}.log", operations, self.env)
        return operations

    def events(self):
        """Every event of users, by Muster's own reading of the log."""
        return events_of(run([self.program, "log", "tail", "--until-end"], self.env, "muster log tail"))

    def end(self):
        """Removes the database; the services have ended."""
        run([*self.psql, f"DROP DATABASE {self.database} WITH (FORCE)"], None, "the database could not be removed")


class Embedded(Muster):
    """Everything in one process."""

    def __init__(self, processes, folder, root):
        super().__init__(processes, folder, root)
        self.processes, self.folder = processes, folder
        self.url = f"http://127.0.0.1:{self.port}/events/users"
        self.credentials = ":".join(self.token(self.administrator, "reader", "EVENTS"))

    def restart(self):
        """Ends Muster and starts it again, on the same port: the connections of its readers end."""
        command = self.processes.running[-1].args
        self.processes.stop(self.processes.running[-1])
        self.processes.start(command, f"{self.folder}/muster.log", self.port, environment())
        wait_until_ready(command_port(command), f"{self.folder}/muster.log")

    def events(self):
        """Every event of users, by Muster's own reading of the log."""
        command = [self.program, "log", "tail", "--until-end", f"--data-dir={self.folder}/data"]
        return events_of(run(command, environment(), "muster log tail"))

    def end(self):
        """Nothing is left but the folder."""


def command_port(command):
    """The port of the health of a process that was started with these settings."""
    return int(next(word for word in command if word.startswith("--operations-listen=")).rpartition(":")[2])


def events_of(export):
    """The events of users in an export of the log, as CloudEvents: claim records are no events."""
    events = []
    for record in map(json.loads, export.splitlines()):
        headers = record["headers"]
        if record["stream"] == "user-events" and headers["ce_type"] != "muster.log.claimed":
            event = {name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")}
            events.append(event | {"data": record["data"]})
    return events
