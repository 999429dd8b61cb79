"""Installations of any size, filled step by step: what was begun goes on where it ended, on SQLite or PostgreSQL.

Fifty webhooks in twenty projects; each event goes to five of them. Nine of ten deliveries succeed at once, most others
with the second attempt, a few fail for good, and about a thousand wait for their next attempt, whatever the size. Every
tenth was sent again by one of three replays.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp import config, create_app, upgrading
from webapp.delivery import counting
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryState,
    Event,
    Project,
    Replay,
    User,
    Webhook,
    WebhookHour,
    transaction,
    utc_now,
)
from webapp.models.base import WRITE_OPTION, table_of

WEBHOOKS, PROJECTS, PER_EVENT, REPLAYS = 50, 20, 5, 3
SPAN = timedelta(days=29)
CHUNK = 10_000  # events of one transaction
WAITING_AMONG = 20_000  # deliveries, the newest ones
EVENT_TYPES = ("TODO_CREATED", "TODO_NAME_CHANGED", "TODO_MOVED", "COMMENT_CREATED", "TODO_DONE_STATUS_UPDATED")
VALUE = json.dumps(
    {"id": "clb4zna6x0000vt1swuwso25f", "title": "Call Ada about the analytical engine", "note": "x" * 150}
)
SENT = json.dumps([["Content-Type", "application/json"], ["X-Signature", "0" * 64],
                   ["webhook-signature", "v1," + "0" * 44],
                   ["webhook-id", "dlv_c" + "0" * 24], ["User-Agent", "Blue-Webhooks/0.1.0"]])  # fmt: skip
ANSWERED = json.dumps([["Content-Type", "text/plain"], ["Date", "Sun, 29 Nov 2026 02:00:00 GMT"], ["Server", "nginx"]])

_LOT = "(e.seq * 7919 + n.number * 131) % 1000"
DELIVERIES = f"""
INSERT INTO delivery (id, kind, webhook_id, event_seq, snapshot_seq, event_type, project_id, payload_format, state,
                      next_attempt_at, attempts_counted, attempts_made, last_status, last_error, last_ms, claim_token,
                      claims, created_at, settled_at)
SELECT 'dlv_g' || CAST(1000000000 + e.seq * 64 + n.number AS VARCHAR(20)), 'event', w.id, e.seq, w.snapshot_seq, e.type,
       e.project_id, 'full',
       CASE WHEN :total - e.seq < :waiting AND {_LOT} < 50 THEN 'pending' WHEN {_LOT} < 20 THEN 'failed'
            WHEN {_LOT} < 21 THEN 'cancelled' WHEN {_LOT} < 22 THEN 'held' ELSE 'succeeded' END,
       CASE WHEN :total - e.seq < :waiting AND {_LOT} < 50 THEN CAST(:later AS {{moment}}) END,
       CASE WHEN {_LOT} < 20 THEN 3 WHEN {_LOT} < 100 THEN 2 ELSE 1 END,
       CASE WHEN {_LOT} < 20 THEN 3 WHEN {_LOT} < 100 THEN 2 ELSE 1 END,
       CASE WHEN {_LOT} < 10 THEN NULL WHEN {_LOT} < 50 THEN 503 ELSE 200 END,
       CASE WHEN {_LOT} < 10 THEN 'timed_out' END, 20 + (e.seq * 7919) % 60, 1, 0, e.created_at,
       CASE WHEN :total - e.seq < :waiting AND {_LOT} < 50 THEN NULL ELSE e.created_at END
FROM event e JOIN (SELECT id, CAST(substr(name, 9) AS INTEGER) AS number FROM webhook) n ON n.number % 10 = e.seq % 10
JOIN webhook w ON w.id = n.id
WHERE e.seq > :first AND e.seq <= :last ORDER BY e.seq
"""
ATTEMPTS = """
INSERT INTO attempt (id, delivery_seq, number, claim_token, worker, claimed_at, started_at, finished_at, is_late, url,
                     request_headers, status, error, is_cut, response_headers, response_body, total_ms)
SELECT 'att_' || substr(d.id, 5) || '_' || n.number, d.seq, n.number, 1, 'bench:1', d.created_at, d.created_at,
       d.created_at, FALSE, 'https://example.com/hooks', :sent,
       CASE WHEN n.number < d.attempts_made THEN 503 ELSE d.last_status END,
       CASE WHEN n.number < d.attempts_made THEN NULL ELSE d.last_error END, FALSE, :answered, :body, d.last_ms
FROM delivery d JOIN (SELECT 1 AS number UNION ALL SELECT 2 UNION ALL SELECT 3) n ON n.number <= d.attempts_made
WHERE d.event_seq > :first AND d.event_seq <= :last ORDER BY d.seq, n.number
"""
WISHES = """
INSERT INTO redelivery (id, delivery_seq, replay_seq, requested_at, finished_at)
SELECT 'r' || d.id, d.seq, 1 + d.seq % :replays, d.created_at, d.created_at FROM delivery d
WHERE d.event_seq > :first AND d.event_seq <= :last AND d.seq % 10 = 0 ORDER BY d.seq
"""


@dataclass(frozen=True)
class Grown:
    """An installation of a size, and whose webhooks they are."""

    app: Flask
    user: User
    webhooks: list[Webhook]
    projects: list[Project]
    deliveries: int


@contextmanager
def grown(database_url: str, folder: Path, *, deliveries: int, seconds: float) -> Iterator[Grown | None]:
    """The application with so many deliveries, its context open; None when the seconds did not suffice to fill it."""
    os.environ["WEBAPP_INSTANCE"], os.environ["WEBAPP_QUEUE_URL"] = str(folder), "memory://"
    app = create_app(config.load(database_url=database_url))
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False
    upgrading.bring_up_to_date(app)
    with app.app_context():
        user = db.session.scalar(sa.select(User)) or _people()
        until = time.monotonic() + seconds
        is_full = False
        while time.monotonic() < until and not is_full:
            is_full = not _fill_chunk(deliveries // PER_EVENT)
        if is_full:
            _analyze()
        db.session.rollback()
        webhooks = list(db.session.scalars(sa.select(Webhook).order_by(Webhook.name)))
        projects = list(db.session.scalars(sa.select(Project).order_by(Project.name)))
        yield Grown(app, user, webhooks, projects, deliveries) if is_full else None
        db.session.remove()
        db.engine.dispose()


def _people() -> User:
    make = Make()
    user = make.user(name="Bench")
    company = make.company(user)
    projects = [make.project(owner=user, company=company, name=f"Project {number:03}").id for number in range(PROJECTS)]
    for number in range(WEBHOOKS):  # two projects each, so that an event of any project goes to five
        wanted = [projects[(2 * number + each) % PROJECTS] for each in range(2)]
        make.webhook(by=user, name=f"Webhook {number:03}", created_at=utc_now() - SPAN, project_ids=wanted)
    _make_ended_replays()
    _count_hours()
    return user


def _make_ended_replays() -> None:
    webhook_id = db.session.scalars(sa.select(Webhook.id).order_by(Webhook.name)).first()
    row = {"webhook_id": webhook_id, "chosen": {}, "total": 0, "finished_at": utc_now()}
    with transaction() as session:
        session.execute(sa.insert(Replay), [row] * REPLAYS)


def _count_hours() -> None:
    """As if these attempts had been recorded: as many rows as there are hours and webhooks, whatever the size."""
    first = counting.hour_of(utc_now() - SPAN)
    hours = [first + timedelta(hours=number) for number in range(int(SPAN.total_seconds() // 3600))]
    ids = list(db.session.scalars(sa.select(Webhook.id)))
    rows = [
        {"webhook_id": webhook, "hour_at": hour, "outcome": outcome, "bucket": bucket, "attempts": count,
         "deliveries": count, "first_at": hour, "last_at": hour}
        for webhook in ids for hour in hours
        for outcome, bucket, count in (("2xx", 18, 100), ("2xx", 22, 40), ("503", 18, 5), ("timed_out", 40, 1))
    ]  # fmt: skip
    with transaction() as session:
        session.connection().execute(sa.insert(table_of(WebhookHour)), rows)


def _fill_chunk(total: int) -> bool:
    """Write the next events with their deliveries and attempts; whether there were any left to write."""
    first = db.session.scalar(sa.select(sa.func.max(Event.seq))) or 0
    last = min(first + CHUNK, total)
    if first >= last:
        return False
    project_ids = list(db.session.scalars(sa.select(Project.id).order_by(Project.name)))
    company_id = db.session.scalar(sa.select(Project.company_id).limit(1))
    began = _began_at()
    rows = [
        {
            "id": f"evt_g{1_000_000_000 + seq}",
            "type": EVENT_TYPES[seq % len(EVENT_TYPES)],
            "project_id": project_ids[seq // 3 % PROJECTS],
            "company_id": company_id,
            "record_id": f"record{seq % 10_000}",
            "current_value": VALUE.encode(),
            "created_at": began + SPAN * seq / total,
            "fanned_out_at": began + SPAN * seq / total,
        }
        for seq in range(first + 1, last + 1)
    ]
    db.session.rollback()
    with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection, connection.begin():
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off")
        connection.execute(sa.insert(table_of(Event)), rows)
        later = utc_now() + timedelta(days=3)
        span = {"first": first, "last": last}
        values = {**span, "total": total, "waiting": WAITING_AMONG // PER_EVENT, "later": later.isoformat(" ")[:26]}
        deliveries = DELIVERIES.format(moment="TEXT" if is_sqlite else "TIMESTAMP WITH TIME ZONE")
        connection.execute(sa.text(deliveries), values)
        connection.execute(
            sa.text(ATTEMPTS if is_sqlite else ATTEMPTS.replace(":sent", "CAST(:sent AS JSON)").replace(
                ":answered", "CAST(:answered AS JSON)")),
            {**span, "sent": SENT, "answered": ANSWERED, "body": b"thank you"},
        )  # fmt: skip
        connection.execute(sa.text(WISHES), {**span, "replays": REPLAYS})
    return True


def _began_at() -> datetime:
    """When the past of this installation began: as old as its webhooks."""
    began: datetime = db.session.scalar(sa.select(sa.func.min(Webhook.created_at)))
    return began


def _analyze() -> None:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("ANALYZE")


def rest() -> None:
    """Nothing is due: what a measurement that was broken off left behind is settled."""
    soon = utc_now() + timedelta(days=1)
    left = sa.or_(Delivery.next_attempt_at < soon, Delivery.lease_until.is_not(None))
    with transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(left)
            .values(state=DeliveryState.SUCCEEDED, next_attempt_at=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
