"""Section `backlog`: the worker's memory while much waits, and the page of the log before and after."""

from __future__ import annotations

import time

import sqlalchemy as sa

from webapp.accounts.sign_in import ticket
from webapp.benchmark.asking import Connection
from webapp.benchmark.figures import Figure, Targets, percentile
from webapp.benchmark.publishing import publish
from webapp.benchmark.stage import Stage
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event

WAITING = 50_000
CHUNK = 1_000  # events of a transaction
PATH = "/after/5000/backlog"  # slow enough that nearly all wait
PAGES = 15
SETTLED_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """Let deliveries pile up behind a slow receiver, as many as come about in the time."""
    place = stage.place([PATH])
    before = _log_page(stage, "log.before")
    deadline, published = time.monotonic() + seconds, 0
    while published < WAITING and time.monotonic() < deadline:
        publish(stage, place, CHUNK)
        published += CHUNK
    while _count(Event.fanned_out_at.is_(None)) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
    waiting = _count(Delivery.state == DeliveryState.PENDING)
    memory = Figure(
        "worker.memory_backlog",
        "memory of the worker while many wait, at most",
        stage.worker.peak_mb(),
        "MB",
        at_most=targets.memory_mb,
        note=f"{waiting:,} deliveries waited",
    )
    after = _log_page(stage, "log.after")
    stage.clear(place)
    stage.wait_until_settled(SETTLED_WITHIN_S)
    return [memory, before, after]


def _count(condition: sa.ColumnElement[bool]) -> int:
    count = db.session.scalar(sa.select(sa.func.count()).where(condition)) or 0
    db.session.rollback()
    return count


def _log_page(stage: Stage, name: str) -> Figure:
    """The first page of the log, as the web process answers it to a browser."""
    rows = db.session.scalar(sa.select(sa.func.count()).select_from(Delivery)) or 0
    page = Connection(stage.web_port, {"Cookie": _cookie(stage)})
    spans = []
    for _ in range(PAGES):
        began = time.perf_counter()
        page.ask("GET", "/deliveries")
        spans.append((time.perf_counter() - began) * 1000)
    page.close()
    label = f"page of the log, {rows:,} deliveries"
    return Figure(name, label, percentile(spans, 50), "ms", note=f"median of {PAGES}")


def _cookie(stage: Stage) -> str:
    """A session as signing in makes it."""
    app = stage.app
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    text = signer.dumps({"_user_id": ticket(stage.person), "_fresh": True})
    db.session.rollback()
    return f"{app.config['SESSION_COOKIE_NAME']}={text}"
