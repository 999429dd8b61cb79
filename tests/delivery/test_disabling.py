"""Pausing, probing, warning, disabling: reached and left by what a real receiver answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.delivery.conftest import eventually, publish
from tests.factories import Make
from tests.receiver import Answer, Receiver
from webapp.delivery import claiming, disabling, recording
from webapp.delivery.attempting import attempt
from webapp.delivery.claiming import Claim, Turn
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.delivery.recorder import Recorder
from webapp.delivery.sending import Sender
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Notice,
    Redelivery,
    Webhook,
    WebhookSnapshot,
    WebhookStatus,
    transaction,
    utc_now,
)

Start = Callable[..., Dispatcher]
LEASE = timedelta(minutes=1)


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
    """Failures are tried again after an hour: each event is one attempt, unless a test says otherwise."""
    return make_app(allow_targets=receiver.target, retry_schedule="0,1h,1h,1h,1h,1h,1h,1h,1h,1h")


@pytest.fixture
def webhook(make: Make, receiver: Receiver) -> Webhook:
    return make.webhook(url=receiver.url)


@pytest.fixture
def sender(app: Flask) -> Iterator[Sender]:
    sender = Sender.from_settings(app.extensions["settings"])
    yield sender
    sender.close()


@pytest.fixture
def quick_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days become fractions of a second."""
    monkeypatch.setattr("webapp.delivery.health.WARN_AFTER", timedelta(milliseconds=50))
    monkeypatch.setattr("webapp.delivery.health.DISABLE_AFTER", timedelta(milliseconds=400))
    monkeypatch.setattr("webapp.delivery.health.FIRST_PROBE_AFTER", timedelta(milliseconds=5))
    monkeypatch.setattr("webapp.delivery.health.LONGEST_PROBE_WAIT", timedelta(milliseconds=20))


def claim(slots: int = 1) -> list[Claim]:
    while fan_out():
        pass
    return claiming.claim(Turn("test"), slots=slots, lease=LEASE)


def send(sender: Sender, claims: list[Claim]) -> None:
    disabling.draw(recording.record([attempt(one, sender) for one in claims]))
    db.session.rollback()


def states() -> dict[str, int]:
    db.session.rollback()
    return {
        row[0].value: row[1]
        for row in db.session.execute(sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state))
    }


def notices() -> list[str]:
    return list(db.session.scalars(sa.select(Notice.template).order_by(Notice.seq)))


def test_five_failures_in_a_row_pause_and_the_others_wait_without_losing_an_attempt(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500)
    publish(make, webhook, 9)
    for _ in range(5):
        send(sender, claim())
    assert webhook.health.paused_at is not None
    assert claim(slots=100) == []
    waiting = list(db.session.scalars(sa.select(Delivery).where(Delivery.attempts_made == 0)))
    assert len(waiting) == 4
    assert {one.state for one in waiting} == {DeliveryState.PENDING}


def test_one_probe_goes_out_when_its_time_has_come_and_a_success_opens_again(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender, quick_health: None
) -> None:
    receiver.answers(500, 500, 500, 500, 500, 500, 200)
    publish(make, webhook, 12)
    for _ in range(5):
        send(sender, claim())
    probes = eventually(lambda: claim(slots=100))
    assert [one.is_probe for one in probes] == [True]
    assert claim(slots=100) == []
    send(sender, probes)
    assert webhook.health.probes == 1
    send(sender, eventually(lambda: claim(slots=100)))
    assert (webhook.health.paused_at, webhook.health.failures_in_a_row) == (None, 0)
    assert len(claim(slots=100)) == 5


def test_a_success_in_between_starts_the_count_anew(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500, 500, 500, 500, 200, 500, 500, 500, 500)
    publish(make, webhook, 9)
    for _ in range(9):
        send(sender, claim())
    assert webhook.health.paused_at is None
    assert webhook.health.failures_in_a_row == 4


def test_a_ping_passes_the_pause_and_its_success_opens_again(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500, 500, 500, 500, 500, 200)
    publish(make, webhook, 6)
    for _ in range(5):
        send(sender, claim())
    make.delivery(webhook, kind=DeliveryKind.PING)
    (ping,) = claim()
    assert ping.delivery.kind is DeliveryKind.PING
    send(sender, [ping])
    assert webhook.health.paused_at is None


def test_pings_and_redeliveries_that_fail_do_not_count_against_it(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500)
    settled = make.delivery(webhook, state=DeliveryState.SUCCEEDED)
    for _ in range(3):
        make.delivery(webhook, kind=DeliveryKind.PING)
        with transaction() as session:
            session.add(Redelivery(delivery_seq=settled.seq))
        send(sender, claim(slots=10))
    assert len(receiver.requests) == 6
    assert webhook.health.failures_in_a_row == 0


def test_a_redelivery_passes_the_pause_and_its_success_opens_again(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500, 500, 500, 500, 500, 200)
    publish(make, webhook, 5)
    for _ in range(5):
        send(sender, claim())
    oldest = db.session.scalars(sa.select(Delivery).order_by(Delivery.seq)).first()
    with transaction() as session:
        session.add(Redelivery(delivery_seq=oldest.seq))
    send(sender, claim())
    assert oldest.state is DeliveryState.SUCCEEDED
    assert webhook.health.paused_at is None


@pytest.mark.proves("A71")
def test_410_fails_that_delivery_disables_the_webhook_and_holds_the_others(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(410)
    publish(make, webhook, 4)
    send(sender, claim())
    assert states() == {"failed": 1, "held": 3}
    assert (webhook.enabled, webhook.status, webhook.disabled_because) == (False, WebhookStatus.UNHEALTHY, "gone")
    assert notices() == ["webhook_gone"]
    newest = db.session.get(WebhookSnapshot, webhook.snapshot_seq)
    assert b'"status":"UNHEALTHY","enabled":false' in newest.body
    assert claim(slots=100) == []


@pytest.mark.proves("A71")
def test_the_owner_is_told_at_half_of_the_rule_and_then(
    make: Make,
    webhook: Webhook,
    start_worker: Start,
    receiver: Receiver,
    quick_health: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = 400
    monkeypatch.setattr("webapp.delivery.health.DISABLE_AFTER", timedelta(hours=1))  # half of it comes first, surely
    receiver.answers(500)
    publish(make, webhook, many)
    start_worker()
    eventually(lambda: notices() == ["webhook_disabling_near"], within=20)
    assert db.session.get(Webhook, webhook.id).enabled
    monkeypatch.setattr("webapp.delivery.health.DISABLE_AFTER", timedelta(milliseconds=100))
    eventually(lambda: not db.session.get(Webhook, webhook.id).enabled, within=20)
    assert (webhook.status, webhook.disabled_because) == (WebhookStatus.UNHEALTHY, "failures")
    assert webhook.health.failures_in_a_row >= 20
    assert notices() == ["webhook_disabling_near", "webhook_disabled"]
    assert set(states()) == {"held"}
    assert len(receiver.requests) < many


@pytest.mark.proves("A71")
def test_twenty_failures_in_one_hour_do_not_disable(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.delivery.health.PAUSE_AFTER_FAILURES", 1_000)
    receiver.answers(500)
    publish(make, webhook, 25)
    for _ in range(5):
        send(sender, claim(slots=5))
    assert webhook.health.failures_in_a_row == 25
    assert webhook.enabled
    assert notices() == []


@pytest.mark.proves("F61")
def test_a_result_that_is_recorded_twice_counts_once(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender
) -> None:
    receiver.answers(500)
    publish(make, webhook)
    (one,) = claim()
    result = attempt(one, sender)
    recording.record([result])
    recording.record([result])
    recording.record([result, result])
    db.session.rollback()
    assert webhook.health.failures_in_a_row == 1
    assert db.session.scalars(sa.select(Delivery)).one().attempts_counted == 1


@pytest.mark.proves("F61")
@pytest.mark.parametrize("success_first", [True, False])
def test_a_success_that_races_with_the_disabling_wins(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender, quick_health: None, success_first: bool
) -> None:
    publish(make, webhook, 3)
    good, bad = claim(slots=2)
    with transaction():
        webhook.health.failures_in_a_row = 30
        webhook.health.first_failure_at = utc_now() - timedelta(days=6)
    won = attempt(good, sender)
    receiver.answers(500)
    lost = attempt(bad, sender)
    consequences = [recording.record([one]) for one in ([won, lost] if success_first else [lost, won])]
    for one in consequences if success_first else reversed(consequences):
        disabling.draw(one)
    db.session.rollback()
    assert (webhook.enabled, webhook.status) == (True, WebhookStatus.HEALTHY)
    assert states()["succeeded"] == 1
    assert "held" not in states()


def test_a_success_under_way_undoes_the_disabling_and_what_was_held_goes_on(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender, quick_health: None
) -> None:
    publish(make, webhook, 3)
    good, bad = claim(slots=2)
    with transaction():
        webhook.health.failures_in_a_row = 30
        webhook.health.first_failure_at = utc_now() - timedelta(days=6)
    won = attempt(good, sender)
    receiver.answers(500)
    send(sender, [bad])
    assert not webhook.enabled
    assert notices() == ["webhook_disabled"]
    recorder = Recorder()
    recorder.add(won)
    assert recorder.record() == [won]
    recorder.draw_proven()
    db.session.rollback()
    assert (webhook.enabled, webhook.status, webhook.disabled_because) == (True, WebhookStatus.HEALTHY, None)
    assert notices() == []
    assert states() == {"succeeded": 1, "pending": 2}


def test_one_dead_receiver_does_not_hold_up_a_healthy_one(
    app: Flask, make: Make, start_worker: Start, receiver: Receiver
) -> None:
    with Receiver() as dead:
        app.extensions["settings"].allow_targets = [receiver.target, dead.target]
        dead.answers(Answer(500, delay=0.05))
        broken, healthy = make.webhook(url=dead.url), make.webhook(url=receiver.url)
        publish(make, broken, 60)
        start_worker(threads=4)
        publish(make, healthy, 20)
        receiver.wait_for(20, within=10)
        eventually(lambda: db.session.get(Webhook, broken.id).health.paused_at is not None)
        assert len(dead.requests) < 60


def test_counters_equal_a_recount_after_many_batches(
    make: Make, webhook: Webhook, receiver: Receiver, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.delivery.health.PAUSE_AFTER_FAILURES", 1_000)
    receiver.answers(500, 200, 500, 500, 500, 200, 500)
    publish(make, webhook, 20)
    while claims := claim(slots=3):
        send(sender, claims)
    statuses = list(db.session.scalars(sa.select(Attempt.status).order_by(Attempt.finished_at)))
    since_success = list(itertools.takewhile(lambda status: status != 200, reversed(statuses)))
    assert len(statuses) == 20
    assert webhook.health.failures_in_a_row == len(since_success) > 0
