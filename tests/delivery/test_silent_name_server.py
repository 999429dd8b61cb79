"""A name server that is silent for one webhook's name holds up no other webhook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.delivery.conftest import eventually, publish
from tests.dns_server import DnsServer
from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Attempt, Delivery, ErrorWord

Start = Callable[..., Dispatcher]
SILENT = "silent.example.com"


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as names:
        names.ignores(SILENT)
        yield names


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver, names: DnsServer) -> Flask:
    return make_app(
        allow_targets=receiver.target, dns_servers=names.address, retry_schedule="0,1h", request_timeout="1s"
    )


@pytest.mark.proves("F56")
def test_a_silent_name_server_for_one_webhook_holds_up_no_other(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    silent, healthy = make.webhook(url=f"https://{SILENT}/"), make.webhook(url=receiver.url)
    publish(make, silent, 200)
    while fan_out():
        pass
    start_worker(threads=16)  # two rounds of a second for the 29 that are claimed before the healthy one is there
    eventually(lambda: db.session.scalar(sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None))) > 0)
    publish(make, healthy, 20)
    published_at = datetime.now(UTC)

    receiver.wait_for(20, within=10)

    assert receiver.requests[-1].received_at - published_at < timedelta(seconds=3)
    eventually(lambda: silent.health.paused_at is not None)
    words = set(db.session.scalars(sa.select(Attempt.error).where(Attempt.error.is_not(None))))
    assert words == {ErrorWord.DNS_TIMEOUT}
