"""SQLite whose lock is held, or whose disk is full: waited for, or refused; never taken and lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.api.conftest import Program
from tests.api.working_day import WorkingDay
from tests.conftest import Cast
from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from webapp.delivery import dispatching
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, Event, Project, engine
from webapp.models.base import WRITE_OPTION

Start = Callable[..., Dispatcher]
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
MAX_WAL_BYTES = 16 * 1024 * 1024


@pytest.fixture
def project(cast: Cast, make: Make, receiver: Receiver) -> Project:
    make.webhook(by=cast.admin, url=receiver.url)
    return make.project_of(cast.admin)


def created(project_id: str, text: str = "") -> dict[str, Any]:
    return {"event": "TODO_CREATED", "projectId": project_id, "currentValue": {"id": "c1", "text": text}}


def count(model: Any, *where: Any) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def all_succeed(expected: int, within: float = 10.0) -> None:
    eventually(lambda: count(Delivery, Delivery.state == DeliveryState.SUCCEEDED) == expected, within)


@contextmanager
def locked(database: str) -> Iterator[None]:
    """Somebody else holds the write lock."""
    path = Path(database.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.proves("F19", "A09")
def test_a_lock_that_is_held_for_8_seconds_costs_8_seconds_and_no_error(
    api: Program, project: Project, database: str, receiver: Receiver, start_worker: Start
) -> None:
    assert engine.BUSY_TIMEOUT_S == 10
    body = created(project.id)
    api.get("/projects")  # the token's use is noted once a minute
    start_worker(threads=2)
    db.session.remove()
    with ThreadPoolExecutor(8) as people:
        with locked(database):
            posted = [people.submit(api.post, "/events", body) for _ in range(8)]
            assert api.get("/projects").status_code == 200  # who reads waits for nobody
            time.sleep(8)
            assert not any(one.done() for one in posted)
        assert [one.result(timeout=10).status_code for one in posted] == [202] * 8
    receiver.wait_for(8, within=10)
    all_succeed(8)


@pytest.mark.proves("F20")
def test_sixteen_threads_that_read_and_then_write_never_collide(app: Flask, api: Program, project: Project) -> None:
    body = created(project.id)
    with ThreadPoolExecutor(16) as people:
        answers = Counter(people.map(lambda _: api.post("/events", body).status_code, range(16 * 20)))
    assert answers == {202: 320}
    assert count(Event) == 320


@pytest.mark.proves("F20")
def test_every_transaction_of_a_working_day_that_writes_took_the_lock_first(
    api: Program, cast: Cast, project: Project, start_worker: Start
) -> None:
    wrote: Counter[bool] = Counter()

    @sa.event.listens_for(db.engine, "before_cursor_execute")
    def look(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            wrote[bool(connection.get_execution_options().get(WRITE_OPTION))] += 1

    start_worker(threads=2)
    WorkingDay(api, project.id, cast.teammate.id).work()
    eventually(lambda: count(Delivery) and not count(Delivery, Delivery.state == DeliveryState.PENDING))
    assert wrote[False] == 0
    assert wrote[True] > 100


class Disk:
    """The disk under a database, which can be full: SQLite refuses to add a page, as it does when there is no room."""

    LARGEST = 2**31

    def __init__(self) -> None:
        self._pages = self.LARGEST
        sa.event.listen(db.engine, "begin", self._limit, insert=True)

    def fill(self) -> None:
        self._pages = 1  # SQLite takes what there is already

    def free(self) -> None:
        self._pages = self.LARGEST

    def _limit(self, connection: sa.Connection) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={self._pages}")
        cursor.close()


@pytest.mark.proves("F21", "A10")
def test_a_full_disk_takes_nothing_that_it_cannot_keep_and_goes_on_when_there_is_room(
    app: Flask,
    api: Program,
    project: Project,
    database: str,
    receiver: Receiver,
    start_worker: Start,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatching, "PAUSE_AFTER_ERROR_S", 5.0)
    api.get("/projects")
    body = created(project.id, "x" * 2_000)
    disk = Disk()
    worker = start_worker(threads=2)
    taken = sum(api.post("/events", body).status_code == 202 for _ in range(10))
    disk.fill()
    answers = []
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        answers.append(api.post("/events", body).status_code)
        threading.Event().wait(0.02)
    taken += answers.count(202)
    assert set(answers) <= {202, 503}
    assert answers[-1] == 503
    wait_until(lambda: "database or disk is full" in caplog.text)
    assert count(Event) == taken, "what was answered with 202 is there"
    assert worker.is_alive
    wal = Path(database.removeprefix("sqlite:///") + "-wal")
    assert wal.stat().st_size < MAX_WAL_BYTES

    disk.free()
    freed_at = time.monotonic()
    assert api.post("/events", body).status_code == 202
    all_succeed(taken + 1, within=10)
    assert time.monotonic() - freed_at < 10
    attempts = {(row.delivery_seq, row.number) for row in db.session.scalars(sa.select(Attempt))}
    sent = [(request.header("webhook-id"), request.header("X-Webhook-Attempt")) for request in receiver.requests]
    assert len(set(sent)) <= len(attempts), "nothing went out without a claim that is stored"
    assert {delivery for delivery, _ in sent} == set(db.session.scalars(sa.select(Delivery.id)))
