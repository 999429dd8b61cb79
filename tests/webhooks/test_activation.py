"""Switching webhooks off and on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    NotFound,
    Webhook,
    WebhookStatus,
    Worker,
    transaction,
    utc_now,
)
from webapp.webhooks import activation
from webapp.webhooks.activation import CheckOutcome, HealthCheck


@pytest.fixture
def disabled(cast: Cast, make: Make) -> Webhook:
    return make.webhook(by=cast.admin, enabled=False, disabled_because="owner", disabled_at=utc_now())


def beat(at_age: timedelta = timedelta(0)) -> None:
    with transaction() as session:
        session.add(Worker(id="w:1", host="here", pid=1, threads=1, version="0", beat_at=utc_now() - at_age))


@contextmanager
def worker(app: Flask, settle: Callable[[Delivery], Any]) -> Iterator[None]:
    """Another thread that settles the health check as soon as it sees it, as a worker process would."""
    beat()
    stop = threading.Event()

    def work() -> None:
        with app.app_context():
            while not stop.is_set():
                seq = db.session.scalar(
                    sa.select(Delivery.seq).where(
                        Delivery.kind == DeliveryKind.HEALTH_CHECK, Delivery.next_attempt_at.is_not(None)
                    )
                )
                db.session.rollback()
                if seq is not None:
                    with transaction() as session:
                        delivery = session.get_one(Delivery, seq)
                        delivery.next_attempt_at = None
                        settle(delivery)
                stop.wait(0.01)
            db.session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def succeed(delivery: Delivery) -> None:
    delivery.state, delivery.last_status = DeliveryState.SUCCEEDED, 204


def fail(delivery: Delivery) -> None:
    delivery.state, delivery.last_error = DeliveryState.FAILED, ErrorWord.CONNECT_REFUSED


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_disabling_holds_what_waits_and_keeps_blues_status(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    waiting, in_flight = make.delivery(webhook), make.delivery(webhook, lease_until=utc_now())
    done, ping = make.delivery(webhook, state=DeliveryState.FAILED), make.delivery(webhook, kind="ping")
    activation.disable(webhook, by=cast.admin)
    for delivery in (waiting, in_flight):
        assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.HELD, None)
        assert delivery.held_at is not None
    assert done.state is DeliveryState.FAILED
    assert (ping.state, ping.next_attempt_at is not None) == (DeliveryState.PENDING, True)
    assert (webhook.enabled, webhook.status, webhook.disabled_because) == (False, WebhookStatus.HEALTHY, "owner")
    assert actions() == ["webhook.disabled"]


def test_disabling_twice_changes_nothing_more(cast: Cast, disabled: Webhook) -> None:
    before = disabled.snapshot_seq
    activation.disable(disabled, by=cast.admin)
    assert disabled.snapshot_seq == before
    assert actions() == []


def test_a_passed_health_check_enables(app: Flask, cast: Cast, make: Make, disabled: Webhook) -> None:
    held = make.delivery(disabled, state=DeliveryState.HELD)
    before = disabled.snapshot_seq
    with worker(app, succeed):
        check = activation.enable(disabled, by=cast.admin)
    assert check is not None
    assert (check.outcome, check.status) == (CheckOutcome.PASSED, 204)
    assert (disabled.enabled, disabled.disabled_at, disabled.disabled_because) == (True, None, None)
    assert disabled.snapshot_seq != before
    assert held.state is DeliveryState.HELD
    assert actions() == ["webhook.enabled"]


def test_a_webhook_that_the_system_disabled_is_healthy_again(app: Flask, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False, status=WebhookStatus.UNHEALTHY, disabled_because="gone")
    with transaction():
        webhook.health.failures_in_a_row = 23
        webhook.health.paused_at = utc_now()
    with worker(app, succeed):
        activation.enable(webhook, by=cast.admin)
    assert (webhook.enabled, webhook.status) == (True, WebhookStatus.HEALTHY)
    assert (webhook.health.failures_in_a_row, webhook.health.paused_at) == (0, None)


def test_a_failed_health_check_leaves_it_off_and_says_why(app: Flask, cast: Cast, disabled: Webhook) -> None:
    with worker(app, fail):
        activation.enable(disabled, by=cast.admin)
    kept = HealthCheck.of(disabled)
    assert kept is not None
    assert (disabled.enabled, kept.outcome, kept.error) == (False, CheckOutcome.FAILED, "connect_refused")
    assert kept.delivery_id == db.session.scalars(sa.select(Delivery.id)).one()
    assert actions() == ["webhook.enabling_failed"]


@pytest.mark.parametrize("has_silent_worker", [False, True])
def test_without_a_living_worker_it_stays_off_at_once_and_nothing_is_sent(
    cast: Cast, disabled: Webhook, has_silent_worker: bool
) -> None:
    if has_silent_worker:
        beat(timedelta(seconds=61))
    activation.enable(disabled, by=cast.admin)
    kept = HealthCheck.of(disabled)
    assert kept is not None
    assert (disabled.enabled, kept.outcome) == (False, CheckOutcome.NO_WORKER)
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_a_health_check_that_nobody_sends_in_time_is_cancelled(
    cast: Cast, disabled: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "WAIT", timedelta(milliseconds=100))
    beat()
    activation.enable(disabled, by=cast.admin)
    delivery = db.session.scalars(sa.select(Delivery)).one()
    kept = HealthCheck.of(disabled)
    assert kept is not None
    assert (disabled.enabled, kept.outcome) == (False, CheckOutcome.NO_ANSWER)
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.CANCELLED, None)


def test_enabling_one_that_is_on_sends_nothing(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    assert activation.enable(webhook, by=cast.admin) is None
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_strangers_can_switch_nothing(cast: Cast, make: Make, disabled: Webhook) -> None:
    webhook = make.webhook(by=cast.admin)
    with pytest.raises(NotFound):
        activation.disable(webhook, by=cast.stranger)
    with pytest.raises(NotFound):
        activation.enable(disabled, by=cast.stranger)
    assert (webhook.enabled, disabled.enabled) == (True, False)


def test_a_url_that_was_changed_during_the_check_is_not_switched_on(app: Flask, disabled: Webhook, cast: Cast) -> None:
    def succeed_elsewhere(delivery: Delivery) -> None:
        succeed(delivery)
        delivery.webhook.url = "https://example.com/another"

    with worker(app, succeed_elsewhere):
        check = activation.enable(disabled, by=cast.admin)
    assert check is not None
    assert check.outcome is CheckOutcome.URL_CHANGED
    assert not disabled.enabled
