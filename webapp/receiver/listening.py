"""A receiver for developers on their own machine, the code behind `webapp listen`: it answers as it was told.

Each request becomes a few readable lines. Everything in them that comes from outside is escaped, so that no request can
speak to the terminal.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket

from webapp.delivery.signing import Check, Verdict, check

MAX_BODY_BYTES = 1024 * 1024
MAX_SHOWN = 20_000  # characters of one body
MAX_SHOWN_VALUE = 200  # characters of a path or of a header's value
REMEMBERED_IDS = 10_000
SILENCE_LIMIT_S = 30.0  # a connection that says nothing for this long is closed
ANSWER_BODY = b"ok\n"
BODILESS = (204, 205, 304)

WORDS = {
    Verdict.RIGHT: "right",
    Verdict.RIGHT_WITH_OLD_SECRET: "right, with the old secret",
    Verdict.WRONG: "WRONG",
    Verdict.NOT_SIGNED: "not signed",
    Verdict.NO_SECRET: "signed, but there is no secret to check with (give one with --secret)",
}


@dataclass(frozen=True)
class Orders:
    """What the receiver was told: the status and delay of its answers, its secrets (newest first)."""

    status: int = 200
    delay_s: float = 0.0
    retry_after_s: int | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One request as it came in. `is_cut`: the body was longer than MAX_BODY_BYTES."""

    method: str
    path: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    is_cut: bool
    received_at: datetime
    is_again: bool = False  # its webhook-id came before

    def header(self, name: str) -> str:
        """The value of a header, without regard to case; empty when it did not come."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")


def described(request: Request, orders: Orders) -> str:
    """A request and its answer in readable lines, each ending with a line feed."""
    attempt = request.header("X-Webhook-Attempt")
    lines = [
        f"{request.received_at:%Y-%m-%dT%H:%M:%SZ}  {_short(request.method)} {_short(request.path)}  {_event(request)}",
        f"  webhook-id  {_short(request.header('webhook-id')) or '-'}"
        + (f"  attempt {_short(attempt)}" if attempt else "")
        + ("  (came before)" if request.is_again else ""),
        f"  size        {len(request.body):,} bytes{' (the rest was not read)' if request.is_cut else ''}",
        f"  signature   {_signature(request, orders.secrets)}",
        f"  answer      {_answer_words(orders)}",
        *_body(request.body),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that no terminal takes for a command: whatever does not print is shown as its escape sequence."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _short(text: str) -> str:
    shown = escaped(text[:MAX_SHOWN_VALUE])
    return shown + "…" if len(text) > MAX_SHOWN_VALUE else shown


def _event(request: Request) -> str:
    word = request.header("X-Webhook-Event")
    if not word:
        value = _json(request.body)
        event = value.get("event") if isinstance(value, dict) else None
        word = event if isinstance(event, str) else ""
    test = "  (a test)" if request.header("X-Webhook-Test") == "true" else ""
    return (_short(word) or "without an event") + test


def _signature(request: Request, secrets: Sequence[str]) -> str:
    found = check(headers=request.headers, body=request.body, secrets=secrets, now=int(request.received_at.timestamp()))
    if request.is_cut and found.verdict is not Verdict.NOT_SIGNED:
        return "not checked, since a part of the body is missing"
    return "\n              ".join([WORDS[found.verdict], *_causes(found)])


def _causes(found: Check) -> list[str]:
    lines = (("X-Signature", found.plain), ("webhook-signature", found.standard))
    return [f"{name}: {line.step.sentence}" for name, line in lines if line.step]


def _answer_words(orders: Orders) -> str:
    delay = f", after {orders.delay_s:g} s" if orders.delay_s else ""
    retry_after = f", Retry-After {orders.retry_after_s}" if orders.retry_after_s is not None else ""
    return f"{orders.status}{delay}{retry_after}"


def _body(body: bytes) -> list[str]:
    if not body:
        return []
    value = _json(body)
    if value is None:
        text = body.decode("utf-8", "backslashreplace")
    else:
        # Strings hold no real line feed in JSON; what else does not print is escaped line by line below.
        text = json.dumps(value, indent=2, ensure_ascii=False)
    rest = [f"  … and {len(text) - MAX_SHOWN:,} more characters"] if len(text) > MAX_SHOWN else []
    return ["  " + escaped(line) for line in text[:MAX_SHOWN].split("\n")] + rest


def _json(body: bytes) -> object:
    """The value of a JSON body; None for anything else (and for null, which says as little)."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


class Receiver(ThreadingHTTPServer):
    """Listens on loopback, alone, at `port` (0 = any free one). `say` gets the lines of each request, in one piece."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, orders: Orders, say: Callable[[str], None]) -> None:
        self.orders = orders
        self._say = say
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self._ids: OrderedDict[str, None] = OrderedDict()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, text: str) -> None:
        """Show something; two requests never mix their lines."""
        with self._turn:
            self._say(text)

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end of the receiver."""
        self._stopped.wait(seconds)

    def is_again(self, delivery_id: str) -> bool:
        """Whether this `webhook-id` came before; it is remembered from now on."""
        with self._turn:
            if not delivery_id or delivery_id in self._ids:
                return bool(delivery_id)
            self._ids[delivery_id] = None
            if len(self._ids) > REMEMBERED_IDS:
                self._ids.popitem(last=False)
            return False

    def server_close(self) -> None:
        """Stop listening; answers that wait are given up."""
        self._stopped.set()
        super().server_close()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """A sender that went away is a line, not a traceback."""
        self.say(f"  a connection ended early: {type(sys.exception() or OSError()).__name__}\n")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    server_version = "webapp-listen"
    sys_version = ""
    timeout = SILENCE_LIMIT_S

    def do_POST(self) -> None:
        """Show the request, then answer as told."""
        body, is_cut = self._read()
        request = Request(
            method=self.command,
            path=self.path,
            headers=_pairs(self.headers),
            body=body,
            is_cut=is_cut,
            received_at=datetime.now(UTC),
            is_again=self.server.is_again((self.headers["webhook-id"] or "")[:MAX_SHOWN_VALUE]),
        )
        orders = self.server.orders
        self.server.say(described(request, orders) + "\n")
        self.server.pause(orders.delay_s)
        self._answer(orders)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # noqa: N815

    def _read(self) -> tuple[bytes, bool]:
        """The body, and whether it was cut. What cannot be read to its end costs the connection."""
        length = self.headers["Content-Length"] or "0"
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 19):
            self.close_connection = True
            return b"", True
        body = self.rfile.read(min(int(length), MAX_BODY_BYTES))
        is_cut = len(body) < int(length)
        self.close_connection |= is_cut
        return body, is_cut

    def _answer(self, orders: Orders) -> None:
        body = b"" if orders.status in BODILESS else ANSWER_BODY
        self.send_response(orders.status)
        if body:
            self.send_header("Content-Type", "text/plain")
        if orders.status != 204:
            self.send_header("Content-Length", str(len(body)))
        if orders.retry_after_s is not None:
            self.send_header("Retry-After", str(orders.retry_after_s))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be understood is a line here, and an answer of the 400s there."""
        self.server.say(f"not a usable request: {_short(message or str(code))}\n\n")
        super().send_error(code, message, explain)

    def log_message(self, *_: object) -> None:
        """The lines of the base class are not shown; ours say more."""


def _pairs(headers: Message) -> list[tuple[str, str]]:
    """Names and values as text: senders that go beyond ASCII mean UTF-8, http.server reads Latin-1."""
    return [(name, _readable(value)) for name, value in headers.items()]


def _readable(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except ValueError:
        return value
