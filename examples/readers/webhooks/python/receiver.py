"""A receiver of Muster's webhooks, with the official library: `pip install -r requirements.txt`."""

import http.server
import json
import os

from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(http.server.BaseHTTPRequestHandler):
    """Verifies each delivery and answers; the work itself comes afterwards."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            WEBHOOK.verify(body, dict(self.headers))
            status = 204
        except WebhookVerificationError:
            status = 401
        self.send_response(status)
        self.end_headers()
        if status == 204:
            event = json.loads(body)
            # Text of twenty digits, so that it sorts.
            print("verified", event["type"], int(event["sequence"]), flush=True)

    def log_message(self, *_):
        """Requests are not logged."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
