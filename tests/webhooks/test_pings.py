"""Pings and tests."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import bell, db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Invalid,
    NotFound,
    PayloadFormat,
    TooMany,
    transaction,
    utc_now,
)
from webapp.webhooks import log, pings


def test_a_ping_is_due_at_once_and_rings_the_bell(cast: Cast, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(bell, "_ring", lambda: rung.append(True))
    webhook = make.webhook(by=cast.admin)
    delivery = pings.ping(webhook, by=cast.admin)
    assert (delivery.kind, delivery.event_type) == (DeliveryKind.PING, "WEBHOOK_HEALTH_CHECK")
    assert (delivery.state, delivery.event_seq, delivery.snapshot_seq) == (
        DeliveryState.PENDING,
        None,
        webhook.snapshot_seq,
    )
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at <= utc_now()
    assert rung == [True]


def test_a_pings_body_has_blues_two_keys(cast: Cast, make: Make) -> None:
    delivery = pings.ping(make.webhook(by=cast.admin), by=cast.admin)
    assert list(json.loads(log.body(delivery))) == ["event", "webhook"]


def test_a_disabled_webhook_can_be_pinged(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False)
    assert pings.ping(webhook, by=cast.admin).state is DeliveryState.PENDING


def test_ten_pings_and_tests_a_minute_and_then_it_says_when_to_come_back(cast: Cast, make: Make) -> None:
    webhook, other = make.webhook(by=cast.admin), make.webhook(by=cast.admin)
    for _ in range(9):
        pings.ping(webhook, by=cast.admin)
    pings.test(webhook, "TODO_CREATED", None, by=cast.admin)
    with pytest.raises(TooMany) as caught:
        pings.ping(webhook, by=cast.admin)
    assert 1 <= caught.value.retry_after_s <= 61
    assert pings.ping(other, by=cast.admin)


def test_pings_of_an_earlier_minute_do_not_count(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    for _ in range(10):
        pings.ping(webhook, by=cast.admin)
    with transaction() as session:
        session.execute(sa.update(Delivery).values(created_at=utc_now() - timedelta(seconds=61)))
    assert pings.ping(webhook, by=cast.admin)


def test_a_test_carries_the_catalogues_sample_in_the_webhooks_format(cast: Cast, make: Make) -> None:
    full = make.webhook(by=cast.admin)
    compact = make.webhook(by=cast.admin, payload_format=PayloadFormat.COMPACT)
    in_full = json.loads(log.body(pings.test(full, "TODO_CREATED", None, by=cast.admin)))
    in_short = json.loads(log.body(pings.test(compact, "TODO_CREATED", None, by=cast.admin)))
    assert (in_full["event"], in_full["webhook"]["id"]) == ("TODO_CREATED", full.id)
    assert (in_short["event"], in_short["user"]) == ("RECORD_CREATED", {"id": cast.admin.id})
    assert in_short["project"] == {"id": make.project_of(cast.admin).id}


def test_a_test_with_own_values(cast: Cast, make: Make) -> None:
    values = pings.Values(b'{"title":"a"}', b'{"title":"b"}')
    delivery = pings.test(make.webhook(by=cast.admin), "TODO_NAME_CHANGED", values, by=cast.admin)
    body = json.loads(log.body(delivery))
    assert (body["previousValue"], body["currentValue"]) == ({"title": "a"}, {"title": "b"})
    assert delivery.kind is DeliveryKind.TEST


def test_an_unknown_type_and_huge_values_are_refused(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    with pytest.raises(Invalid, match="TODO_EXPLODED"):
        pings.test(webhook, "TODO_EXPLODED", None, by=cast.admin)
    with pytest.raises(Invalid, match="256 KiB"):
        pings.test(webhook, "TODO_CREATED", pings.Values(None, b"1" * (256 * 1024 + 1)), by=cast.admin)
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_strangers_cannot_ping(cast: Cast, make: Make) -> None:
    with pytest.raises(NotFound):
        pings.ping(make.webhook(by=cast.admin), by=cast.teammate)
