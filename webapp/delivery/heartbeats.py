"""Heartbeats: each worker process says every few seconds that it lives, so that pages can say when none does."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import sqlalchemy as sa

from webapp.config import VERSION, current
from webapp.extensions import db
from webapp.models import Worker, database_now, transaction

EVERY_S = 10.0
SILENT_AFTER = timedelta(seconds=60)  # then a worker counts as dead
FORGOTTEN_AFTER = timedelta(days=1)


def beat(name: str, *, threads: int) -> None:
    """Say that this worker lives. One transaction."""
    with transaction() as session:
        now = database_now()
        row = session.get(Worker, name)
        if row is None:
            row = Worker(
                id=name,
                host=socket.gethostname(),
                pid=os.getpid(),
                threads=threads,
                version=VERSION,
                base_url=current().base_url,
                started_at=now,
            )
            session.add(row)
        row.beat_at = now
        session.execute(sa.delete(Worker).where(Worker.beat_at < now - FORGOTTEN_AFTER))


def sign_off(name: str) -> None:
    """Say that this worker has stopped properly. One transaction."""
    with transaction() as session:
        session.execute(sa.delete(Worker).where(Worker.id == name))


def is_any_alive(within: timedelta = SILENT_AFTER) -> bool:
    """Whether at least one worker lives: it beat `within` the last while."""
    alive = sa.select(Worker.id).where(Worker.beat_at > database_now() - within).limit(1)
    return db.session.execute(alive).first() is not None
