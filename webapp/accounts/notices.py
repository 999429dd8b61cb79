"""Notices by mail: rows that are owed until the mail server took them. Without one they stay on the pages alone.

A mail may arrive twice when a worker dies between handing it over and recording that; it never gets lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from webapp.accounts import links
from webapp.accounts.letters import domain, letter
from webapp.accounts.mailing import Connection, MailFailed, MailRefused
from webapp.config import Settings, current
from webapp.extensions import db
from webapp.models import Notice, NoticeTemplate, User, database_now, transaction

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=1)  # after the first failure; doubling
LONGEST_WAIT = timedelta(hours=1)
MAX_DOUBLINGS = 10  # more than the longest wait needs
GIVEN_UP_AFTER = timedelta(days=3)
STALE_AFTER = timedelta(days=1)  # one that was never tried by then (there was no mail server) is not sent any more
BATCH = 50
LEASE = timedelta(minutes=15)  # in which a batch is handed over; then another worker tries
MAX_ERROR_LENGTH = 500  # characters
STALE = "too old when a mail server was there"


def owe(user: User, template: NoticeTemplate, values: Mapping[str, Any]) -> Notice:
    """Owe this person a mail, inside the caller's transaction(). Its values are described in NoticeTemplate."""
    notice = Notice(user_id=user.id, template=NoticeTemplate(template), values=dict(values))
    db.session.add(notice)
    return notice


def send_due() -> int:
    """Send what is due; returns how many mails the server took. Never raises for what the network or a mail does.

    Two at once never send the same one. Several transactions; none is open while the network is used.
    """
    settings = current()
    if settings.mail_server is None:
        return 0
    sent = 0
    while claimed := _claim():
        sent += _send(claimed, settings)
    return sent


@dataclass(frozen=True)
class _Claim:
    """A notice that is ours until the lease runs out, with its mail; None when none could be written."""

    seq: int
    number: int  # of the attempt, which names the claim, too
    message: EmailMessage | None
    give_up_at: datetime


def _claim() -> list[_Claim]:
    with transaction() as session:
        now = database_now()
        due = sa.select(Notice).where(Notice.next_attempt_at <= now).order_by(Notice.next_attempt_at, Notice.seq)
        notices = session.scalars(due.limit(BATCH).with_for_update(skip_locked=True)).all()
        for notice in notices:
            if notice.attempts_made == 0 and notice.created_at < now - STALE_AFTER:
                notice.next_attempt_at, notice.last_error = None, STALE
            else:
                notice.attempts_made += 1
                notice.next_attempt_at = now + LEASE
    return [
        _Claim(notice.seq, notice.attempts_made, _message(notice), notice.created_at + GIVEN_UP_AFTER)
        for notice in notices
        if notice.next_attempt_at
    ]


def _message(notice: Notice) -> EmailMessage | None:
    try:
        addressed = links.addressed(notice)
        return letter(notice, addressed.to, token=addressed.token) if addressed else None
    except Exception:
        log.exception("a mail could not be written", extra={"notice": notice.seq, "template": notice.template})
        return None


def _send(claimed: Sequence[_Claim], settings: Settings) -> int:
    """Hand them over, and write down how each went. When the server goes away, the rest has failed with it."""
    assert settings.mail_server is not None  # noqa: S101 - a fact for the type checker
    sent = 0
    waiting = list(claimed)
    db.session.rollback()  # no connection is held while the network is used
    try:
        with Connection(settings.mail_server, name=domain(settings), ca_file=settings.ca_file) as connection:
            while waiting:
                sent += _hand_over(waiting[0], connection)
                waiting.pop(0)
    except MailFailed as error:
        log.warning("the mail server cannot be used, trying again later: %s", _one_line(str(error)))
        for claim in waiting:
            _failed(claim, str(error))
    return sent


def _hand_over(claim: _Claim, connection: Connection) -> bool:
    """Whether the server took it. Raises MailFailed when there is no use in going on."""
    if claim.message is None:
        _settle(claim, next_attempt_at=None, last_error="it could not be written")
        return False
    try:
        connection.send(claim.message)
    except MailRefused as error:
        log.warning("a mail was refused for good", extra={"notice": claim.seq})
        _settle(claim, next_attempt_at=None, last_error=str(error))
        return False
    except MailFailed as error:
        if error.is_server_down:
            raise
        _failed(claim, str(error))
        return False
    _settle(claim, next_attempt_at=None, sent_at=database_now(), last_error=None)
    return True


def _failed(claim: _Claim, error: str) -> None:
    next_at = database_now() + wait_after(claim.number)
    _settle(claim, next_attempt_at=next_at if next_at < claim.give_up_at else None, last_error=error)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: a minute, doubling to an hour."""
    return min(FIRST_WAIT * (1 << min(attempts - 1, MAX_DOUBLINGS)), LONGEST_WAIT)


def _settle(claim: _Claim, **values: Any) -> None:
    """Write down how it went, unless another worker has it by now."""
    with transaction() as session:
        notice = session.get(Notice, claim.seq)
        if notice is None or notice.attempts_made != claim.number:
            return
        for name, value in values.items():
            setattr(notice, name, value)
        if notice.last_error:
            notice.last_error = notice.last_error[:MAX_ERROR_LENGTH]


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)[:MAX_ERROR_LENGTH]
