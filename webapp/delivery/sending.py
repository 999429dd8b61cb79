"""The one door to the outside: a request goes in, an outcome comes out. Whatever a network does is a value.

Only workers send: deliveries, pings, tests, health checks, redeliveries. Each attempt resolves anew; what the rules say
of a URL, and of the names and addresses that it leads to, is remembered, for they would say the same again.
"""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from webapp.config import VERSION
from webapp.delivery.addresses import (
    AddressRefused,
    Policy,
    PolicyError,
    Target,
    literal,
    parse,
    split_authority,
    vet,
    vet_name,
)
from webapp.delivery.outcomes import Outcome, Outgoing, Pairs, retry_after
from webapp.delivery.resolving import Resolution, ResolveError, Resolver
from webapp.delivery.transport import (
    GuardedAdapter,
    GuardedResponse,
    Line,
    Proxy,
    Route,
    Trace,
    TransportFailure,
    VettedRequest,
    tls_context,
)
from webapp.models.delivery import ErrorWord

__all__ = ["Outcome", "Outgoing", "Sender"]

MAX_HEADER_VALUE_BYTES = 8_192
MAX_CONNECT_TRIES = 4  # of the addresses of a name, the target's or the proxy's
MAX_REMEMBERED = 1_024  # of each: what rules say of URLs, of what these lead to, and of names of headers
USER_AGENT = f"Blue-Webhooks/{VERSION}"
PROXY_LOGIN = "Proxy-Authorization"  # the operator's own: never in a log
PROXY_LOGIN_WANTED = 407
REDIRECTS = frozenset([301, 302, 303, 307, 308])

REDIRECTED = "The receiver answered with a redirect, and redirects are not followed. Use the address it points to."
PROXY_NOT_FOUND = "The name of the outgoing proxy cannot be resolved."
BAD_HEADER = "A stored header cannot be sent. Enter the headers of this webhook again."
PROXY_WANTS_LOGIN = "The outgoing proxy wants a login."
PROXY_FORM = "OUTBOUND_PROXY must look like http://host:port, or http://user:password@host:port."

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_HEADER_VALUES = re.compile(r"(?:\n(?:[!-~](?:[ \t!-~]*[!-~])?)?)*")  # each on a line of its own
# They frame the message, belong to the connection or carry credentials for somebody else; sending sets what is needed.
_OWN_HEADERS = re.compile(
    r"host|content-length|content-encoding|accept-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer"
    r"|expect|cookie|proxy-.*"
)
_PROXY = re.compile(r"http://(?:([^/@\s]+)@)?([^/@\s]+?)/?")


class SenderSettings(Protocol):
    """The settings that sending needs."""

    allow_http: bool
    allow_targets: list[str]
    allow_cidrs: list[str]
    base_url: str
    request_timeout: timedelta
    outbound_proxy: str
    ca_file: Path | None
    dns_servers: list[str]


class Sender:
    """Sends requests within the policy. One for a worker process; safe for many threads."""

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: timedelta,
        resolver: Resolver | None = None,
        proxy: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self._way = lru_cache(MAX_REMEMBERED)(lambda url: _way(url, policy))
        self._lines = lru_cache(MAX_REMEMBERED)(lambda target, resolution: _vetted_lines(target, resolution, policy))
        self._timeout_s = timeout.total_seconds()
        self._resolver = resolver or Resolver()
        self._proxy = _proxy(proxy) if proxy else None
        self._adapter = GuardedAdapter(tls_context(ca_file))

    @classmethod
    def from_settings(cls, settings: SenderSettings) -> Self:
        """The sender that the settings describe; raises ValueError that names a wrong one."""
        policy = Policy.from_values(
            settings.allow_http, settings.allow_targets, settings.allow_cidrs, settings.base_url or None
        )
        return cls(
            policy,
            timeout=settings.request_timeout,
            resolver=Resolver(settings.dns_servers or None),
            proxy=settings.outbound_proxy or None,
            ca_file=settings.ca_file,
        )

    def send(self, outgoing: Outgoing, *, timeout: timedelta | None = None) -> Outcome:
        """Send one request and wait for its outcome, at most `timeout` for everything, and never longer than set.

        Raises nothing for what a network or a stored value does; OSError when this process has no file descriptor left.
        """
        began = time.monotonic()
        limit_s = self._timeout_s if timeout is None else min(timeout.total_seconds(), self._timeout_s)
        return self._outcome(_Attempt(outgoing, began, began + limit_s))

    def close_idle(self) -> None:
        """Close kept connections whose time is over; worth calling now and then in a quiet process."""
        self._adapter.close_old()

    def close(self) -> None:
        """Close all kept connections."""
        self._adapter.close()

    def _outcome(self, attempt: "_Attempt") -> Outcome:
        try:
            response = self._adapter.send(self._vetted(attempt))
        except AddressRefused as refused:
            word = ErrorWord.CONFIG_ERROR if refused.reason.is_about_text else ErrorWord.ADDRESS_REFUSED
            return attempt.ended(error=word, sentence=refused.reason.sentence)
        except _HeaderRefusedError:
            return attempt.ended(error=ErrorWord.CONFIG_ERROR, sentence=BAD_HEADER)
        except (ResolveError, TransportFailure) as failure:
            return attempt.ended(error=failure.word, sentence=failure.sentence)
        if self._proxy and response.status_code == PROXY_LOGIN_WANTED:
            return attempt.ended(response, ErrorWord.PROXY_ERROR, PROXY_WANTS_LOGIN)
        if response.status_code in REDIRECTS:
            return attempt.ended(response, ErrorWord.REDIRECT_REFUSED, REDIRECTED)
        return attempt.ended(response)

    def _vetted(self, attempt: "_Attempt") -> VettedRequest:
        """The request with its route; raises AddressRefused, ResolveError or _HeaderRefusedError."""
        way = self._way(attempt.outgoing.url)
        attempt.headers = _headers(attempt.outgoing, way.host_header, self._forwarded_authorization(way.target))
        lines = way.lines or self._lines(way.target, self._resolution(attempt, way.target))
        if self._proxy is not None:
            lines = self._through(self._proxy, lines[0], attempt.deadline)
        route = Route(way.target.path, lines, attempt.deadline, attempt.trace)
        return VettedRequest(way.url, attempt.headers, attempt.outgoing.body, route)

    def _resolution(self, attempt: "_Attempt", target: Target) -> Resolution:
        began = time.monotonic()
        try:
            return self._resolver.resolve(target.host, attempt.deadline)
        finally:
            attempt.dns_ms = _ms_since(began)

    def _through(self, proxy: Proxy, line: Line, deadline: float) -> tuple[Line, ...]:
        """The line by way of each address of the operator's own proxy, which is exempt from the rules."""
        if address := literal(proxy.host):
            return (line._replace(proxy=proxy, proxy_address=str(address)),)
        try:
            hops = self._resolver.resolve(proxy.host, deadline).addresses[:MAX_CONNECT_TRIES]
        except ResolveError:
            raise TransportFailure(ErrorWord.PROXY_ERROR, PROXY_NOT_FOUND) from None
        return tuple(line._replace(proxy=proxy, proxy_address=str(hop)) for hop in hops)

    def _forwarded_authorization(self, target: Target) -> str | None:
        """The proxy's login, when it reads the request itself: plain http."""
        return self._proxy.authorization if self._proxy and not target.is_encrypted else None


class _Way(NamedTuple):
    """What the rules make of a URL. Where its host is an address, that is vetted with it and `lines` are there."""

    target: Target
    url: str
    host_header: str
    lines: tuple[Line, ...]


def _way(url: str, policy: Policy) -> _Way:
    target = parse(url, policy)
    lines = _vetted_lines(target, Resolution((target.address,)), policy) if target.address else ()
    return _Way(target, target.url, target.host_header, lines)


def _vetted_lines(target: Target, resolution: Resolution, policy: Policy) -> tuple[Line, ...]:
    """Lines to the addresses of the target that may be tried. All are vetted: one that is refused refuses the name."""
    for name in resolution.canonical_names:
        vet_name(name, target, policy)
    for address in resolution.addresses:
        vet(address, target, policy)
    tried = resolution.addresses[:MAX_CONNECT_TRIES]
    return tuple(Line(target.scheme, target.host, target.port, str(address)) for address in tried)


@dataclass(slots=True)
class _Attempt:
    """What one attempt is and what was seen of it so far."""

    outgoing: Outgoing
    began: float
    deadline: float
    headers: dict[str, str] = field(default_factory=dict)
    trace: Trace = field(default_factory=Trace)
    dns_ms: float | None = None

    def ended(
        self, response: GuardedResponse | None = None, error: ErrorWord | None = None, sentence: str = ""
    ) -> Outcome:
        """Its outcome: an answer, an error or both, with what was seen on the way."""
        trace, pairs = self.trace, self.headers.items()
        # Not by its truth: the library calls an answer false that is no success.
        return Outcome(
            status=None if response is None else response.status_code,
            error=error,
            sentence=sentence,
            reason="" if response is None else response.reason,
            headers=() if response is None else response.pairs,
            body=b"" if response is None else response.content,
            is_cut=response is not None and response.is_cut,
            retry_after=None if response is None else _wait(response.pairs),
            peer=trace.peer,
            dns_ms=self.dns_ms,
            connect_ms=trace.connect_ms,
            tls_ms=trace.tls_ms,
            first_byte_ms=trace.first_byte_ms,
            total_ms=_ms_since(self.began),
            request_headers=tuple(pairs)
            if PROXY_LOGIN not in self.headers
            else tuple(pair for pair in pairs if pair[0] != PROXY_LOGIN),
        )


class _HeaderRefusedError(Exception):
    """A stored header would break the request."""


def _headers(outgoing: Outgoing, host_header: str, proxy_authorization: str | None) -> dict[str, str]:
    """All header lines of the request, in their order; raises _HeaderRefusedError."""
    lowered = _sendable_names(tuple([name for name, _ in outgoing.headers]))
    values = "".join([f"\n{value}" for _, value in outgoing.headers])
    if lowered is None or values.count("\n") != len(outgoing.headers) or not _HEADER_VALUES.fullmatch(values):
        raise _HeaderRefusedError
    if len(values) > MAX_HEADER_VALUE_BYTES and any(
        len(value) > MAX_HEADER_VALUE_BYTES for _, value in outgoing.headers
    ):
        raise _HeaderRefusedError
    headers = {"Host": host_header, **dict(outgoing.headers)}
    if "user-agent" not in lowered:
        headers["User-Agent"] = USER_AGENT
    headers["Accept-Encoding"] = "identity"
    headers["Content-Length"] = str(len(outgoing.body))
    if proxy_authorization:
        headers[PROXY_LOGIN] = proxy_authorization
    return headers


@lru_cache(MAX_REMEMBERED)
def _sendable_names(names: tuple[str, ...]) -> frozenset[str] | None:
    """The names in lower case; None when one may not be sent or comes twice."""
    lowered = frozenset(name.lower() for name in names)
    are_sendable = all(_HEADER_NAME.fullmatch(name) and not _OWN_HEADERS.fullmatch(name.lower()) for name in names)
    return lowered if are_sendable and len(lowered) == len(names) else None


def _wait(pairs: Pairs) -> timedelta | None:
    """How long the receiver asks to wait; the last word counts."""
    wanted = next((value for name, value in reversed(pairs) if name.lower() == "retry-after"), None)
    return None if wanted is None else retry_after(wanted, datetime.now(UTC))


def _proxy(text: str) -> Proxy:
    match = _PROXY.fullmatch(text)
    if match is None:
        raise PolicyError(PROXY_FORM)
    try:
        host, port = split_authority(match[2])
    except AddressRefused:
        raise PolicyError(PROXY_FORM) from None
    if port is None:
        raise PolicyError(PROXY_FORM)
    return Proxy.with_login(host, port, match[1])


def _ms_since(began: float) -> float:
    return int((time.monotonic() - began) * 1_000_000) / 1000
