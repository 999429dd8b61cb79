"""An installation with as many deliveries as somebody wants to measure with, written by a few statements."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp import config, create_app
from webapp.delivery import counting
from webapp.extensions import db
from webapp.models import Base, Event, User, Webhook, transaction, utc_now
from webapp.models.base import table_of

SPAN = timedelta(days=29)
EVENT_TYPES = ("TODO_CREATED", "TODO_NAME_CHANGED", "TODO_MOVED", "COMMENT_CREATED")

# One of fifty has failed for good, one of a hundred waits for its next attempt; all others succeeded at once.
DELIVERIES = """
INSERT INTO delivery (id, kind, webhook_id, event_seq, snapshot_seq, event_type, project_id, payload_format, state,
                      next_attempt_at, attempts_counted, attempts_made, last_status, last_ms, claim_token, claims,
                      created_at, settled_at)
SELECT 'dlv_' || w.id || '_' || e.seq, 'event', w.id, e.seq, w.snapshot_seq, e.type, e.project_id, 'full',
       CASE WHEN e.seq % 50 = 0 THEN 'failed' WHEN e.seq % 100 = 7 THEN 'pending' ELSE 'succeeded' END,
       CASE WHEN e.seq % 100 = 7 AND e.seq % 50 <> 0 THEN :later END, 1, 1,
       CASE WHEN e.seq % 50 = 0 OR e.seq % 100 = 7 THEN 503 ELSE 200 END, 20 + (e.seq * 7919) % 60, 1, 0,
       e.created_at, CASE WHEN e.seq % 100 <> 7 THEN e.created_at END
FROM event e CROSS JOIN webhook w ORDER BY e.seq
"""
ATTEMPTS = """
INSERT INTO attempt (id, delivery_seq, number, claim_token, worker, claimed_at, started_at, finished_at, is_late, url,
                     request_headers, status, is_cut, total_ms)
SELECT 'att_' || seq, seq, 1, 1, 'bench:1', created_at, created_at, created_at, FALSE, 'https://example.com/hooks',
       '[]', last_status, FALSE, last_ms
FROM delivery
"""


@dataclass(frozen=True)
class Filled:
    """What was made, and whose webhooks they are."""

    app: Flask
    user: User
    webhooks: list[Webhook]
    deliveries: int


@contextmanager
def filled(*, deliveries: int, webhooks: int) -> Iterator[Filled]:
    """An application on a new SQLite database with so many deliveries of so many webhooks of one person."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WEBAPP_INSTANCE"], os.environ["WEBAPP_QUEUE_URL"] = folder, "memory://"
        app = create_app(config.load(database_url=f"sqlite:///{Path(folder) / 'app.db'}"))
        app.testing = True
        app.config["WTF_CSRF_ENABLED"] = False
        with app.app_context():
            Base.metadata.create_all(db.engine)
            yield _fill(app, deliveries, webhooks)
            db.session.remove()
            db.engine.dispose()


def measure(take: Any, times: int = 7) -> float:
    """How long a call takes, in ms: the shortest of a few after one that warms up, as others use the machine, too."""
    take()
    spans = []
    for _ in range(times):
        began = time.perf_counter()
        take()
        spans.append(time.perf_counter() - began)
    return min(spans) * 1000


def _fill(app: Flask, deliveries: int, count: int) -> Filled:
    make = Make()
    user = make.user(name="Bench")
    project = make.project(owner=user)
    webhooks = [make.webhook(by=user, name=f"Webhook {number:03}") for number in range(count)]
    now, events = utc_now(), deliveries // count
    rows = [
        {
            "id": f"evt_{number}",
            "type": EVENT_TYPES[number % len(EVENT_TYPES)],
            "project_id": project.id,
            "company_id": project.company_id,
            "current_value": b"{}",
            "created_at": now - SPAN + SPAN * number / events,
            "fanned_out_at": now,
        }
        for number in range(events)
    ]
    with transaction() as session:
        session.connection().execute(sa.insert(table_of(Event)), rows)
        session.connection().exec_driver_sql(
            DELIVERIES, {"later": (now + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")}
        )
        session.connection().exec_driver_sql(ATTEMPTS)
        counting.count_past(session.connection())
        session.connection().exec_driver_sql("ANALYZE")
    return Filled(app, user, webhooks, events * count)
