"""The one transaction(), ids, and what is encrypted at rest."""

from __future__ import annotations

import re
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp.extensions import bell, db
from webapp.models import Project, User, ring_after_commit, transaction
from webapp.models.base import NestedTransaction, WriteOutsideTransaction, new_event_id, new_id, new_uid


@pytest.fixture
def rings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    heard: list[int] = []
    monkeypatch.setattr(bell, "_ring", lambda: heard.append(1))
    return heard


@pytest.mark.proves("W12")
def test_ids_have_blues_form_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("c[0-9a-z]{24}", one) for one in ids)
    assert [one[:9] for one in ids] == sorted(one[:9] for one in ids)
    assert new_event_id().startswith("evt_c")
    assert re.fullmatch("[0-9a-f]{32}", new_uid())


@pytest.mark.parametrize("depth", [1, 2])
def test_a_forked_process_makes_ids_of_its_own(depth: int) -> None:
    script = f"""
import os
from webapp.models.base import new_id
made = {{new_id()[13:17]}}
for _ in range({depth}):
    reading, writing = os.pipe()
    if os.fork():
        print(*made, os.read(reading, 4).decode())
        os.wait()
        break
    made = {{new_id()[13:17]}}
    os.write(writing, made.copy().pop().encode())
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in told.stdout.splitlines()]
    assert len(pairs) == depth
    assert all(mine != other for mine, other in pairs)


def test_a_transaction_commits_what_it_wrote(make: Make) -> None:
    project = make.project()
    with transaction():
        project.name = "Renamed"
    db.session.expire_all()
    assert db.session.get(Project, project.id).name == "Renamed"


def test_a_transaction_that_raises_leaves_nothing(make: Make) -> None:
    project = make.project(name="Before")
    with pytest.raises(ZeroDivisionError), transaction() as session:
        project.name = "After"
        session.flush()
        raise ZeroDivisionError
    assert db.session.get(Project, project.id).name == "Before"


def test_an_action_that_calls_an_action_is_refused(app: Flask) -> None:
    with transaction(), pytest.raises(NestedTransaction), transaction():
        pass


def test_rows_are_not_written_outside_a_transaction(make: Make) -> None:
    user = make.user()
    user.name = "Somebody else"
    with pytest.raises(WriteOutsideTransaction):
        db.session.flush()
    db.session.rollback()
    with pytest.raises(WriteOutsideTransaction):
        db.session.execute(sa.update(User).values(name="X"))


def test_the_bell_rings_once_and_only_after_the_commit(rings: list[int], make: Make) -> None:
    with transaction():
        ring_after_commit()
        ring_after_commit()
        assert rings == []
    assert rings == [1]


def test_the_bell_stays_silent_when_the_transaction_fails(rings: list[int], make: Make) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        ring_after_commit()
        raise ZeroDivisionError
    assert rings == []


def test_a_bell_that_fails_is_counted_and_never_raised(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_ring", lambda: 1 / 0)
    before = bell.lost
    with transaction():
        ring_after_commit()
    assert bell.lost == before + 1


def test_reading_then_writing_never_meets_a_locked_database(app: Flask, make: Make) -> None:
    """16 threads read a counter, then write it: without the lock first, SQLite answers "database is locked" at once."""
    project_id = make.project(description="0").id
    errors: list[BaseException] = []

    def count() -> None:
        try:
            with app.app_context():
                for _ in range(10):
                    with transaction() as session:
                        row = session.get(Project, project_id, with_for_update=True)
                        row.description = str(int(row.description) + 1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=count) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert errors == []
    assert db.session.get(Project, project_id).description == "160"


def test_values_read_before_are_read_anew_inside_the_lock(app: Flask, make: Make) -> None:
    project = make.project(name="Seen")
    assert project.name == "Seen"

    def rename() -> None:
        with app.app_context(), transaction() as session:
            session.get(Project, project_id).name = "Changed by another"

    project_id = project.id
    thread = threading.Thread(target=rename)
    thread.start()
    thread.join()
    with transaction():
        assert project.name == "Changed by another"
