"""The one place that opens outgoing HTTP connections: a transport adapter for `requests`.

In reading order: `wires` (a socket with one deadline), `answers` (what a receiver may say), `connections` (pinned to a
vetted address), `pools` (kept open for a minute), and here the adapter. `failures` holds the words. Nothing but
`delivery.sending` uses it, and it takes only requests that carry their vetted addresses.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from webapp.delivery.transport.answers import Answer
from webapp.delivery.transport.connections import Line, PinnedConnection, Proxy, tls_context
from webapp.delivery.transport.failures import TransportFailure
from webapp.delivery.transport.pools import Pool
from webapp.models.delivery import ErrorWord

__all__ = [
    "GuardedAdapter",
    "GuardedResponse",
    "Line",
    "Proxy",
    "Route",
    "Trace",
    "TransportFailure",
    "VettedRequest",
    "tls_context",
]

CONNECT_LIMIT_S = 5.0  # TCP and TLS together
_TRY_ANOTHER = frozenset([ErrorWord.CONNECT_REFUSED, ErrorWord.CONNECT_TIMEOUT])


@dataclass(slots=True)
class Trace:
    """What was seen of an exchange, also of one that failed: spans in ms, None where there was no such step."""

    peer: str | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None


class Route(NamedTuple):
    """Where a request may go: along `lines`, in turn, all to vetted addresses; `deadline` is of the monotonic clock.

    `path` and its query are sent as they are. The operator's proxy on the way need not be vetted.
    """

    path: str
    lines: tuple[Line, ...]
    deadline: float
    trace: Trace


class VettedRequest(PreparedRequest):
    """A prepared request together with its route. It is put together from checked parts, so nothing is prepared."""

    method = "POST"
    _cookies = _body_position = None  # `copy()` looks for these, and for the hooks
    url: str

    def __init__(self, url: str, headers: dict[str, str], body: bytes, route: Route) -> None:
        """Only what is sent; the jar and the hooks of the library play no part."""
        self.hooks = {}
        self.url = url
        self.headers = headers  # type: ignore[assignment]  # the library's dictionary would cost more than sending does
        self.body = self.payload = body
        self.route = route


class GuardedResponse(Response):
    """An answer with its header lines as they came, and whether its body was cut."""

    encoding = None
    raw = None
    _content_consumed = True

    def __init__(self, request: VettedRequest, answer: Answer) -> None:
        """The attributes of the library, without the jar of cookies that it would fill: nobody keeps any here."""
        self.request = request
        self.url = request.url
        self.status_code = answer.status
        self.reason = answer.reason
        self.pairs = answer.pairs
        self.is_cut = answer.is_cut
        self._content = answer.body

    @cached_property
    def headers(self) -> CaseInsensitiveDict[str]:  # type: ignore[override]
        """The header lines by name, the last one of each."""
        return CaseInsensitiveDict(self.pairs)


class GuardedAdapter(BaseAdapter):
    """Sends vetted requests along pinned connections, never elsewhere. Safe for many threads.

    Redirects, cookies, challenges and the environment play no part; a `Session` would only add them.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__()
        self._tls = tls
        self._pool = Pool()

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> GuardedResponse:
        """Exchange one request; raises TransportFailure, and TypeError for a request that nobody vetted."""
        if not isinstance(request, VettedRequest):
            raise TypeError("only vetted requests are sent")
        connection = self._connection(request.route)
        answer = None
        try:
            answer = self._exchange(connection, request)
        except TransportFailure as failure:
            if connection.is_used_again and failure.word is ErrorWord.CONNECTION_LOST:
                self._pool.distrust(connection.line)
            raise
        finally:
            if answer is not None and answer.can_be_followed:
                self._pool.keep(connection)
            else:
                connection.close()
        return GuardedResponse(request, answer)

    def close_old(self) -> None:
        """Close kept connections whose time is over."""
        self._pool.close_old()

    def close(self) -> None:
        """Close all kept connections."""
        self._pool.close()

    def _exchange(self, connection: PinnedConnection, request: VettedRequest) -> Answer:
        route = request.route
        is_forwarded = connection.line.proxy is not None and not connection.line.is_tunnelled
        head = _head(request.url if is_forwarded else route.path, request.headers)
        try:
            return connection.exchange(head, request.payload, route.deadline)
        finally:
            route.trace.first_byte_ms = _ms(connection.first_byte_s)

    def _connection(self, route: Route) -> PinnedConnection:
        lines = route.lines
        for line in lines:
            if connection := self._pool.take(line):
                connection.is_used_again = True
                route.trace.peer = line.far_end
                return connection
        end = min(route.deadline, time.monotonic() + CONNECT_LIMIT_S)
        for number, line in enumerate(lines, 1):
            try:
                return self._connected(line, _share(end, len(lines) - number), route.trace)
            except TransportFailure as failure:
                if failure.word not in _TRY_ANOTHER or number == len(lines):
                    raise
        raise AssertionError("a route has a line")

    def _connected(self, line: Line, connect_by: float, trace: Trace) -> PinnedConnection:
        trace.peer = line.far_end
        connection = PinnedConnection(line, self._tls, connect_by)
        try:
            connection.connect()
        finally:
            trace.connect_ms, trace.tls_ms = _ms(connection.connect_s), _ms(connection.tls_s)
        return connection


def _head(path: str, headers: Mapping[str, str]) -> bytes:
    """The request line and the header lines. All of it was checked before; ValueError should a line end be in it."""
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1:
        raise ValueError("a line of the request is broken")
    return head


def _share(end: float, others: int) -> float:
    """Half of what is left while there are others to try, so that one silent address does not use up all."""
    now = time.monotonic()
    return now + (end - now) / 2 if others else end


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else int(seconds * 1_000_000) / 1000
