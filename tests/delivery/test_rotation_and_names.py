"""Under load: secrets that are rotated, and a name server that is silent for one webhook's name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tests.delivery.conftest import eventually
from tests.dns_server import DnsServer
from tests.factories import SECRET, Make
from tests.receiver import Answer, Received, Receiver
from webapp.delivery import outbox
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, ErrorWord, Webhook, transaction
from webapp.webhooks import secrets

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


def publish(make: Make, webhook: Webhook, count: int) -> None:
    project = make.project_of(webhook.created_by)
    with transaction():
        for number in range(count):
            outbox.publish("TODO_CREATED", project=project, by=webhook.created_by, current={"id": f"c{number}"})


def succeeded(webhook: Webhook) -> int:
    db.session.rollback()
    query = sa.select(sa.func.count()).where(Delivery.webhook_id == webhook.id)
    return db.session.scalar(query.where(Delivery.state == DeliveryState.SUCCEEDED)) or 0


def takes(request: Received, *known: str) -> bool:
    """Whether a receiver that knows these secrets takes it, by either scheme: one signature that fits is enough."""
    headers = {name.lower(): value for name, value in request.headers}
    plain = {headers.get("x-signature"), headers.get("x-signature-previous")}
    by_plain = [hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest() in plain for secret in known]
    by_standard = [is_verified(Verifier(secret), request.body, headers) for secret in known]
    assert by_plain == by_standard
    return any(by_standard)


def is_verified(verifier: Verifier, body: bytes, headers: dict[str, str]) -> bool:
    try:
        verifier.verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.proves("A53")
def test_no_receiver_refuses_anything_while_a_secret_is_rotated(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    """Whether it knows the old secret, the new one, or both."""
    receiver.answers(Answer(200, delay=0.01))
    webhook = make.webhook(url=receiver.url)
    publish(make, webhook, 150)
    start_worker(threads=4)
    receiver.wait_for(30)

    new = secrets.rotate(webhook, by=webhook.created_by)
    rotated_at = datetime.now(UTC)

    eventually(lambda: succeeded(webhook) == 150, within=20)
    settled = rotated_at + timedelta(seconds=1)  # what was claimed before is signed as it was then
    before = [request for request in receiver.requests if takes(request, SECRET) and not takes(request, new)]
    after = [request for request in receiver.requests if takes(request, SECRET) and takes(request, new)]
    assert len(before) + len(after) == 150
    assert len(before) >= 30
    assert len(after) > 20
    assert max(request.received_at for request in before) < settled
    assert all(takes(request, new, SECRET) for request in receiver.requests)


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
