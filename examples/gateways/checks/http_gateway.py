"""The checks through an HTTP gateway."""

import base64
import hashlib
import http.client
import json
import time

# Clients come from these addresses of the loopback network; Muster trusts the gateways at 127.0.0.1.
CLIENT = "127.0.0.2"
ELSEWHERE = "127.0.0.3"

FORGED = {
    "X-Muster-User-Id": "user_forged",
    "X-Muster-Username": "forged",
    "X-Muster-Group": "forged",
    "X-Muster-Token-Id": "token_forged",
    "X_Muster_Group": "forged",
    "X-Muster_Group": "forged",
}


class Answer:
    """What came back through the gateway."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        body = response.read()
        # Only the application says this; gateways have pages of their own.
        self.seen = json.loads(body) if body and self.headers.get("x-seen-method") else {}

    def identity(self):
        """The headers that tell the application who calls. CGI and WSGI read a hyphen and an underscore as the same."""
        headers = ((name.lower().replace("_", "-"), value) for name, value in self.seen.get("headers", []))
        return sorted(header for header in headers if header[0].startswith("x-muster-"))

    def reached(self, name):
        """Whether a header of this name reached the application."""
        return any(header.lower() == name for header, _ in self.seen.get("headers", []))

    def denial(self):
        """Status, challenge and how long to wait, as far as they are there."""
        parts = [str(self.status)]
        if self.headers.get("www-authenticate", "").startswith('Basic realm="muster"'):
            parts.append("with challenge")
        if self.headers.get("retry-after"):
            parts.append("with Retry-After")
        return " ".join(parts)


def digest(body):
    """What the application says of a body."""
    return hashlib.sha256(body).hexdigest()


def basic(pair):
    """The value of Authorization for a name and a password."""
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def request(port, proof=None, method="GET", path="/", body=None, headers=None, address=CLIENT):
    """One request on a connection of its own."""
    headers = dict(headers or {})
    if proof:
        headers["Authorization"] = proof
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    try:
        connection.request(method, path, body, headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def check(name, port, muster, relay, report, expected):
    """All checks through the gateway that listens on `port`; `expected` has what differs between gateways."""
    alice, newcomer = muster.user(f"alice-{name}"), muster.newcomer(f"newcomer-{name}")
    token = muster.token(alice, "gateway", "GATEWAY")
    lets_in(port, muster, report, alice, token)
    denies(port, muster, report, expected, alice, newcomer)
    hands_on(port, report, basic(token))
    knows_addresses(port, report, basic(muster.token(alice, "bound", "GATEWAY", [f"{CLIENT}/32"])))
    slows_guesses(name, port, report, expected)
    outage(port, relay, report, expected, basic(token))

    report.check("token before the suspension", 200, request(port, basic(token)).status)
    muster.suspend(alice)
    report.check("token at the next request after the suspension", 403, request(port, basic(token)).status)


def lets_in(port, muster, report, alice, token):
    """Token, password and session pass, and the application learns whose they are and nothing else."""
    who = {"x-muster-user-id": alice.id, "x-muster-username": alice.name, "x-muster-group": "staff"}
    answer = request(port, basic(token), headers=FORGED)
    report.check("token", 200, answer.status)
    expected = sorted((who | {"x-muster-token-id": token[0]}).items())
    report.holds("token: identity that reaches the application", answer.identity() == expected, answer.identity())
    report.holds("token: the secret stays at the gateway", not answer.reached("authorization"), "Authorization arrives")
    answer = request(port, basic((alice.name, alice.password)), headers=FORGED)
    report.check("password with colon and umlaut", 200, answer.status)
    report.holds("password: no forged token id", answer.identity() == sorted(who.items()), answer.identity())
    report.check("session", 200, request(port, f"Bearer {alice.session}").status)
    administrator = muster.administrator
    answer = request(port, f"Bearer {administrator.session}", headers=FORGED)
    who = [("x-muster-user-id", administrator.id), ("x-muster-username", administrator.name)]
    report.holds("user without a group: no forged group", answer.identity() == who, answer.identity())


def denies(port, muster, report, expected, alice, newcomer):
    """Who has nothing, something wrong, or something that does not pass here."""
    report.check("no credentials", expected["401"], request(port).denial())
    report.check("wrong password", expected["401"], request(port, basic((alice.name, "a guess"))).denial())
    report.check("temporary password", "403", request(port, basic((newcomer.name, newcomer.password))).denial())
    sftp = basic(muster.token(alice, "sftp", "SFTP"))
    report.check("token for another service", "403", request(port, sftp).denial())


def hands_on(port, report, proof):
    """Every method reaches the application, with its body; its own errors reach the client."""
    for method in ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]:
        answer = request(port, proof, method)
        report.check(method, (200, method), (answer.status, answer.headers.get("x-seen-method")))
    body = b"0123456789" * 10_000
    answer = request(port, proof, "POST", body=body)
    report.check("POST with 100 kB", 200, answer.status)
    report.holds("POST: the body arrives whole", answer.seen.get("digest") == digest(body), "another body")
    answer = request(port, proof, path="/broken")
    report.check("500 of the application", (500, "GET"), (answer.status, answer.headers.get("x-seen-method")))


def knows_addresses(port, report, bound):
    """A token that is bound to one address passes from there, whatever else a client claims."""
    report.check("bound token from its address", 200, request(port, bound).status)
    report.check("bound token from elsewhere", 403, request(port, bound, address=ELSEWHERE).status)
    forged = {"X-Forwarded-For": CLIENT}
    answer = request(port, bound, headers=forged, address=ELSEWHERE)
    report.check("bound token from elsewhere, X-Forwarded-For forged", 403, answer.status)


def slows_guesses(name, port, report, expected):
    """After a few wrong passwords Muster says 429 for a while. Nobody has this name, so nobody is kept out."""
    wrong = basic((f"guessed-{name}", "a guess"))
    seen = [request(port, wrong).denial() for _ in range(12)]
    report.check("twelve wrong passwords in a row", expected["guesses"], sorted(set(seen)))


def outage(port, relay, report, expected, proof):
    """A Muster that says 503, that is away, that is silent; and that it is noticed when it is back."""
    for mode in ["unavailable", "down", "silent"]:
        relay.switch(mode)
        begun = time.monotonic()
        report.check(f"Muster is {mode}", expected[mode], request(port, proof).denial())
        took = time.monotonic() - begun
        report.holds(f"Muster is {mode}: the client has its answer within 8 s", took < 8, f"{took:.1f} s")
    relay.switch("open")
    report.check("Muster is back", 200, request(port, proof).status)
