"""What a killed worker had claimed holds up nothing else of its webhook."""

from __future__ import annotations

import os
import socket
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery import heartbeats, orphans
from webapp.delivery.choosing import BORROWED_IN_FLIGHT
from webapp.delivery.claiming import Turn, claim
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Delivery, Webhook, Worker, transaction

LEASE = timedelta(seconds=60)


@pytest.fixture
def killed(app: Flask) -> str:
    """The name of a worker of this machine that said it lives, and is gone."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return worked(process.pid)


def worked(pid: int, host: str | None = None) -> str:
    name = f"{host or socket.gethostname()}:{pid}"
    heartbeats.beat(name, threads=1)
    with transaction() as session:
        row = session.get_one(Worker, name)
        row.pid, row.host = pid, host or socket.gethostname()
    return name


def leave(make: Make, webhook: Webhook, count: int, *, worker: str) -> list[Delivery]:
    """Deliveries that this worker claims."""
    left = [make.delivery(webhook) for _ in range(count)]
    assert len(claim(Turn(worker=worker), slots=count, lease=LEASE)) == count
    return left


def test_the_leases_of_a_killed_worker_are_known(make: Make, killed: str) -> None:
    webhook, other = make.webhook(), make.webhook()
    leave(make, webhook, 3, worker=killed)
    leave(make, other, 2, worker=killed)
    assert orphans.count() == Counter({webhook.id: 3, other.id: 2})


def test_those_of_a_worker_that_lives_or_is_elsewhere_are_not_among_them(make: Make, killed: str) -> None:
    webhook = make.webhook()
    leave(make, webhook, 3, worker=worked(os.getpid()))
    leave(make, webhook, 3, worker=worked(int(killed.rpartition(":")[2]), host="another.example"))
    assert orphans.count() == Counter()


def test_what_is_claimed_again_is_no_orphan_any_more(make: Make, killed: str) -> None:
    webhook = make.webhook()
    (delivery,) = leave(make, webhook, 1, worker=killed)
    with transaction():
        delivery.lease_until = None
    assert len(claim(Turn(worker=worked(os.getpid())), slots=5, lease=LEASE)) == 1
    assert orphans.count() == Counter()


def test_a_new_worker_serves_the_webhook_at_once_and_the_claimed_ones_when_their_lease_is_over(
    start_worker: Callable[..., Dispatcher], make: Make, receiver: Receiver, killed: str
) -> None:
    webhook = make.webhook(url=receiver.url)
    left = leave(make, webhook, BORROWED_IN_FLIGHT, worker=killed)
    waiting = [make.delivery(webhook) for _ in range(5)]
    start_worker()
    arrived = {request.header("webhook-id") for request in receiver.wait_for(5)}
    assert arrived == {delivery.id for delivery in waiting}
    with transaction():
        for delivery in left:
            db.session.merge(delivery).lease_until -= LEASE
    receiver.wait_for(6)
    assert receiver.requests[5].header("webhook-id") in {delivery.id for delivery in left}
