"""A receiver, an application that may send to it, and workers inside the test's process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Make
from tests.receiver import Receiver
from webapp.delivery import dispatching, outbox
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import bell, db
from webapp.models import Delivery, Webhook, transaction


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
    """The application, allowed to send to the receiver, with a schedule that a test can wait for.

    Receivers may take long: where a busy machine stands still for seconds, none shall seem to fail.
    """
    return make_app(allow_targets=receiver.target, retry_schedule="0,30ms,30ms,30ms", request_timeout="20s")


@pytest.fixture
def start_worker(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Dispatcher]]:
    """Start a worker in this process: `start_worker(threads=4)`. It stops with the test."""
    started: list[Dispatcher] = []
    monkeypatch.setattr(bell, "_ring", dispatching.wake)

    def start(**values: Any) -> Dispatcher:
        worker = Dispatcher(app, **values)
        worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.stop()


def eventually(claim: Callable[[], Any], within: float = 5.0) -> Any:
    """What `claim` returns once it is true; the rows are read anew each time. AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while not (found := claim()):
        assert time.monotonic() < deadline, "it did not happen in time"
        db.session.rollback()
        time.sleep(0.005)
    return found


def settled(count: int = 1, within: float = 5.0) -> list[Delivery]:
    """All deliveries in their order, once there are so many and nothing more happens to them."""

    def look() -> list[Delivery]:
        rows = list(db.session.scalars(sa.select(Delivery).order_by(Delivery.seq)))
        done = len(rows) >= count and all(row.is_settled for row in rows)
        return rows if done else []

    return eventually(look, within)


def publish(make: Make, webhook: Webhook, count: int = 1) -> None:
    """So many events that this webhook wants, in one transaction."""
    project = make.project_of(webhook.created_by)
    with transaction():
        for number in range(count):
            outbox.publish("TODO_CREATED", project=project, by=webhook.created_by, current={"id": f"c{number}"})
