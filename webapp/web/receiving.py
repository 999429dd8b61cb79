"""The address that inboxes receive at: any method, no sign-in, no CSRF token, no cookies; size and rate are bounded."""

from __future__ import annotations

import sys
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import cast
from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from flask.globals import request_ctx
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import MapAdapter

from webapp.extensions import db
from webapp.receiver import arrivals
from webapp.receiver.answers import Answer
from webapp.request_extensions import csrf, limiter

bp = Blueprint("receiving", __name__)
csrf.exempt(bp)

PREFIX = "/inbox/"
RATE_SPAN_S = 60
RATE = f"3000 per {RATE_SPAN_S} seconds"  # of one inbox and web process
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
CHUNK_BYTES = 64 * 1024
NO_INBOX = "There is no inbox at this address.\n"
TOO_FAST = "Too many requests for an inbox. Slow down.\n"

# Names are case-insensitive and reach us in capitals; these have a spelling of their own.
SPELLINGS = {
    "Webhook-Id": "webhook-id",
    "Webhook-Timestamp": "webhook-timestamp",
    "Webhook-Signature": "webhook-signature",
}


@bp.before_app_request
def take_odd_methods() -> None:
    """An inbox takes methods that no route lists, too: they go where a POST goes."""
    if request.path.startswith(PREFIX) and isinstance(request.routing_exception, MethodNotAllowed):
        adapter = cast(MapAdapter, request_ctx.url_adapter)
        request.url_rule, values = adapter.match(method="POST", return_rule=True)
        request.view_args, request.routing_exception = dict(values), None


@bp.route("/inbox/<token>", methods=METHODS, provide_automatic_options=False)
@bp.route("/inbox/<token>/<path:rest>", methods=METHODS, provide_automatic_options=False)
def receive(token: str, rest: str = "") -> Response:
    """Keep what arrived and answer as the inbox was told, after its delay."""
    _forget_the_session()
    if not _is_within_rate():
        return _text(TOO_FAST, 429, retry_after_s=RATE_SPAN_S)
    answer = arrivals.receive(token, _arrival())
    if answer is None:
        return _text(NO_INBOX, 404)
    db.session.remove()  # no connection is held while the answer waits
    answer.wait()
    return _hang_up() if answer.hangs_up else _answered(answer)


def _token() -> str:
    return request.path.removeprefix(PREFIX).partition("/")[0]


_limit = limiter.limit(RATE, key_func=_token)


def _is_within_rate() -> bool:
    try:
        with _limit:
            return True
    except RateLimitExceeded:
        return False
    finally:
        # The limiter would add its own Retry-After to every answer, also where the inbox was told to give none.
        limiter.context.view_rate_limit = None


def _forget_the_session() -> None:
    """Whose browser it is does not matter here, and no cookie is renewed either."""
    request_ctx._session = current_app.session_interface.make_null_session(current_app)


def _arrival() -> arrivals.Arrival:
    return arrivals.Arrival(
        method=request.method,
        path=_path(),
        headers=[(SPELLINGS.get(name, name), _readable(value)) for name, value in request.headers.items()],
        body=_body(),
        address=request.remote_addr or "",
    )


def _path() -> str:
    """Path and query as they came: gunicorn and Werkzeug each keep them under a name of their own."""
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI")
    if isinstance(raw, str) and raw.startswith("/") and raw.isascii() and raw.isprintable():
        return raw
    query = request.query_string.decode("latin-1")
    return quote(request.path) + ("?" + quote(query, safe="=&%+;,/:") if query else "")


def _readable(value: str) -> str:
    """WSGI hands header values over as Latin-1; most senders that go beyond ASCII mean UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except ValueError:
        return value


def _body() -> bytes:
    """At most one byte more than an inbox keeps. The rest of a longer body is the server's to drop, unread by us."""
    request.max_content_length = sys.maxsize
    parts: list[bytes] = []
    wanted = arrivals.MAX_BODY_BYTES + 1
    while wanted and (part := request.stream.read(min(wanted, CHUNK_BYTES))):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _answered(answer: Answer) -> Response:
    return _text(answer.body, answer.status, retry_after_s=answer.retry_after_s)


def _hang_up() -> Response:
    """Close the connection without an answer: what is written afterwards meets a closed socket, which gunicorn takes
    for a client that left. A server that does not hand out its socket answers 500 and closes."""
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, socket):
        with suppress(OSError):
            connection.shutdown(SHUT_RDWR)
    response = _text("", 500)
    response.headers["Connection"] = "close"
    return response


def _text(body: str, status: int, *, retry_after_s: int | None = None) -> Response:
    response = Response(body, status=status, mimetype="text/plain")
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response
