"""Sending a delivery again by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import bell, db
from webapp.models import (
    AuditEntry,
    Conflict,
    Delivery,
    DeliveryState,
    NotFound,
    ProjectMember,
    Redelivery,
    Role,
    TooMany,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks import editing, redelivery


@pytest.fixture
def webhook(cast: Cast, make: Make) -> Webhook:
    return make.webhook(by=cast.admin)


def finish_all() -> None:
    with transaction() as session:
        session.execute(sa.update(Redelivery).values(finished_at=utc_now()))


@pytest.mark.parametrize("state", list(DeliveryState))
def test_it_is_a_row_of_its_own_whatever_the_state_and_changes_nothing_else(
    cast: Cast, make: Make, webhook: Webhook, state: DeliveryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(bell, "_ring", lambda: rung.append(True))
    delivery = make.delivery(webhook, state=state)
    due = delivery.next_attempt_at
    asked = redelivery.redeliver(delivery, by=cast.admin)
    assert (asked.delivery_seq, asked.requested_by_id, asked.finished_at) == (delivery.seq, cast.admin.id, None)
    assert (delivery.state, delivery.next_attempt_at) == (state, due)
    assert rung == [True]
    assert db.session.scalars(sa.select(AuditEntry.action)).all() == ["webhook.redelivered"]


def test_a_stuck_one_counts_its_claims_from_zero(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.STUCK, claims=5)
    redelivery.redeliver(delivery, by=cast.admin)
    assert delivery.claims == 0


def refusal_of(delivery: Delivery, cast: Cast) -> str:
    with pytest.raises(Conflict) as caught:
        redelivery.redeliver(delivery, by=cast.admin)
    return caught.value.sentence


def test_a_disabled_webhook_refuses_with_the_reason_but_pings_and_tests_go_out(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False)
    held = make.delivery(webhook, state=DeliveryState.HELD)
    ping = make.delivery(webhook, kind="ping", state=DeliveryState.FAILED)
    assert refusal_of(held, cast) == redelivery.DISABLED
    assert redelivery.redeliver(ping, by=cast.admin)


def test_a_deleted_webhook_refuses_with_the_reason(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    editing.delete(webhook, by=cast.admin)
    assert refusal_of(delivery, cast) == redelivery.DELETED


def test_one_at_a_time(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    redelivery.redeliver(delivery, by=cast.admin)
    assert refusal_of(delivery, cast) == redelivery.WAITING
    finish_all()
    assert redelivery.redeliver(delivery, by=cast.admin)


def test_not_while_an_attempt_is_in_flight(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, lease_until=utc_now() + timedelta(seconds=60))
    assert refusal_of(delivery, cast) == redelivery.IN_FLIGHT


def test_not_after_its_owner_stopped_being_administrator_of_the_project(
    cast: Cast, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    with transaction() as session:
        member = session.get_one(ProjectMember, (delivery.project_id, cast.admin.id))
        member.role = Role.MEMBER
    assert refusal_of(delivery, cast) == redelivery.NOT_ADMINISTRATOR


@pytest.mark.proves("W34")
def test_ten_a_minute_for_one_delivery(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    for _ in range(10):
        redelivery.redeliver(delivery, by=cast.admin)
        finish_all()
    with pytest.raises(TooMany) as caught:
        redelivery.redeliver(delivery, by=cast.admin)
    assert 1 <= caught.value.retry_after_s <= 61


def test_strangers_cannot_send_again(cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    for other in (cast.teammate, cast.stranger):
        with pytest.raises(NotFound):
            redelivery.redeliver(delivery, by=other)
    assert db.session.scalars(sa.select(Redelivery)).all() == []
