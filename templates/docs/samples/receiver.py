import hashlib
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

secret = os.environ["WEBHOOK_SECRET"].encode()


def is_right(raw_body: bytes, signature: str) -> bool:
    expected = hmac.new(secret, raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        raw_body = self.rfile.read(int(self.headers["Content-Length"]))  # these bytes are signed, not the parsed JSON
        right = is_right(raw_body, self.headers.get("X-Signature", ""))
        self.send_response(204 if right else 401)  # answer first, work afterwards
        self.end_headers()
        if right:
            print(json.loads(raw_body)["event"], self.headers["webhook-id"], flush=True)


ThreadingHTTPServer(("", int(os.environ.get("PORT", "9000"))), Receiver).serve_forever()
