"""A Muster of its own for the checks, and the people in it."""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import time

from .processes import Broken, find, free_port

PASSWORD = "seven lämps: along the pier"


@dataclasses.dataclass
class User:
    """A user, with what they prove themselves with."""

    id: str
    name: str
    password: str
    session: str = ""


class Muster:
    """A running Muster, asked as its first administrator. `more` are further settings."""

    def __init__(self, processes, folder, root, *more):
        self.program = find_muster(root)
        self.port, operations = free_port(), free_port()
        command = [self.program, "serve", f"--data-dir={folder}/data", f"--listen=127.0.0.1:{self.port}"]
        command += [f"--operations-listen=127.0.0.1:{operations}", "--trusted-proxies=127.0.0.1/32"]
        command += more
        # The gateways talk to it from 127.0.0.1; the clients of the checks have other addresses of the same machine.
        processes.start(command, f"{folder}/muster.log", self.port, environment())
        wait_until_ready(operations, f"{folder}/muster.log")
        self.begin(re.search(r"Password +(\S+)", pathlib.Path(folder, "muster.log").read_text())[1])

    def begin(self, temporary):
        """Signs the first administrator in and makes the group of the people."""
        self.session = ""
        self.administrator = self.enter("administrator", temporary)
        self.session = self.administrator.session
        self.group = self.change("createGroup", "CreateGroupInput", "group { id }", name="staff")["group"]["id"]

    def ask(self, document, variables, session):
        """Sends a GraphQL document and returns its data."""
        headers = {"content-type": "application/json"}
        if session:
            headers["authorization"] = f"Bearer {session}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/graphql", json.dumps({"query": document, "variables": variables}), headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if answer.get("errors"):
            raise Broken(f"{document}: {answer['errors']}")
        return answer["data"]

    def change(self, mutation, kind, fields, session=None, **values):
        """Runs a mutation, as the administrator unless a session is named."""
        wanted = f"{fields} userErrors {{ code field }}"
        document = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {wanted} }} }}"
        payload = self.ask(document, {"input": values}, self.session if session is None else session)[mutation]
        if payload["userErrors"]:
            raise Broken(f"{mutation}: {payload['userErrors']}")
        return payload

    def enter(self, name, temporary):
        """Signs a user in with a temporary password and changes it."""
        fields = "sessionToken mustChangePassword"
        entered = self.change("signIn", "SignInInput", fields, session="", username=name, password=temporary)
        session = entered["sessionToken"]
        words = {"currentPassword": temporary, "newPassword": PASSWORD}
        self.change("changePassword", "ChangePasswordInput", "", session=session, **words)
        me = self.ask("{ viewer { id } }", {}, session)["viewer"]["id"]
        return User(me, name, PASSWORD, session)

    def newcomer(self, name):
        """A user who still has a temporary password."""
        fields = "user { id } temporaryPassword"
        made = self.change("createUser", "CreateUserInput", fields, username=name, groupId=self.group)
        return User(made["user"]["id"], name, made["temporaryPassword"])

    def user(self, name):
        """An active user with a password of their own choice."""
        return self.enter(name, self.newcomer(name).password)

    def token(self, user, name, scope, networks=()):
        """An auth token, as a pair for HTTP Basic."""
        values = {"userId": user.id, "name": name, "scopes": [scope], "allowedNetworks": list(networks)}
        made = self.change("issueAuthToken", "IssueAuthTokenInput", "authToken { id } secret", **values)
        return made["authToken"]["id"], made["secret"]

    def suspend(self, user):
        """Suspends a user. From the answer on nobody lets them in."""
        self.change("suspendUser", "SuspendUserInput", "user { state }", userId=user.id, reason="on leave")

    def addresses(self, user):
        """The client addresses of a user's failed sign-ins, from the audit log. Waits ten seconds for the first."""
        chosen = "filter: {targetId: $id, outcome: [FAILED, DENIED]}"
        document = f"query ($id: ID!) {{ auditLog({chosen}) {{ nodes {{ clientAddress }} }} }}"
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            nodes = self.ask(document, {"id": user.id}, self.session)["auditLog"]["nodes"]
            if nodes:
                return sorted({node["clientAddress"] for node in nodes})
            time.sleep(0.2)
        return []


def find_muster(root):
    """The program that the variable MUSTER names, or what was built."""
    how = "build Muster (cargo build --release), or name its program in the variable MUSTER"
    named = os.environ.get("MUSTER")
    return find([named] if named else [f"{root}/target/{kind}/muster" for kind in ("release", "debug")], how)


def environment():
    """The variables for a Muster of the checks. Settings of the caller are not its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MUSTER")}


def wait_until_ready(port, log):
    """Waits until /readyz says so."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Broken(f"Muster does not become ready; its log is {log}")
