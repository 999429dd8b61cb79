"""The state of the whole installation in a dozen small questions, which cost the same at any number of deliveries."""

from __future__ import annotations

import shutil
import time
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from webapp.config import VERSION, Settings, current
from webapp.delivery import readiness
from webapp.delivery.condition import Beat, Count, Database, Queue, Speed, Survey
from webapp.extensions import bell, db, huey
from webapp.models import Attempt, Delivery, DeliveryState, Event, Upkeep, Webhook, Worker, database_now
from webapp.models.upkeep import PRUNING

COUNTED_TO = 10_000
NEWEST_ATTEMPTS = 2_000
SPEED_OVER = timedelta(minutes=1)
LATENCY_OVER = timedelta(minutes=5)


def survey() -> Survey:
    """Look now."""
    began = time.perf_counter()
    now, settings = database_now(), current()
    disk = shutil.disk_usage(settings.instance)
    unserved, behind = readiness.oldest_due()
    found: dict[str, Any] = {
        "workers": _workers(),
        "events_waiting": _at_most(sa.select(Event.seq).where(Event.fanned_out_at.is_(None))),
        "oldest_event_at": readiness.oldest_event(),
        "states": {state.value: _in_state(state) for state in DeliveryState},
        "oldest_due_at": unserved,
        "oldest_behind_at": behind,
        "speed": _speed(now),
        "pruned_at": db.session.scalar(sa.select(Upkeep.done_at).where(Upkeep.name == PRUNING)),
    }
    return Survey(
        now=now,
        version=VERSION,
        database=_database((time.perf_counter() - began) * 1000),
        queue=_queue(settings),
        disk_free=disk.free,
        disk_size=disk.total,
        open_targets=tuple(settings.allow_targets),
        open_ranges=tuple(settings.allow_cidrs),
        base_url=settings.base_url,
        **found,
    )


def _workers() -> tuple[Beat, ...]:
    rows = db.session.scalars(sa.select(Worker).order_by(Worker.host, Worker.pid))
    return tuple(
        Beat(row.id, row.host, row.pid, row.threads, row.version, row.started_at, row.beat_at, row.base_url)
        for row in rows
    )


def _in_state(state: DeliveryState) -> Count:
    """By webhook, since that is what the index of states begins with."""
    of_any = Delivery.webhook_id.in_(sa.select(Webhook.id))
    return _at_most(sa.select(Delivery.seq).where(of_any, Delivery.state == state))


def _at_most(query: sa.Select[Any]) -> Count:
    """How many rows there are; nobody looks further than COUNTED_TO."""
    some = query.limit(COUNTED_TO + 1).subquery()
    number = db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return Count(min(number, COUNTED_TO), number > COUNTED_TO)


def _speed(now: datetime) -> Speed:
    """From the newest attempts alone: in a busy minute they are a part of it, and the rate is taken over that part."""
    newest = sa.select(Attempt.claimed_at, Attempt.total_ms, Attempt.finished_at).order_by(Attempt.seq.desc())
    rows = [row for row in db.session.execute(newest.limit(NEWEST_ATTEMPTS)) if row.finished_at is not None]
    recent = [row.claimed_at for row in rows if now - row.claimed_at <= SPEED_OVER]
    is_all = len(recent) < len(rows) or len(rows) < NEWEST_ATTEMPTS
    span = SPEED_OVER if is_all or not recent else max(now - min(recent), timedelta(seconds=1))
    spans = sorted(row.total_ms for row in rows if row.total_ms is not None and now - row.claimed_at <= LATENCY_OVER)
    return Speed(len(recent) / span.total_seconds(), _percentile(spans, 0.5), _percentile(spans, 0.95))


def _percentile(ordered: list[float], share: float) -> float | None:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


def _database(took_ms: float) -> Database:
    connection = db.session.connection()
    version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    if connection.dialect.name == "sqlite":
        pages, page_size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
        )
        return Database("SQLite", version, pages * page_size, took_ms)
    size = db.session.scalar(sa.select(sa.func.pg_database_size(sa.func.current_database()))) or 0
    return Database("PostgreSQL", version, size, took_ms)


def _queue(settings: Settings) -> Queue:
    kind = settings.queue_url.partition(":")[0]
    try:
        waiting: int | None = huey.storage.queue_size()
    except Exception:  # noqa: BLE001 - whatever the queue's library raises, the page says that it cannot be reached
        waiting = None
    return Queue(kind, waiting, bell.lost)
