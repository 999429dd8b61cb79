"""Two transactions on PostgreSQL that each wait for what the other holds: one is ended, and done again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from tests import postgresql
from tests.conftest import Browser, Cast
from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from webapp.delivery import outbox
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Project, User, transaction
from webapp.models.conflicts import MAX_REPEATS


@pytest.fixture
def database(behind_relay: str) -> str:
    return behind_relay


class Other:
    """Somebody else's transaction, which does not mind waiting longest."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)
        self._watching = psycopg.connect(url, autocommit=True)
        self.execute("SET deadlock_timeout = '20s'")

    def execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def wait_until_somebody_waits(self) -> None:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
        wait_until(lambda: self._watching.execute(waiting).fetchone() == (1,))

    def leave(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        self._connection.close()
        self._watching.close()


@pytest.fixture
def other(postgres: postgresql.Server) -> Iterator[Other]:
    other = Other(postgres.url())
    yield other
    other.close()


@pytest.fixture
def tries(app: Flask) -> list[str]:
    """A page, /renames, that renames all people one after the other in the order of their ids."""
    tried: list[str] = []

    def rename() -> str:
        tried.append("once more")
        with transaction() as session:
            for person in session.scalars(sa.select(User.id).order_by(User.id)).all():
                session.execute(sa.update(User).where(User.id == person).values(name="Renamed"))
        return "done"

    app.add_url_rule("/renames", view_func=rename)
    return tried


def stand_in_the_way(other: Other, first: str, second: str, what: Callable[[], object]) -> None:
    """Hold the second row; let `what` take the first one and wait for the second; then ask for the first."""
    other.execute(f"""SELECT 1 FROM "{User.__tablename__}" WHERE id = '{second}' FOR UPDATE""")
    thread = threading.Thread(target=what)
    thread.start()
    other.wait_until_somebody_waits()
    other.execute(f"""SELECT 1 FROM "{User.__tablename__}" WHERE id = '{first}' FOR UPDATE""")
    other.leave()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.proves("F28")
def test_a_request_that_lost_a_deadlock_is_done_again(
    cast: Cast, client: Browser, other: Other, tries: list[str]
) -> None:
    first, *_, last = sorted(person.id for person in (cast.admin, cast.teammate, cast.stranger))
    db.session.remove()
    answers = []
    stand_in_the_way(other, first, last, lambda: answers.append(client.get("/renames")))
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "done")]
    assert len(tries) >= 2
    assert set(db.session.scalars(sa.select(User.name))) == {"Renamed"}


@pytest.mark.proves("F28")
def test_a_request_is_not_done_again_for_ever_and_not_after_something_was_saved(
    app: Flask, cast: Cast, client: Browser
) -> None:
    tried = []

    def conflict() -> None:
        tried.append(1)
        with transaction() as session:
            session.execute(sa.text("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40001'; END $$"))

    def saved_before() -> None:
        with transaction() as session:
            session.execute(sa.update(User).values(name="Saved"))
        conflict()

    app.add_url_rule("/conflicts", view_func=conflict)
    app.add_url_rule("/saved", view_func=saved_before)
    db.session.remove()
    assert client.get("/conflicts").status_code == 503
    assert len(tried) == 1 + MAX_REPEATS
    tried.clear()
    assert client.get("/saved").status_code == 503
    assert len(tried) == 1
    assert set(db.session.scalars(sa.select(User.name))) == {"Saved"}


@pytest.mark.proves("F28")
def test_a_worker_that_lost_a_deadlock_goes_on_at_once(
    make: Make,
    other: Other,
    receiver: Receiver,
    start_worker: Callable[..., Dispatcher],
    caplog: pytest.LogCaptureFixture,
) -> None:
    webhook = make.webhook(url=receiver.url)
    project: Project = make.project_of(webhook.created_by)
    delivery = make.delivery(webhook)
    with transaction():
        outbox.publish("TODO_CREATED", project=project, by=webhook.created_by, current={"id": "c1"})
    other.execute(f"SELECT 1 FROM delivery WHERE seq = {delivery.seq} FOR UPDATE")
    webhook_id = webhook.id
    db.session.remove()
    start_worker(threads=2)
    other.wait_until_somebody_waits()
    other.execute(f"SELECT 1 FROM webhook WHERE id = '{webhook_id}' FOR UPDATE")
    other.leave()
    receiver.wait_for(2)
    eventually(lambda: [row.state for row in db.session.scalars(sa.select(Delivery))] == [DeliveryState.SUCCEEDED] * 2)
    assert "another transaction stood in the way" in caplog.text
    assert "the look at the database failed" not in caplog.text
