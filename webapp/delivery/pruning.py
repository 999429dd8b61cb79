"""Pruning: what has had its days goes, in small batches with pauses, so that sending goes on undisturbed.

Nothing unfinished ever goes, however old: no pending delivery, none in flight, none that somebody wants again, and no
event that has such a delivery or waits for its fan-out. Held deliveries age out like settled ones. The audit log stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from webapp.config import current
from webapp.delivery import heartbeats, totalling
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryState,
    EndedSession,
    Event,
    FailedSignIn,
    IdempotencyKey,
    InboxRequest,
    Invitation,
    Notice,
    OneTimeLink,
    RecordImport,
    Redelivery,
    Replay,
    Upkeep,
    Webhook,
    WebhookHour,
    WebhookSnapshot,
    Worker,
    database_now,
    transaction,
)
from webapp.models.base import table_of
from webapp.models.upkeep import PRUNING

log = logging.getLogger(__name__)

MAX_ROWS = 1_000  # that one transaction deletes, attempts included
FIRST_ROWS = 100
LEAST_ROWS = 50
HOLDS_LOCK_S = 0.004  # how long a batch should keep the write lock; the next one is made smaller or larger by it
PAUSE_S = 0.01  # between two batches, and at least
PAUSES_PER_LOCK = 9  # times what the batch took: the lock is ours for a tenth of the time

# Longer than any transaction that read the older one and has not yet written the delivery that names it.
SNAPSHOT_REPLACED_FOR = timedelta(hours=1)
KEYS_FOR = timedelta(hours=24)
FAILED_SIGN_INS_FOR = timedelta(days=1)
ENDED_SESSIONS_FOR = timedelta(days=28)  # twice the longest session
NOTICES_FOR = timedelta(days=30)  # whether sent or not: without mail none ever is
INVITATIONS_SHOWN_FOR = timedelta(days=30)  # after they ended, so that one sees that nobody came
INBOX_REQUESTS_FOR = timedelta(days=7)
FILES_FOR = timedelta(days=1)  # that somebody wanted to import, and did not
IMPORTS_FOR = timedelta(days=30)  # after they ended, with the lines that were refused

_DELIVERY, _EVENT, _WEBHOOK = table_of(Delivery), table_of(Event), table_of(Webhook)
_SNAPSHOT, _REDELIVERY, _REPLAY = table_of(WebhookSnapshot), table_of(Redelivery), table_of(Replay)
_NEWER = _SNAPSHOT.alias("newer")


@dataclass(frozen=True)
class Rule:
    """Rows of one table go when `age` lies further back than `keep` (None: the retention) and all conditions hold."""

    noun: str
    age: sa.Column[Any]
    keep: timedelta | None = None
    conditions: tuple[sa.ColumnElement[bool], ...] = ()
    weight: sa.ColumnElement[int] = field(default_factory=lambda: sa.literal(1))  # rows that go with a row, and itself

    @property
    def table(self) -> sa.Table:
        """Where they lie."""
        table: sa.Table = self.age.table
        return table

    @property
    def key(self) -> tuple[sa.Column[Any], ...]:
        """What names a row."""
        return tuple(self.table.primary_key.columns)


def _none(table: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return ~sa.exists(sa.select(sa.literal(1)).select_from(table).where(*conditions))


# In this order: what names something goes before what it names.
RULES = (
    Rule(
        "deliveries",
        _DELIVERY.c.created_at,
        conditions=(
            _DELIVERY.c.state != DeliveryState.PENDING,
            _DELIVERY.c.next_attempt_at.is_(None),
            _DELIVERY.c.lease_until.is_(None),
            _none(_REDELIVERY, _REDELIVERY.c.delivery_seq == _DELIVERY.c.seq, _REDELIVERY.c.finished_at.is_(None)),
        ),
        weight=_DELIVERY.c.attempts_made + 1,
    ),
    Rule(
        "events",
        _EVENT.c.created_at,
        conditions=(_EVENT.c.fanned_out_at.is_not(None), _none(_DELIVERY, _DELIVERY.c.event_seq == _EVENT.c.seq)),
    ),
    Rule(
        "replays",
        _REPLAY.c.created_at,
        conditions=(sa.or_(_REPLAY.c.finished_at.is_not(None), _REPLAY.c.stopped_at.is_not(None)),),
    ),
    Rule(
        "webhook snapshots",
        _SNAPSHOT.c.created_at,
        keep=SNAPSHOT_REPLACED_FOR,
        conditions=(
            _none(_DELIVERY, _DELIVERY.c.snapshot_seq == _SNAPSHOT.c.seq),
            _none(_WEBHOOK, _WEBHOOK.c.id == _SNAPSHOT.c.webhook_id, _WEBHOOK.c.snapshot_seq == _SNAPSHOT.c.seq),
            ~_none(
                _NEWER,
                _NEWER.c.webhook_id == _SNAPSHOT.c.webhook_id,
                _NEWER.c.seq > _SNAPSHOT.c.seq,
                _NEWER.c.created_at < sa.bindparam("before"),
            ),
        ),
    ),
    Rule(
        "deleted webhooks",
        _WEBHOOK.c.deleted_at,
        conditions=(_none(_DELIVERY, _DELIVERY.c.webhook_id == _WEBHOOK.c.id),),
    ),
    Rule("webhook hours", table_of(WebhookHour).c.hour_at),
    Rule("notices", table_of(Notice).c.created_at, keep=NOTICES_FOR),
    Rule("idempotency keys", table_of(IdempotencyKey).c.created_at, keep=KEYS_FOR),
    Rule("failed sign-ins", table_of(FailedSignIn).c.at, keep=FAILED_SIGN_INS_FOR),
    Rule("ended sessions", table_of(EndedSession).c.ended_at, keep=ENDED_SESSIONS_FOR),
    Rule("one-time links", table_of(OneTimeLink).c.expires_at, keep=timedelta()),
    Rule("invitations", table_of(Invitation).c.expires_at, keep=INVITATIONS_SHOWN_FOR),
    Rule("inbox requests", table_of(InboxRequest).c.received_at, keep=INBOX_REQUESTS_FOR),
    Rule(
        "files",
        table_of(RecordImport).c.created_at,
        keep=FILES_FOR,
        conditions=(table_of(RecordImport).c.started_at.is_(None),),
    ),
    Rule("imports", table_of(RecordImport).c.finished_at, keep=IMPORTS_FOR),
    Rule("silent workers", table_of(Worker).c.beat_at, keep=heartbeats.FORGOTTEN_AFTER),
)


def prune(*, pause: Callable[[float], object] = time.sleep) -> dict[str, int]:
    """Delete what has had its days; returns how many of what. Many transactions; `pause` gets seconds between them.

    May run while others do the same: each row is deleted, and counted, once.
    """
    totalling.fold()
    retention = timedelta(days=current().retention_days)
    now = database_now()
    counts = {rule.noun: _apply(rule, now - (rule.keep or retention), pause) for rule in RULES}
    _keep_when()
    if any(counts.values()):
        log.info("what had its days was deleted", extra={"count": sum(counts.values())})
    return counts


def _keep_when() -> None:
    """Every worker prunes: two may come to this at once."""
    values = {"name": PRUNING, "done_at": database_now()}
    with transaction() as session:
        insert = (sqlite if session.connection().dialect.name == "sqlite" else postgresql).insert(Upkeep)
        session.execute(insert.values(values).on_conflict_do_update(index_elements=["name"], set_=values))


def candidates(rule: Rule) -> sa.Select[Any]:
    """What may go by a rule, oldest first. Takes `before`, a time."""
    query = sa.select(rule.age.label("age"), rule.weight.label("weight"), *rule.key)
    return query.where(rule.age < sa.bindparam("before"), *rule.conditions).order_by(rule.age, *rule.key)


@dataclass
class _Pace:
    """How many rows a batch has: so many that it keeps the write lock for about HOLDS_LOCK_S."""

    rows: int

    def adapt(self, held_lock_s: float) -> None:
        """Learn from the last batch."""
        if held_lock_s > HOLDS_LOCK_S:
            self.rows = max(self.rows // 2, LEAST_ROWS)
        elif held_lock_s < HOLDS_LOCK_S / 2:
            self.rows = min(self.rows * 2, MAX_ROWS)


def _apply(rule: Rule, before: datetime, pause: Callable[[float], object]) -> int:
    deleted = 0
    pace = _Pace(FIRST_ROWS)
    for keys in _batches(rule, before, pace):
        gone, held_lock_s = _delete(rule, keys, before)
        deleted += gone
        pace.adapt(held_lock_s)
        pause(max(PAUSE_S, held_lock_s * PAUSES_PER_LOCK))
    return deleted


def _batches(rule: Rule, before: datetime, pace: _Pace) -> Iterator[list[tuple[Any, ...]]]:
    """The keys of what may go, as many rows at a time as the pace says. Found without the write lock, each once."""
    place = (rule.age, *rule.key)
    query = candidates(rule)
    while rows := db.session.execute(query.limit(pace.rows), {"before": before}).all():
        batch = _within(rows, pace.rows)
        yield [tuple(row[2:]) for row in batch]
        last = (batch[-1].age, *batch[-1][2:])
        literals = [sa.literal(value, column.type) for value, column in zip(last, place, strict=True)]
        query = candidates(rule).where(rule.age >= literals[0], sa.tuple_(*place) > sa.tuple_(*literals))


def _within(rows: Sequence[Any], most: int) -> Sequence[Any]:
    weight = 0
    for count, row in enumerate(rows):
        weight += row.weight
        if weight > most:
            return rows[: max(count, 1)]
    return rows


def _delete(rule: Rule, keys: list[tuple[Any, ...]], before: datetime) -> tuple[int, float]:
    """Delete those that still may go: how many, and for how many seconds others could not write. One transaction.

    On PostgreSQL rows that somebody else holds are left for the next time, so that nobody waits for us, or we for them.
    """
    still = (
        sa.select(*rule.key)
        .where(_named(rule, keys), rule.age < before, *rule.conditions)
        .with_for_update(skip_locked=True)
    )
    with transaction() as session:
        began = time.monotonic()
        connection = session.connection()
        found = [tuple(row) for row in connection.execute(still, {"before": before})]
        if found:
            connection.execute(sa.delete(rule.table).where(_named(rule, found)))
    return len(found), time.monotonic() - began


def _named(rule: Rule, keys: list[tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    if len(rule.key) == 1:
        return rule.key[0].in_([key[0] for key in keys])
    return sa.tuple_(*rule.key).in_(keys)
