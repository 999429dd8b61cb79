"""Is this installation doing its work? Three checks that turn red, and notes about what only slows it down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.delivery import heartbeats
from webapp.extensions import bell, db
from webapp.models import Delivery, Event, Webhook, WebhookHealth, database_now, utc_now

DATABASE_LIMIT_S = 1.0
WORKER_SILENT_AFTER = timedelta(seconds=25)  # two beats missed; a probe sees it within half a minute
WAITS_AT_MOST = timedelta(seconds=60)
CLOCKS_DIFFER_AT_MOST_S = 30

_IS_WAITING = (
    Delivery.webhook_id == Webhook.id,
    Delivery.next_attempt_at.is_not(None),
    Delivery.lease_until.is_(None),
)
_OLDEST = sa.select(sa.func.min(Delivery.next_attempt_at)).where(*_IS_WAITING).correlate(Webhook).scalar_subquery()
_IN_FLIGHT = sa.exists().where(Delivery.webhook_id == Webhook.id, Delivery.lease_until.is_not(None))
_OLDEST_DUE = (
    sa.select(sa.func.min(_OLDEST)).select_from(Webhook).join(WebhookHealth).where(WebhookHealth.paused_at.is_(None))
)
_OLDEST_EVENT = sa.select(Event.created_at).where(Event.fanned_out_at.is_(None)).order_by(Event.seq).limit(1)


@dataclass(frozen=True)
class Check:
    """One thing that must be so."""

    name: str
    is_ok: bool
    sentence: str


@dataclass(frozen=True)
class Readiness:
    """All checks, and notes about what works but could be better."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether every check is green."""
        return all(check.is_ok for check in self.checks)


def check() -> Readiness:
    """Look now. Never raises for a database that is away, locked or slow."""
    began = time.monotonic()
    try:
        checks = (_worker(), _waiting())
        notes = _notes()
    except (OperationalError, PoolTimeout):
        return Readiness((Check("database", is_ok=False, sentence="The database does not answer."),))
    took = time.monotonic() - began
    is_quick = took <= DATABASE_LIMIT_S
    sentence = f"The database answered within {took * 1000:.0f} ms."
    return Readiness((Check("database", is_quick, sentence), *checks), notes)


def oldest_due() -> tuple[datetime | None, datetime | None]:
    """Since when deliveries wait that nobody serves, and since when those behind a receiver that is being served."""
    unserved, behind = (db.session.scalar(_OLDEST_DUE.where(each)) for each in (~_IN_FLIGHT, _IN_FLIGHT))
    return unserved, behind


def oldest_event() -> datetime | None:
    """Since when an event waits for its fan-out."""
    return db.session.scalar(_OLDEST_EVENT)


def _worker() -> Check:
    if heartbeats.is_any_alive(within=WORKER_SILENT_AFTER):
        return Check("worker", is_ok=True, sentence="A worker runs.")
    return Check("worker", is_ok=False, sentence="No worker runs, so nothing is sent. Start `webapp worker`.")


def _waiting() -> Check:
    """What waits because nobody serves it. Behind a slow receiver of its own a delivery may wait longer."""
    now = database_now()
    moments = [db.session.scalar(_OLDEST_DUE.where(~_IN_FLIGHT)), db.session.scalar(_OLDEST_EVENT)]
    waited = max((now - moment for moment in moments if moment is not None), default=timedelta(0))
    seconds = max(0, round(waited.total_seconds()))
    return Check("waiting", waited <= WAITS_AT_MOST, f"The oldest delivery that is due has waited {seconds} s.")


def _notes() -> tuple[str, ...]:
    notes = []
    busy: datetime | None = db.session.scalar(_OLDEST_DUE.where(_IN_FLIGHT))
    if busy is not None and database_now() - busy > WAITS_AT_MOST:
        notes.append("A receiver is slower than its events come in; its deliveries wait for one another.")
    apart_s = round(abs((database_now() - utc_now()).total_seconds()))
    if apart_s > CLOCKS_DIFFER_AT_MOST_S:
        notes.append(f"The clocks of this machine and of the database are {apart_s} s apart. Run NTP.")
    if bell.lost:
        notes.append(
            f"The queue could not be reached {bell.lost} times since this process began; workers look each second."
        )
    return tuple(notes)
