"""A secret that is rotated while deliveries are on their way."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tests.delivery.conftest import eventually, publish
from tests.factories import SECRET, Make
from tests.receiver import Answer, Received, Receiver
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, Webhook
from webapp.webhooks import secrets

Start = Callable[..., Dispatcher]


def succeeded(webhook: Webhook) -> int:
    db.session.rollback()
    query = sa.select(sa.func.count()).where(Delivery.webhook_id == webhook.id)
    return db.session.scalar(query.where(Delivery.state == DeliveryState.SUCCEEDED)) or 0


def claims(webhook: Webhook) -> dict[tuple[str, int], datetime]:
    """When each attempt was claimed, by what its request is called."""
    query = sa.select(Delivery.id, Attempt.number, Attempt.claimed_at).join(
        Attempt, Attempt.delivery_seq == Delivery.seq
    )
    rows = db.session.execute(query.where(Delivery.webhook_id == webhook.id))
    return {(delivery_id, number): at for delivery_id, number, at in rows}


def name_of(request: Received) -> tuple[str, int]:
    headers = dict(request.headers)
    return headers["webhook-id"], int(headers["X-Webhook-Attempt"])


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
    publish(make, webhook, 50)

    eventually(lambda: succeeded(webhook) == 200, within=20)
    claimed_at = claims(webhook)
    before = [request for request in receiver.requests if takes(request, SECRET) and not takes(request, new)]
    after = [request for request in receiver.requests if takes(request, SECRET) and takes(request, new)]
    assert len(before) + len(after) == len(receiver.requests)
    assert len(before) >= 30
    assert len(after) >= 50
    assert all(claimed_at[name_of(request)] < rotated_at for request in before)  # signed as it was then
    assert all(takes(request, new, SECRET) for request in receiver.requests)
