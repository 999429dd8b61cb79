"""A worker inside the test: from an event to a signed request at a real receiver, and back into the rows."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from standardwebhooks import Webhook as Verifier

from tests.delivery.conftest import eventually, settled
from tests.factories import SECRET, Make
from tests.receiver import Answer, Receiver
from webapp.delivery import attempting, claiming, dispatching, heartbeats, outbox, recording
from webapp.delivery.attempting import attempt
from webapp.delivery.claiming import Turn
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.delivery.sending import Sender
from webapp.extensions import bell, db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Event,
    PayloadFormat,
    Redelivery,
    Webhook,
    transaction,
    utc_now,
)
from webapp.models.base import keyring

Start = Callable[..., Dispatcher]


def publish(make: Make, webhook: Webhook, title: str = "Größe – 100 €") -> Event:
    project = make.project_of(webhook.created_by)
    with transaction():
        return outbox.publish(
            "TODO_CREATED", project=project, by=webhook.created_by, current={"id": "c1", "title": title}
        )


@pytest.mark.proves("A51")
def test_an_event_becomes_a_signed_request_and_a_settled_delivery(
    start_worker: Start, make: Make, receiver: Receiver
) -> None:
    webhook = make.webhook(url=receiver.url + "hooks?x=1")
    start_worker()
    event = publish(make, webhook)
    bell.ring()
    (request,) = receiver.wait_for(1)
    (delivery,) = settled()

    assert (request.method, request.path) == ("POST", "/hooks?x=1")
    assert list(json.loads(request.body)) == ["event", "webhook", "currentValue"]
    assert "Größe – 100 €".encode() in request.body
    assert request.header("X-Signature") == hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    Verifier(SECRET).verify(request.body, {name.lower(): value for name, value in request.headers})
    assert request.header("webhook-id") == delivery.id
    assert request.header("X-Webhook-Event") == "TODO_CREATED"
    assert request.header("X-Webhook-Event-Id") == event.id
    assert request.header("X-Webhook-Attempt") == "1"
    assert request.header("X-Webhook-Test") is None

    assert (delivery.state, delivery.last_status, delivery.next_attempt_at) == (DeliveryState.SUCCEEDED, 200, None)
    assert delivery.body_sha256 == hashlib.sha256(request.body).hexdigest()
    (only,) = delivery.attempts
    assert (only.status, only.response_body, only.peer) == (200, b"ok", "127.0.0.1")
    assert ["X-Webhook-Attempt", "1"] in only.request_headers
    assert only.total_ms > 0


def test_a_receiver_that_fails_twice_gets_three_identical_bodies(
    start_worker: Start, make: Make, receiver: Receiver
) -> None:
    receiver.answers(500, 500, 200)
    webhook = make.webhook(url=receiver.url)
    publish(make, webhook)
    start_worker()
    first, second, third = receiver.wait_for(3)
    (delivery,) = settled()
    assert first.body == second.body == third.body
    assert {one.header("webhook-id") for one in (first, second, third)} == {delivery.id}
    assert [one.header("X-Webhook-Attempt") for one in (first, second, third)] == ["1", "2", "3"]
    assert [one.status for one in delivery.attempts] == [500, 500, 200]
    assert delivery.state is DeliveryState.SUCCEEDED


def test_a_receiver_that_never_recovers_ends_as_failed(start_worker: Start, make: Make, receiver: Receiver) -> None:
    receiver.answers(503)
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    (delivery,) = settled()
    assert (delivery.state, delivery.attempts_counted, len(delivery.attempts)) == (DeliveryState.FAILED, 4, 4)


def test_410_ends_a_delivery_after_one_attempt(start_worker: Start, make: Make, receiver: Receiver) -> None:
    receiver.answers(410)
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    (delivery,) = settled()
    assert (delivery.state, delivery.reason, len(delivery.attempts)) == (DeliveryState.FAILED, "gone", 1)


def test_retry_after_moves_the_next_attempt(start_worker: Start, make: Make, receiver: Receiver) -> None:
    receiver.answers(Answer(429, headers=(("Retry-After", "3600"),)))
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    delivery = eventually(lambda: db.session.scalars(sa.select(Delivery).where(Delivery.attempts_counted == 1)).first())
    assert delivery.next_attempt_at - utc_now() > timedelta(minutes=59)


def test_a_private_address_is_refused_without_a_connection(start_worker: Start, make: Make) -> None:
    with Receiver(host="127.0.0.5") as canary:
        publish(make, make.webhook(url=f"https://127.0.0.5:{canary.port}/"))
        start_worker()
        (delivery,) = settled()
        assert canary.connections == 0
    assert delivery.last_error is ErrorWord.ADDRESS_REFUSED
    assert delivery.state is DeliveryState.FAILED


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_secret_that_cannot_be_read_is_a_config_error_and_others_go_on(
    start_worker: Start, make: Make, receiver: Receiver, is_encrypted: bool
) -> None:
    ciphertext = keyring().encrypt(b"whsec_no base64").decode() if is_encrypted else "gAAAAAnonsense"
    broken = make.webhook(url=receiver.url, secret_ciphertext=ciphertext)
    publish(make, broken)
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    rows = settled(2)
    assert {row.webhook_id == broken.id: row.last_error for row in rows} == {True: ErrorWord.CONFIG_ERROR, False: None}
    assert len(receiver.requests) == 1


def test_the_compact_format_says_who_did_it(start_worker: Start, make: Make, receiver: Receiver) -> None:
    webhook = make.webhook(url=receiver.url, payload_format=PayloadFormat.COMPACT)
    publish(make, webhook, title="X")
    start_worker()
    (request,) = receiver.wait_for(1)
    body = json.loads(request.body)
    assert list(body) == ["event", "record", "company", "project", "user"]
    assert (body["event"], body["user"]) == ("RECORD_CREATED", {"id": webhook.created_by_id})
    assert request.header("X-Webhook-Event") == "RECORD_CREATED"


def test_without_a_secret_nothing_is_signed(start_worker: Start, make: Make, receiver: Receiver) -> None:
    publish(make, make.webhook(url=receiver.url, secret=None))
    start_worker()
    (request,) = receiver.wait_for(1)
    assert request.header("X-Signature") is request.header("webhook-signature") is None
    assert request.header("webhook-id")
    assert request.header("webhook-timestamp")


def test_a_ping_is_blues_two_key_body(start_worker: Start, make: Make, receiver: Receiver) -> None:
    delivery = make.delivery(make.webhook(url=receiver.url), kind=DeliveryKind.PING)
    start_worker()
    (request,) = receiver.wait_for(1)
    settled()
    assert list(json.loads(request.body)) == ["event", "webhook"]
    assert request.header("X-Webhook-Event") == "WEBHOOK_HEALTH_CHECK"
    assert request.header("X-Webhook-Event-Id") is None
    assert delivery.state is DeliveryState.SUCCEEDED


def test_a_redelivery_by_hand_repeats_the_bytes_and_never_turns_success_back(
    start_worker: Start, make: Make, receiver: Receiver
) -> None:
    receiver.answers(200, 500)
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    (delivery,) = settled()
    with transaction() as session:
        session.add(Redelivery(delivery_seq=delivery.seq))
    bell.ring()
    first, second = receiver.wait_for(2)
    eventually(lambda: [one.status for one in delivery.attempts] == [200, 500])
    assert first.body == second.body
    assert first.header("webhook-id") == second.header("webhook-id")
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.SUCCEEDED, None)
    assert db.session.scalars(sa.select(Redelivery)).one().finished_at is not None


def test_a_success_by_hand_stops_the_retries(app: Flask, start_worker: Start, make: Make, receiver: Receiver) -> None:
    app.extensions["settings"].retry_schedule = [timedelta(0), timedelta(hours=1)]
    receiver.answers(500, 200)
    publish(make, make.webhook(url=receiver.url))
    start_worker()
    delivery = eventually(lambda: db.session.scalars(sa.select(Delivery).where(Delivery.attempts_counted == 1)).first())
    with transaction() as session:
        session.add(Redelivery(delivery_seq=delivery.seq))
    bell.ring()
    eventually(lambda: delivery.state is DeliveryState.SUCCEEDED)
    assert delivery.next_attempt_at is None


def test_a_result_after_the_lease_ran_out_is_kept_as_late_and_overwrites_nothing(
    app: Flask, make: Make, receiver: Receiver
) -> None:
    receiver.answers(200, 500)
    publish(make, make.webhook(url=receiver.url))
    fan_out()
    sender = Sender.from_settings(app.extensions["settings"])
    slow, quick = Turn("slow"), Turn("quick")
    (old,) = claiming.claim(slow, slots=1, lease=timedelta(0))
    with transaction() as session:
        session.execute(sa.update(Delivery).values(lease_until=None))
    (new,) = claiming.claim(quick, slots=1, lease=timedelta(minutes=1))
    late = attempt(old, sender)
    recording.record([late])
    db.session.rollback()
    delivery = db.session.scalars(sa.select(Delivery)).one()
    assert (delivery.state, delivery.claim_token, delivery.is_in_flight) == (DeliveryState.PENDING, new.token, True)
    recording.record([attempt(new, sender)])
    sender.close()
    db.session.rollback()
    assert delivery.attempts_counted == 1
    assert [(one.status, one.is_late) for one in delivery.attempts] == [(200, True), (500, False)]


def test_many_events_reach_many_webhooks_each_once(start_worker: Start, make: Make, receiver: Receiver) -> None:
    owner = make.user()
    project = make.project(owner)
    for _ in range(3):
        make.webhook(by=owner, url=receiver.url)
    with transaction():
        for number in range(60):
            outbox.publish("TODO_CREATED", project=project, by=owner, current={"id": f"c{number}"})
    start_worker(threads=8)
    start_worker(threads=8)
    receiver.wait_for(180, within=20)
    rows = settled(180)
    assert all(row.state is DeliveryState.SUCCEEDED for row in rows)
    assert len({one.header("webhook-id") for one in receiver.requests}) == len(receiver.requests) == 180


def test_stopping_finishes_what_is_in_flight_and_gives_the_rest_back(
    app: Flask, make: Make, receiver: Receiver
) -> None:
    receiver.answers(Answer(200, delay=0.3))
    webhook = make.webhook(url=receiver.url)
    for _ in range(12):
        publish(make, webhook, title="X")
    worker = Dispatcher(app, threads=2)
    worker.start()
    receiver.wait_for(1)
    worker.stop()
    db.session.rollback()
    rows = list(db.session.scalars(sa.select(Delivery)))
    assert all(row.lease_until is None for row in rows)
    done = [row for row in rows if row.state is DeliveryState.SUCCEEDED]
    assert len(done) == len(receiver.requests) < 12
    assert all(row.attempts_made == len(row.attempts) for row in rows)
    assert not heartbeats.is_any_alive()


def test_a_worker_is_seen_to_live(start_worker: Start, app: Flask) -> None:
    assert not heartbeats.is_any_alive()
    start_worker()
    assert eventually(heartbeats.is_any_alive)


def test_a_health_check_ends_after_its_own_limit_and_a_ping_has_the_usual_one(
    start_worker: Start, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=7) == attempting.HEALTH_CHECK_LIMIT
    monkeypatch.setattr(attempting, "HEALTH_CHECK_LIMIT", timedelta(seconds=0.2))
    receiver.answers(Answer(delay=3.0))
    webhook = make.webhook(url=receiver.url)
    for kind in (DeliveryKind.HEALTH_CHECK, DeliveryKind.PING):
        make.delivery(webhook, kind=kind)
    start_worker()
    check, ping = settled(2, within=10)
    assert (check.state, check.last_error) == (DeliveryState.FAILED, ErrorWord.TIMED_OUT)
    assert ping.state is DeliveryState.SUCCEEDED


def test_new_events_are_fanned_out_also_while_every_slot_is_taken(
    start_worker: Start, make: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "LOOK_EVERY_S", 60.0)
    receiver.answers(Answer(200, delay=2.0))
    owner = make.user()
    project = make.project(owner)
    for _ in range(7):  # five slots of each are more than one thread and its read-ahead
        make.webhook(by=owner, url=receiver.url)

    def publish_many(count: int) -> None:
        with transaction():
            for number in range(count):
                outbox.publish("TODO_CREATED", project=project, by=owner, current={"id": f"c{number}"})

    publish_many(5)
    start_worker(threads=1)
    receiver.wait_for(1)
    publish_many(450)
    bell.ring()
    waiting = sa.select(sa.func.count()).where(Event.fanned_out_at.is_(None))
    eventually(lambda: db.session.scalar(waiting) == 0, within=10)
