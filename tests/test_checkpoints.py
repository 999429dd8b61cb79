"""The write-ahead log is copied into the database beside all work, and never grows without end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from tests.receiver import wait_until
from webapp.extensions import db
from webapp.models import User, checkpoints, transaction
from webapp.models.checkpoints import Checkpointer, Made

PAGE_BYTES = 4096


@pytest.fixture
def reader(app: Flask) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as connection:
        yield connection


def log_pages() -> int:
    return Path(f"{db.engine.url.database}-wal").stat().st_size // PAGE_BYTES


def write(user: User, times: int = 1) -> None:
    for number in range(times):
        with transaction() as session:
            session.execute(sa.update(User).where(User.id == user.id).values(name=f"Name {number}"))


def test_a_checkpoint_empties_the_log_while_the_application_is_open(make: Make) -> None:
    write(make.user(), 20)
    assert checkpoints.checkpoint().is_complete
    before = log_pages()
    write(make.user(), 1)  # writes where the log begins
    assert log_pages() == before


def test_what_somebody_still_reads_stays_and_is_copied_later(make: Make, reader: sqlite3.Connection) -> None:
    user = make.user()
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM user").fetchone()
    write(user, 5)
    assert not checkpoints.checkpoint().is_complete
    reader.execute("COMMIT")
    assert checkpoints.checkpoint().is_complete


def test_a_log_that_is_too_long_begins_anew(
    make: Make, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "LONG_PAGES", 10)
    user = make.user()
    write(user, 20)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM user").fetchone()
    assert checkpoints.checkpoint().is_complete
    reader.execute("COMMIT")
    before = log_pages()
    write(user, 3)
    assert log_pages() == before
    with transaction() as session:
        assert session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_the_worker_does_it_by_itself(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    real: Callable[..., Made] = checkpoints.checkpoint
    monkeypatch.setattr(checkpoints, "EVERY_S", 0.01)

    def noted(**asked: bool) -> Made:
        done.append(real(**asked))
        return done[-1]

    monkeypatch.setattr(checkpoints, "checkpoint", noted)
    running = Checkpointer(app)
    running.start()
    wait_until(lambda: len(done) >= 2)
    running.stop()
    assert all(made.is_complete for made in done)


def test_while_somebody_reads_for_long_writers_are_kept_waiting_once_not_each_time(
    app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def in_vain(*, may_wait: bool) -> Made:
        asked.append(may_wait)
        return Made(is_complete=False, has_waited_in_vain=may_wait)

    monkeypatch.setattr(checkpoints, "EVERY_S", 0.01)
    monkeypatch.setattr(checkpoints, "checkpoint", in_vain)
    checkpointer = Checkpointer(app)
    checkpointer.start()
    wait_until(lambda: len(asked) >= 5)
    checkpointer.stop()
    assert asked.count(True) == 1
