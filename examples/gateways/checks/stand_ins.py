"""What stands on both sides of a gateway: an application that tells what reached it, and a relay before Muster."""

import hashlib
import http.server
import json
import socket
import threading

UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"content-type: application/problem+json\r\ncontent-length: 14\r\nretry-after: 7\r\n\r\n"
    b'{"status":503}'
)


class Application(http.server.ThreadingHTTPServer):
    """Answers every request with what it was; /broken with 500."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Echo)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """Gateways may cut connections that they no longer need."""


class Echo(http.server.BaseHTTPRequestHandler):
    """One connection to the application."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        """Tells method, headers and a digest of the body."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        seen = {"method": self.command, "headers": self.headers.items(), "digest": hashlib.sha256(body).hexdigest()}
        text = json.dumps(seen).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        # HEAD has no body.
        self.send_header("x-seen-method", self.command)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        """Says nothing."""


class Relay:
    """Stands before Muster and hands on every byte, or plays a Muster that has trouble.

    open          hands on
    unavailable   answers 503 with Retry-After
    silent        takes requests and never answers
    down          does not listen
    """

    def __init__(self, target):
        self.target = target
        self.listener = None
        self.connections = set()
        self.port = 0
        self.switch("open")

    def switch(self, mode):
        """Changes the mode. Open connections are cut."""
        if self.listener:
            # shutdown wakes the thread that waits for a connection; close alone does not.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for connection in list(self.connections):
            cut(connection)
        if mode == "down":
            return
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        serve = {"open": self.hand_on, "unavailable": self.refuse, "silent": self.listen_only}[mode]
        threading.Thread(target=self.accept, args=(self.listener, serve), daemon=True).start()

    def accept(self, listener, serve):
        """Serves every connection in a thread, until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.add(connection)
            threading.Thread(target=self.run, args=(serve, connection), daemon=True).start()

    def run(self, serve, connection):
        """Serves one connection and forgets it."""
        try:
            serve(connection)
        except OSError:
            pass
        finally:
            cut(connection)
            self.connections.discard(connection)

    def hand_on(self, connection):
        """Copies in both directions."""
        muster = socket.create_connection(("127.0.0.1", self.target))
        self.connections.add(muster)
        threading.Thread(target=self.run, args=(lambda back: copy(back, connection), muster), daemon=True).start()
        copy(connection, muster)

    @staticmethod
    def refuse(connection):
        """Answers 503 to every request."""
        head = b""
        while piece := connection.recv(65536):
            head += piece
            if b"\r\n\r\n" in head:
                head = b""
                connection.sendall(UNAVAILABLE)

    @staticmethod
    def listen_only(connection):
        """Reads until the other side gives up."""
        while connection.recv(65536):
            pass


def copy(source, target):
    """Copies until one side ends, then ends both."""
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
    finally:
        cut(source)
        cut(target)


def cut(connection):
    """Closes a connection, also under the hands of a thread that reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()
