"""What goes in and what comes out of one attempt, as values."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from webapp.models.delivery import ErrorWord

MAX_RETRY_AFTER = timedelta(hours=24)

_SECONDS = re.compile(r"[0-9]{1,10}")

Pairs = tuple[tuple[str, str], ...]


class Outgoing(NamedTuple):
    """One request to send: the URL as it is stored, the headers in their order, the body as final bytes."""

    url: str
    headers: Pairs
    body: bytes


class Outcome(NamedTuple):
    """How an attempt ended: a status code, or an error word with a sentence for people, or both for a redirect.

    Spans are in milliseconds, None for a step that did not take place; `first_byte_ms` counts from the moment the
    request was sent. `headers` and `body` are the receiver's, bounded, to be shown escaped; `is_cut` says that more
    would have come. `request_headers` are those that were sent.
    """

    status: int | None = None
    error: ErrorWord | None = None
    sentence: str = ""
    reason: str = ""
    headers: Pairs = ()
    body: bytes = b""
    is_cut: bool = False
    retry_after: timedelta | None = None
    peer: str | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None
    request_headers: Pairs = ()

    @property
    def is_success(self) -> bool:
        """Whether the receiver took it: a 2xx answer."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for, in seconds or as a date, at most 24 h; None for anything else.

    Source: RFC 9110, section 10.2.3. A date that has passed asks for nothing.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(wait, MAX_RETRY_AFTER) if wait > timedelta(0) else None
