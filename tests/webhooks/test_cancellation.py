"""Cancelling one delivery by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.delivery import claiming, leases
from webapp.delivery.claiming import Turn
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Conflict,
    DeliveryState,
    NotFound,
    Redelivery,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks.cancellation import cancel
from webapp.webhooks.redelivery import redeliver


@pytest.fixture
def webhook(make: Make) -> Webhook:
    return make.webhook()


@pytest.mark.parametrize("state", ["pending", "held", "stuck"])
def test_what_is_open_can_be_cancelled(make: Make, webhook: Webhook, state: str) -> None:
    delivery = make.delivery(webhook, state=state)
    cancel(delivery, by=webhook.created_by)
    assert (delivery.state, delivery.reason, delivery.next_attempt_at) == (DeliveryState.CANCELLED, "by_hand", None)
    assert delivery.settled_at is not None
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.detail) == ("webhook.delivery_cancelled", {"delivery": delivery.id})


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_what_is_settled_stays_so(make: Make, webhook: Webhook, state: str) -> None:
    delivery = make.delivery(webhook, state=state)
    with pytest.raises(Conflict, match="settled already"):
        cancel(delivery, by=webhook.created_by)
    db.session.rollback()
    assert delivery.state == state


def test_cancelling_twice_changes_and_notes_nothing_more(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="cancelled", reason="discarded")
    cancel(delivery, by=webhook.created_by)
    assert delivery.reason == "discarded"
    assert db.session.scalars(sa.select(AuditEntry)).all() == []


def test_nobody_else_can(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    with pytest.raises(NotFound):
        cancel(delivery, by=make.user())


def test_a_wish_to_send_it_again_ends_also_while_it_is_being_sent(make: Make, webhook: Webhook) -> None:
    waiting = make.delivery(webhook, state="stuck")
    in_flight = make.delivery(webhook, lease_until=utc_now())
    redeliver(waiting, by=webhook.created_by)
    with transaction() as session:
        session.add(Redelivery(delivery_seq=in_flight.seq))
    cancel(waiting, by=webhook.created_by)
    cancel(in_flight, by=webhook.created_by)
    wishes = db.session.scalars(sa.select(Redelivery).order_by(Redelivery.seq)).all()
    assert [wish.finished_at is None for wish in wishes] == [False, False]


def test_what_was_being_sent_by_hand_when_it_was_cancelled_is_not_sent_again_when_its_worker_dies(
    make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook, next_attempt_at=utc_now() + timedelta(hours=1))
    redeliver(delivery, by=webhook.created_by)
    assert len(claiming.claim(Turn("test:1"), slots=5, lease=timedelta(0))) == 1
    cancel(delivery, by=webhook.created_by)
    leases.expire()
    assert claiming.claim(Turn("test:2"), slots=5, lease=timedelta(minutes=1)) == []


def test_retrying_a_stuck_one_counts_claims_from_zero(make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="stuck", claims=5)
    redeliver(delivery, by=webhook.created_by)
    assert delivery.claims == 0
    (mine,) = claiming.claim(Turn("test:1"), slots=5, lease=timedelta(0))
    assert not mine.is_suspect
    leases.expire()
    db.session.rollback()
    assert (delivery.state, delivery.claims, delivery.lease_until) == (DeliveryState.STUCK, 1, None)
