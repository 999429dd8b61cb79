"""What people do with inboxes: make one, say what it answers and which secret it checks with, empty it, delete it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Inbox, InboxRequest, Invalid, NotFound, User, Webhook, transaction, utc_now
from webapp.models.texts import NAME_LENGTH, one_line
from webapp.receiver import checking
from webapp.receiver.answers import Answer
from webapp.receiver.checking import Choice, Source
from webapp.receiver.pruning import KEEP_FOR

TOKEN_BYTES = 16  # 128 random bits
MAX_INBOXES = 50  # of one person


@dataclass(frozen=True)
class Listed:
    """An inbox as the list shows it: how many requests it keeps, and when the last one came."""

    inbox: Inbox
    requests: int
    last_at: datetime | None


def of(user: User) -> list[Listed]:
    """The inboxes of a person, newest first."""
    kept = sa.and_(InboxRequest.inbox_id == Inbox.id, InboxRequest.received_at > utc_now() - KEEP_FOR)
    query = (
        sa.select(Inbox, sa.func.count(InboxRequest.seq), sa.func.max(InboxRequest.received_at))
        .outerjoin(InboxRequest, kept)
        .where(Inbox.user_id == user.id)
        .group_by(Inbox.id)
        .order_by(Inbox.created_at.desc(), Inbox.id.desc())
    )
    return [Listed(inbox, requests, last_at) for inbox, requests, last_at in db.session.execute(query)]


def load(user: User, inbox_id: str) -> Inbox:
    """One inbox of this person; raises NotFound, also for somebody else's."""
    return _load(db.session(), user, inbox_id)


def _load(session: Session, user: User, inbox_id: str) -> Inbox:
    inbox = session.get(Inbox, inbox_id)
    if inbox is None or inbox.user_id != user.id:
        raise NotFound("There is no such inbox.")
    return inbox


def create(name: str, *, by: User) -> Inbox:
    """A new inbox with an address that nobody can guess; without a name it is "Inbox 1" and so on. Raises Invalid."""
    name = one_line("name", name, longest=NAME_LENGTH)
    with transaction() as session:
        count = session.scalar(sa.select(sa.func.count()).where(Inbox.user_id == by.id)) or 0
        if count >= MAX_INBOXES:
            raise Invalid("name", "You have %(count)s inboxes already. Delete one first.", count=count)
        inbox = Inbox(user_id=by.id, name=name or f"Inbox {count + 1}", token=secrets.token_urlsafe(TOKEN_BYTES))
        session.add(inbox)
    return inbox


def answer_with(inbox_id: str, answer: Answer, *, by: User) -> None:
    """From now on this inbox answers so. Raises NotFound, or Invalid with the fields that break a rule."""
    answer.check()
    with transaction() as session:
        inbox = _load(session, by, inbox_id)
        inbox.answer_status = answer.status
        inbox.answer_delay_ms = answer.delay_ms
        inbox.answer_retry_after_s = answer.retry_after_s
        inbox.answer_body = answer.body
        inbox.hangs_up = answer.hangs_up


def check_with(inbox_id: str, choice: Choice, *, by: User) -> None:
    """Say where the secret comes from that signatures are checked with. A typed secret left empty keeps the one before.

    Raises NotFound, or Invalid on `webhook_id` or `secret`.
    """
    choice.check()
    with transaction() as session:
        inbox = _load(session, by, inbox_id)
        if choice.source is Source.WEBHOOK:
            _require_own(session, choice.webhook_id, by)
        typed = choice.secret or inbox.own_secret
        if choice.source is Source.TYPED and not typed:
            raise Invalid("secret", "Type the secret that the sender signs with.")
        inbox.webhook_id = choice.webhook_id if choice.source is Source.WEBHOOK else None
        inbox.own_secret = checking.kept_text(choice.source, typed)


def _require_own(session: Session, webhook_id: str, by: User) -> None:
    webhook = session.get(Webhook, webhook_id)
    if webhook is None or webhook.created_by_id != by.id or webhook.deleted_at:
        raise Invalid("webhook_id", "Choose one of your webhooks.")


def clear(inbox_id: str, *, by: User) -> int:
    """Forget all requests of an inbox; returns how many. Raises NotFound."""
    with transaction() as session:
        inbox = _load(session, by, inbox_id)
        gone = session.execute(sa.delete(InboxRequest).where(InboxRequest.inbox_id == inbox.id))
        return gone.rowcount  # type: ignore[attr-defined, no-any-return]


def delete(inbox_id: str, *, by: User) -> None:
    """Delete an inbox with all that arrived; its address answers 404 from now on. Raises NotFound."""
    with transaction() as session:
        session.delete(_load(session, by, inbox_id))
