"""Calls to publish that come at once are written together, and each gets its own answer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Event as Signal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from tests.factories import Make
from tests.receiver import wait_until
from webapp.extensions import db
from webapp.models import Event, Invalid, Project, engine
from webapp.workspace import events
from webapp.workspace.combining import MOST_AT_ONCE, Combiner
from webapp.workspace.events import ExternalEvent, publish_external

CALLS = 8
Publish = Callable[..., "Future[dict[str, Any]]"]


@pytest.fixture
def project(make: Make) -> Project:
    return make.project(owner=make.user())


@pytest.fixture
def publish(app: Flask, project: Project) -> Iterator[Publish]:
    """Publish from a thread of its own, as a request does."""
    by_id, project_id = project.members[0].user_id, project.id
    db.session.rollback()

    def call(number: int, project_id: str = project_id) -> dict[str, Any]:
        with app.app_context():
            one = ExternalEvent("TODO_CREATED", project_id, current_value={"id": f"r{number}"})
            try:
                return publish_external([one], by_id=by_id, body_sha256="0" * 64)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(CALLS) as pool:
        yield lambda number, **values: pool.submit(call, number, **values)


@pytest.fixture
def other(app: Flask) -> Iterator[sqlite3.Connection]:
    """Somebody who holds the write lock."""
    db.session.rollback()
    with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.fixture
def commits() -> Iterator[list[int]]:
    """How many events each commit made."""
    counts: list[int] = []
    real = events.outbox.publish_many

    def note(session: Any) -> None:
        if written:
            counts.append(len(written))
            written.clear()

    written: list[str] = []

    def publish_many(publications: Any) -> list[str]:
        ids = real(publications)
        written.extend(ids)
        return ids

    sa.event.listen(db.session, "after_commit", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events.outbox, "publish_many", publish_many)
        yield counts
    sa.event.remove(db.session, "after_commit", note)


def waiting() -> int:
    return len(events._together._waiting)


def test_what_waits_for_the_lock_is_written_at_once_and_each_gets_its_own_answer(
    publish: Publish, other: sqlite3.Connection, commits: list[int]
) -> None:
    answers = [publish(number) for number in range(CALLS)]
    wait_until(lambda: waiting() == CALLS)
    other.execute("COMMIT")
    ids = [answer.result()["id"] for answer in answers]
    assert commits == [CALLS]
    records = {event.id: event.record_id for event in db.session.scalars(sa.select(Event))}
    assert [records[event_id] for event_id in ids] == [f"r{number}" for number in range(CALLS)]


def test_one_that_is_wrong_is_refused_alone(publish: Publish, other: sqlite3.Connection, commits: list[int]) -> None:
    right = [publish(number) for number in range(3)]
    wrong = publish(3, project_id="nowhere")
    wait_until(lambda: waiting() == 4)
    other.execute("COMMIT")
    with pytest.raises(Invalid, match="no project with this id"):
        wrong.result()
    assert {answer.result()["id"] for answer in right} == set(db.session.scalars(sa.select(Event.id)))
    assert commits == [3]


def test_one_that_breaks_a_law_of_the_database_breaks_no_other(
    publish: Publish, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = events.outbox.publish_many

    def broken(publications: Any) -> list[str]:
        changed = [each._replace(project_id="gone") if each.record_id == "r1" else each for each in publications]
        return real(changed)

    monkeypatch.setattr(events.outbox, "publish_many", broken)
    answers = [publish(number) for number in range(3)]
    wait_until(lambda: waiting() == 3)
    other.execute("COMMIT")
    with pytest.raises(sa.exc.IntegrityError):
        answers[1].result()
    assert {answers[0].result()["id"], answers[2].result()["id"]} == set(db.session.scalars(sa.select(Event.id)))


def test_when_the_lock_is_never_free_all_are_told_after_one_wait(
    publish: Publish, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 1.0)
    began = time.monotonic()
    answers = [publish(number) for number in range(CALLS)]
    wait_until(lambda: waiting() == CALLS)
    for answer in answers:
        with pytest.raises(OperationalError, match="locked"):
            answer.result()
    assert time.monotonic() - began < CALLS * 1.0
    other.execute("ROLLBACK")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0
    assert publish(1).result()["id"].startswith("evt_")


@dataclass
class Job:
    size: int
    is_done: bool = False


def test_no_turn_is_longer_than_the_limit() -> None:
    begun, may_go_on, turns = Signal(), Signal(), []

    def write(take: Callable[[], list[Job]]) -> None:
        begun.set()
        may_go_on.wait()
        jobs = take()
        turns.append(sum(job.size for job in jobs))
        for job in jobs:
            job.is_done = True

    combiner = Combiner(write)
    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(combiner.do, Job(size=200)) for _ in range(6)]
        begun.wait()
        wait_until(lambda: len(combiner._waiting) == 6)
        may_go_on.set()
        for each in done:
            each.result()
    assert turns == [600, 600]
    assert max(turns) < MOST_AT_ONCE + 200


def test_what_a_thread_that_was_ended_had_taken_is_done_by_the_next() -> None:
    done = []

    def write(take: Callable[[], list[Job]]) -> None:
        jobs = take()
        if not done:
            done.append(0)
            raise KeyboardInterrupt
        for job in jobs:
            job.is_done = True
            done.append(job.size)

    combiner = Combiner(write)
    first = Job(size=1)
    with pytest.raises(KeyboardInterrupt):
        combiner.do(first)
    combiner.do(Job(size=2))
    assert first.is_done
    assert done == [0, 1, 2]
