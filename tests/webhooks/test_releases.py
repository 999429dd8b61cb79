"""Releasing and discarding what was held. What a receiver then gets is tested in delivery/test_held_deliveries.py."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.extensions import bell, db
from webapp.models import (
    AuditEntry,
    Conflict,
    Delivery,
    DeliveryState,
    Invalid,
    NotFound,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks import releases
from webapp.webhooks.redelivery import redeliver
from webapp.webhooks.releases import Held, Released


@pytest.fixture
def webhook(make: Make) -> Webhook:
    return make.webhook()


def hold(make: Make, webhook: Webhook, record: str | None = "r1", code: str = "TODO_MOVED", **values: Any) -> Delivery:
    project = make.project_of(webhook.created_by)
    event = make.event(project, type=code, record_id=record, fanned_out_at=utc_now())
    return make.delivery(webhook, event, **{"state": "held", "held_at": utc_now(), **values})


def states(*deliveries: Delivery) -> list[str]:
    db.session.rollback()
    return [str(each.state) for each in deliveries]


def switch(webhook: Webhook, *, on: bool) -> None:
    with transaction():
        webhook.enabled = on


def test_nothing_held(webhook: Webhook) -> None:
    assert releases.held(webhook) == Held(0, 0, {})
    assert releases.release(webhook, "all", by=webhook.created_by) == Released(0, 0)
    assert db.session.scalars(sa.select(AuditEntry)).all() == []


def test_what_is_held_is_counted_by_type_and_by_the_newest_per_record_and_type(make: Make, webhook: Webhook) -> None:
    first = hold(make, webhook)
    hold(make, webhook)
    hold(make, webhook, code="TODO_DELETED")
    hold(make, webhook, record="r2")
    hold(make, webhook, record=None, code="TODO_LIST_DELETED")
    last = hold(make, webhook, record=None, code="TODO_LIST_DELETED")
    make.delivery(webhook, state="failed")
    hold(make, make.webhook(by=webhook.created_by))
    held = releases.held(webhook)
    assert (held.count, held.newest) == (6, 5)
    assert held.by_type == {"TODO_MOVED": 3, "TODO_LIST_DELETED": 2, "TODO_DELETED": 1}
    assert (held.since, held.until, held.until_seq) == (first.created_at, last.created_at, last.seq)


def test_the_newest_is_the_newest_event_whichever_delivery_was_made_first(make: Make, webhook: Webhook) -> None:
    project = make.project_of(webhook.created_by)
    old, new = (make.event(project, record_id="r1", fanned_out_at=utc_now()) for _ in range(2))
    newest, oldest = (make.delivery(webhook, event, state="held") for event in (new, old))
    assert releases.release(webhook, "newest", by=webhook.created_by) == Released(1, 1)
    assert states(newest, oldest) == ["pending", "cancelled"]
    assert oldest.reason == "superseded"


def test_a_released_one_is_due_at_once_and_the_bell_rings(
    make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(bell, "_ring", lambda: rung.append(True))
    delivery = hold(make, webhook, reason="webhook_disabled")
    releases.release(webhook, "all", by=webhook.created_by)
    assert (delivery.state, delivery.reason, delivery.held_at) == (DeliveryState.PENDING, None, None)
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at <= utc_now()
    assert rung


def test_sending_is_refused_while_the_webhook_is_off_and_discarding_is_not(make: Make, webhook: Webhook) -> None:
    delivery = hold(make, webhook)
    switch(webhook, on=False)
    for mode in ("all", "newest"):
        with pytest.raises(Conflict, match="disabled"):
            releases.release(webhook, mode, by=webhook.created_by)
    assert states(delivery) == ["held"]
    assert releases.release(webhook, "discard", by=webhook.created_by) == Released(0, 1)
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, "discarded")


def test_what_is_discarded_can_be_sent_again_one_by_one(make: Make, webhook: Webhook) -> None:
    delivery = hold(make, webhook)
    releases.release(webhook, "discard", by=webhook.created_by)
    assert redeliver(delivery, by=webhook.created_by).delivery_seq == delivery.seq


@pytest.mark.parametrize("mode", ["all", "newest", "discard"])
def test_what_was_held_after_the_look_is_left_alone(make: Make, webhook: Webhook, mode: str) -> None:
    seen = hold(make, webhook)
    until_seq = releases.held(webhook).until_seq
    later = hold(make, webhook)
    assert (releases.held(webhook, until_seq).count, releases.held(webhook).count) == (1, 2)
    releases.release(webhook, mode, by=webhook.created_by, until_seq=until_seq)
    assert states(later) == ["held"]
    assert states(seen) != ["held"]


def test_an_unknown_mode_and_a_foreign_webhook_are_refused(make: Make, webhook: Webhook) -> None:
    with pytest.raises(Invalid, match="There are: all, newest, discard"):
        releases.release(webhook, "some", by=webhook.created_by)
    with pytest.raises(NotFound):
        releases.release(webhook, "all", by=make.user())


def test_a_release_that_was_cut_short_is_finished_by_the_same_choice(
    make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "BATCH", 2)
    deliveries = [hold(make, webhook, record=f"r{number % 3}") for number in range(7)]
    change, calls = releases._change, []

    def die_at_the_third(*arguments: Any) -> int:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return change(*arguments)

    monkeypatch.setattr(releases, "_change", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        releases.release(webhook, "newest", by=webhook.created_by)
    assert states(*deliveries) == ["cancelled"] * 4 + ["held"] * 3
    assert releases.release(webhook, "newest", by=webhook.created_by) == Released(3, 0)
    assert states(*deliveries) == ["cancelled"] * 4 + ["pending"] * 3


def test_a_release_ends_when_the_webhook_is_disabled_meanwhile(
    make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "BATCH", 2)
    deliveries = [hold(make, webhook) for _ in range(4)]
    change = releases._change

    def then_disable(*arguments: Any) -> int:
        webhook.enabled = False
        return change(*arguments)

    monkeypatch.setattr(releases, "_change", then_disable)
    assert releases.release(webhook, "all", by=webhook.created_by) == Released(2, 0)
    assert states(*deliveries) == ["pending", "pending", "held", "held"]


def test_a_release_is_noted_once(make: Make, webhook: Webhook) -> None:
    hold(make, webhook)
    hold(make, webhook)
    releases.release(webhook, "newest", by=webhook.created_by)
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.action, entry.detail) == ("webhook.held_released", {"mode": "newest", "held": 2})
