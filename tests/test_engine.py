"""How the embedded database is opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from webapp import config
from webapp.extensions import db
from webapp.models import engine, transaction


def test_sqlite_opens_with_the_laws_of_the_house(app: Flask) -> None:
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_a_new_file_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    """A machine's first processes start together; one in fifty was told that the database is locked."""
    many = 6
    for number in range(60):
        path = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(path)) as new:
            new.execute("CREATE TABLE there_is (something)")
        together = Barrier(many)

        def connected(path: Path = path, together: Barrier = together) -> sqlite3.Connection:
            connection = sqlite3.connect(path, timeout=engine.BUSY_TIMEOUT_S, check_same_thread=False)
            together.wait(10)
            return connection

        def opened(creator: Callable[[], sqlite3.Connection] = connected) -> str:
            pool = sa.create_engine("sqlite://", creator=creator, poolclass=sa.NullPool)
            engine.prepare(pool)
            with pool.connect() as connection:
                return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

        with ThreadPoolExecutor(many) as people:
            assert {each.result() for each in [people.submit(opened) for _ in range(many)]} == {"wal"}


def test_the_connection_that_was_used_last_is_used_next(app: Flask) -> None:
    """Its cache holds what was read; used in turns, each connection of a process would keep the same pages."""
    with db.engine.connect() as first, db.engine.connect() as second:
        opened = [first.connection.dbapi_connection, second.connection.dbapi_connection]
    for _ in range(3):
        with db.engine.connect() as connection:
            assert connection.connection.dbapi_connection is opened[0]  # given back after the other


def test_what_the_operators_url_says_stands_beside_the_limits_of_the_house() -> None:
    settings = config.load(database_url="postgresql://app@db/hooks?options=-csearch_path%3Dhooks")
    said = engine.options(settings)["connect_args"]["options"]
    assert said == f"{engine.SESSION} -csearch_path=hooks"
    assert said.startswith("-c statement_timeout=10000 -c timezone=UTC ")


def test_the_write_lock_is_taken_soon_after_its_release(app: Flask) -> None:
    """SQLite's own wait sleeps up to 100 ms between two looks, and 25 at the time of this release."""
    _write_once(app, [])  # the database is one with a write-ahead log from here on
    late_by: list[float] = []
    for _ in range(5):
        with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = Thread(target=_write_once, args=(app, late_by))
            waiting.start()
            waiting.join(0.1)
            assert waiting.is_alive()
            other.execute("COMMIT")
            late_by.append(-time.monotonic())
            waiting.join()
    spans = [done + released for released, done in zip(late_by[::2], late_by[1::2], strict=True)]
    assert min(spans) < 0.015


def _write_once(app: Flask, moments: list[float]) -> None:
    with app.app_context(), transaction():
        moments.append(time.monotonic())


def test_a_lock_that_is_never_released_ends_the_wait_in_the_usual_words(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_once(app, [])
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.2)
    with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="database is locked"), transaction():
            pass
        assert 0.2 <= time.monotonic() - began < 5
        other.execute("ROLLBACK")
    with transaction() as session:
        assert session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar() == 200
