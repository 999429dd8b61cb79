"""What arrived: a request is kept as it came, with the verdict on its signature, and listed for its owner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import defer

from webapp.extensions import db
from webapp.models import Delivery, Inbox, InboxRequest, NotFound, User, Webhook, transaction, utc_now
from webapp.receiver import checking, pruning
from webapp.receiver.answers import Answer

MAX_BODY_BYTES = 256 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024  # of all names and values together
MAX_PATH_LENGTH = 4096
MAX_EVENT_LENGTH = 64
MAX_METHOD_LENGTH = 20

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Arrival:
    """A request as it came in. One byte more than MAX_BODY_BYTES in `body` says that it was longer."""

    method: str
    path: str
    headers: Headers
    body: bytes
    address: str


@dataclass(frozen=True)
class Row:
    """One request of the list: without its body, but with its size in bytes, and whether its delivery came before."""

    request: InboxRequest
    size: int
    again: bool

    @property
    def attempt(self) -> str:
        """The number that the sender gave the attempt; empty when it gave none."""
        number = header(self.request, "X-Webhook-Attempt")
        return number if number.isascii() and number.isdigit() and len(number) < 6 else ""


def header(request: InboxRequest, name: str) -> str:
    """The value of a header, without regard to case; empty when it did not come."""
    return next((value for known, value in request.headers if known.lower() == name.lower()), "")


def receive(token: str, arrival: Arrival) -> Answer | None:
    """Keep a request and say what to answer; None when no inbox has this token (any more).

    The verdict is made before the transaction, since it hashes. Body and headers beyond the limits are cut.
    """
    inbox = db.session.scalar(sa.select(Inbox).where(Inbox.token == token))
    if inbox is None:
        return None
    now = utc_now()
    answer = Answer.of(inbox)
    request = _request(inbox, arrival, now)
    request.answered_status = None if answer.hangs_up else answer.status
    with transaction() as session:
        if session.get(Inbox, request.inbox_id) is None:
            return None
        session.add(request)
        session.flush()
        pruning.forget_surplus(session, request.inbox_id, now)
    return answer


def _request(inbox: Inbox, arrival: Arrival, now: datetime) -> InboxRequest:
    headers = _bounded(arrival.headers)
    body = arrival.body[:MAX_BODY_BYTES]
    request = InboxRequest(
        inbox_id=inbox.id,
        method=arrival.method[:MAX_METHOD_LENGTH],
        path=arrival.path[:MAX_PATH_LENGTH],
        is_cut=len(arrival.body) > MAX_BODY_BYTES,
        address=arrival.address,
        received_at=now,
        headers=[list(pair) for pair in headers],
        body=body,
    )
    request.event_type = _shown(header(request, "X-Webhook-Event") or _event_of(body), MAX_EVENT_LENGTH)
    request.delivery_id = _shown(header(request, "webhook-id"), 100)
    request.verdict = checking.verdict(request, checking.secrets_of(inbox))
    return request


def _bounded(headers: Headers) -> list[tuple[str, str]]:
    kept: list[tuple[str, str]] = []
    size = 0
    for name, value in headers[:MAX_HEADERS]:
        size += len(name.encode()) + len(value.encode())
        if size > MAX_HEADER_BYTES:
            break
        kept.append((name, value))
    return kept


def _event_of(body: bytes) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    event = value.get("event") if isinstance(value, dict) else None
    return event if isinstance(event, str) else ""


def _shown(text: str, limit: int) -> str | None:
    return text if text and len(text) <= limit and text.isprintable() else None


def requests(inbox: Inbox, *, after: int = 0) -> list[Row]:
    """The requests that an inbox keeps, newest first; `after` a seq only those that came later."""
    query = (
        sa.select(InboxRequest, sa.func.length(InboxRequest.body))
        .options(defer(InboxRequest.body))
        .where(InboxRequest.inbox_id == inbox.id, InboxRequest.seq > after, _is_kept())
        .order_by(InboxRequest.seq.desc())
        .limit(pruning.KEPT_REQUESTS)
    )
    first = _first_of_each_delivery(inbox)
    return [
        Row(request, size, again=first.get(request.delivery_id, request.seq) < request.seq)
        for request, size in db.session.execute(query)
    ]


def _is_kept() -> sa.ColumnElement[bool]:
    """Old requests go at the next arrival; until then they are not shown."""
    return InboxRequest.received_at > utc_now() - pruning.KEEP_FOR


def _first_of_each_delivery(inbox: Inbox) -> dict[str | None, int]:
    query = (
        sa.select(InboxRequest.delivery_id, sa.func.min(InboxRequest.seq))
        .where(InboxRequest.inbox_id == inbox.id, InboxRequest.delivery_id.is_not(None))
        .group_by(InboxRequest.delivery_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def load(inbox: Inbox, request_id: str) -> InboxRequest:
    """One request of this inbox; raises NotFound, also for one that has run out its days."""
    query = sa.select(InboxRequest).where(InboxRequest.id == request_id, InboxRequest.inbox_id == inbox.id, _is_kept())
    request = db.session.scalar(query)
    if request is None:
        raise NotFound("There is no such request.")
    return request


def previous_of_same_delivery(request: InboxRequest) -> InboxRequest | None:
    """The request before this one that carried the same `webhook-id` to the same inbox."""
    if request.delivery_id is None:
        return None
    query = (
        sa.select(InboxRequest)
        .where(
            InboxRequest.inbox_id == request.inbox_id,
            InboxRequest.delivery_id == request.delivery_id,
            InboxRequest.seq < request.seq,
            _is_kept(),
        )
        .order_by(InboxRequest.seq.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def delivery_of(request: InboxRequest, user: User) -> Delivery | None:
    """The delivery that sent it, when it came from this installation and belongs to this person."""
    if request.delivery_id is None:
        return None
    query = (
        sa.select(Delivery)
        .join(Delivery.webhook)
        .where(Delivery.id == request.delivery_id, Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None))
    )
    return db.session.scalar(query)
