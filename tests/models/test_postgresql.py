"""Connections to PostgreSQL: asked whether they answer only where that is in doubt."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp.extensions import db
from webapp.models import Webhook, postgresql
from webapp.models.base import table_of

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

PID = sa.select(sa.func.pg_backend_pid())


@contextmanager
def questions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """The connections that were asked meanwhile, also where one did not answer."""
    asked: list[object] = []
    dialect = db.engine.dialect
    monkeypatch.setattr(dialect, "do_ping", type(dialect).do_ping.__get__(dialect))
    ask = dialect.do_ping

    def note(connection: object) -> bool:
        asked.append(connection)
        return ask(connection)

    monkeypatch.setattr(dialect, "do_ping", note)
    postgresql.spare_pings(dialect)
    yield asked


def pid() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(PID)


def end(pid: int) -> None:
    """The server ends one of its processes, as a restart does with all."""
    with sa.create_engine(db.engine.url, poolclass=sa.NullPool).connect() as other:
        other.execute(sa.select(sa.func.pg_terminate_backend(pid, 5_000)))


IN_FLIGHT = "SELECT webhook_id, count(*) FROM delivery WHERE lease_until IS NOT NULL GROUP BY webhook_id"
MANY = sa.text(
    """
    INSERT INTO delivery (id, kind, webhook_id, snapshot_seq, event_type, payload_format, state, attempts_counted,
        attempts_made, claim_token, claims, created_at)
    SELECT 'msg_' || number, kind, webhook_id, snapshot_seq, event_type, payload_format, state, 0, 0, 0, 0, created_at
    FROM delivery, generate_series(1, 3000) AS number
    """
)


def test_what_is_in_flight_is_found_by_its_index_though_the_server_does_not_know_the_table_yet(
    app: Flask, make: Make
) -> None:
    make.delivery()
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(MANY)
        plan = "\n".join(connection.scalars(sa.text(f"EXPLAIN {IN_FLIGHT}")))
    assert re.search("Index (Only )?Scan using ix_delivery_leased", plan), plan


def test_a_connection_that_answered_just_now_is_not_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with questions(monkeypatch) as asked:
        assert pid() == pid() == pid()
    assert asked == []


def test_one_that_was_silent_for_a_while_is_asked(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pid()
    monkeypatch.setattr(postgresql, "FRESH_S", 0.05)
    time.sleep(0.1)
    with questions(monkeypatch) as asked:
        assert pid() == before
    assert len(asked) == 1


def test_one_that_the_server_ended_a_moment_ago_is_replaced_before_it_is_used(app: Flask) -> None:
    before = pid()
    end(before)
    assert pid() != before


PREPARED = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%FROM webhook%'")
OFTEN = 10  # more than it takes to be prepared


def test_what_is_asked_often_stays_prepared_although_each_page_ends_with_a_rollback(app: Flask, make: Make) -> None:
    make.webhook()
    for _ in range(OFTEN):
        db.session.rollback()
        db.session.execute(sa.select(table_of(Webhook).c.id)).all()
    db.session.rollback()
    assert db.session.scalar(PREPARED) == 1


def test_a_rollback_takes_back_what_was_written_whatever_was_read_before_and_after(app: Flask, make: Make) -> None:
    make.webhook(name="before")
    change = sa.update(table_of(Webhook)).values(name=sa.bindparam("changed"))
    names = sa.select(table_of(Webhook).c.name)
    for values in ({"changed": "one"}, [{"changed": "several"}]):
        with db.engine.connect() as connection:
            connection.execute(names)
            connection.execute(change, values)
            connection.execute(names)
            connection.rollback()
        with db.engine.connect() as connection:
            assert connection.scalars(names).all() == ["before"]


def test_so_does_a_connection_that_is_left(app: Flask, make: Make) -> None:
    make.webhook(name="before")
    with db.engine.connect() as connection:
        connection.execute(sa.text("WITH one AS (UPDATE webhook SET name = 'after' RETURNING 1) SELECT * FROM one"))
    with db.engine.connect() as connection:
        assert connection.scalars(sa.select(table_of(Webhook).c.name)).all() == ["before"]


def test_nor_does_the_question_whether_a_connection_answers_end_that(
    app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.webhook()
    monkeypatch.setattr(postgresql, "FRESH_S", 0.0)
    with questions(monkeypatch) as asked:
        for _ in range(OFTEN):
            db.session.rollback()
            db.session.execute(sa.select(table_of(Webhook).c.id)).all()
        db.session.rollback()
        assert db.session.scalar(PREPARED) == 1
    assert len(asked) > OFTEN


def test_what_is_copied_in_is_taken_back_by_a_rollback(app: Flask) -> None:
    with sa.create_engine(db.engine.url, poolclass=sa.NullPool).connect() as other:
        other.exec_driver_sql("CREATE TABLE copied (number INTEGER)")
        other.commit()
    with db.engine.connect() as connection:
        connection.scalar(PID)
        with connection.connection.cursor() as cursor, cursor.copy("COPY copied FROM STDIN") as rows:
            rows.write_row((1,))
        connection.rollback()
        assert connection.scalar(sa.text("SELECT count(*) FROM copied")) == 0
    with sa.create_engine(db.engine.url, poolclass=sa.NullPool).connect() as other:
        other.exec_driver_sql("DROP TABLE copied")
        other.commit()
