"""In a pipeline nobody waits for what has no answer, and no error in it is lost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Attempt, bulk, pipelines, transaction, utc_now
from webapp.models.base import new_attempt_id, table_of

ATTEMPT = table_of(Attempt)
COUNT = sa.select(sa.func.count()).select_from(ATTEMPT)

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


def rows(make: Make, count: int = 2, **values: Any) -> list[dict[str, Any]]:
    delivery = make.delivery()
    row = {
        "delivery_seq": delivery.seq,
        "number": 1,
        "claim_token": 1,
        "worker": "here:1",
        "claimed_at": utc_now(),
        "is_late": False,
        "is_cut": False,
        **values,
    }
    return [{"id": new_attempt_id(), **row} for _ in range(count)]


def kept() -> int:
    db.session.rollback()
    return db.session.scalars(COUNT).one()


@both_databases
def test_what_is_read_next_sees_what_nobody_waited_for(make: Make) -> None:
    many = rows(make)
    with transaction(in_pipeline=True) as session:
        connection = session.connection()
        bulk.execute(connection, sa.insert(ATTEMPT), many)
        assert connection.scalar(COUNT) == 2
        bulk.execute(connection, sa.insert(ATTEMPT), [{**many[0], "id": new_attempt_id()}])
    assert kept() == 3


@postgresql
def test_an_error_in_it_is_raised_by_what_is_read_next(make: Make) -> None:
    wrong = rows(make, worker="x" * 101)
    with pytest.raises(DataError, match="too long"), transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), wrong)
        session.connection().scalar(COUNT)
        pytest.fail("nothing was raised")
    assert kept() == 0


@postgresql
def test_or_by_the_commit_and_then_nothing_is_kept(make: Make) -> None:
    good, wrong = rows(make), rows(make, delivery_seq=4_711)
    with pytest.raises(IntegrityError), transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), good)
        bulk.execute(session.connection(), sa.insert(ATTEMPT), wrong)
    assert kept() == 0


@postgresql
def test_after_an_error_the_connection_serves_the_next(make: Make) -> None:
    good, wrong = rows(make), rows(make, worker="x" * 101)
    for _ in range(3):
        with pytest.raises(DataError), transaction(in_pipeline=True) as session:
            bulk.execute(session.connection(), sa.insert(ATTEMPT), wrong)
    with transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), good)
    with transaction() as session:
        session.execute(sa.delete(Attempt).where(Attempt.id == good[0]["id"]))
    assert kept() == 1


@postgresql
def test_what_raises_in_python_takes_back_what_was_sent(make: Make) -> None:
    many = rows(make)
    with pytest.raises(ZeroDivisionError), transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), many)
        raise ZeroDivisionError
    assert kept() == 0


@postgresql
def test_a_connection_that_is_lost_meanwhile_is_an_error_of_the_database_and_is_replaced(make: Make) -> None:
    many = rows(make)
    with pytest.raises(DBAPIError), transaction(in_pipeline=True) as session:
        connection = session.connection()
        pid = connection.scalar(sa.select(sa.func.pg_backend_pid()))
        with sa.create_engine(db.engine.url, poolclass=sa.NullPool).connect() as other:
            other.execute(sa.select(sa.func.pg_terminate_backend(pid, 5_000)))
        bulk.execute(connection, sa.insert(ATTEMPT), many)
    assert kept() == 0
    with transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), many)
    assert kept() == 2


@postgresql
def test_a_large_batch_passes_while_the_answers_to_others_wait(app: Flask, make: Make) -> None:
    many = rows(make, 100, response_body=b"\x00" * 60_000)
    with transaction(in_pipeline=True) as session:
        for start in range(0, 100, 20):
            bulk.execute(session.connection(), sa.insert(ATTEMPT), many[start : start + 20])
            with pipelines.unanswered(session.connection()):
                session.connection().execute(sa.select(ATTEMPT.c.response_body))
    assert kept() == 100


@postgresql
@pytest.mark.parametrize("asked", [False, True], ids=["with the commit", "with a question"])
def test_what_the_socket_does_not_take_at_once_is_sent_while_an_answer_is_waited_for(make: Make, asked: bool) -> None:
    many = rows(make, 100, response_body=b"\x00" * 60_000)
    with transaction(in_pipeline=True) as session:
        bulk.execute(session.connection(), sa.insert(ATTEMPT), many)
        if asked:
            assert session.connection().scalar(COUNT) == 100
    assert kept() == 100
