"""What people do while deliveries wait or are under way, with a real worker and a real receiver."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.delivery.conftest import eventually, publish
from tests.factories import Make
from tests.receiver import Answer, Raw, Receiver
from webapp.delivery import attempting, dispatching
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, ErrorWord, Webhook, transaction, utc_now
from webapp.webhooks import activation, editing, redelivery

Start = Callable[..., Dispatcher]
LIMIT_S = 0.5
GRACE = timedelta(seconds=0.5)


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
    """Deadlines are short, leases are long: what is bounded by the one must not be bounded by the other alone."""
    return make_app(allow_targets=receiver.target, retry_schedule="0,50ms,50ms,50ms", request_timeout=f"{LIMIT_S}s")


def states(webhook: Webhook) -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(
        sa.select(Delivery.state, sa.func.count()).where(Delivery.webhook_id == webhook.id).group_by(Delivery.state)
    )
    return {state.value: count for state, count in rows}


def last_arrival(receiver: Receiver, path: str) -> datetime:
    times = [request.received_at for request in receiver.requests if request.path == path]
    return max(times, default=datetime(2000, 1, 1, tzinfo=UTC))


@pytest.mark.proves("F35")
def test_a_url_that_is_no_longer_valid_is_a_config_error_and_others_go_on(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    broken, whole = make.webhook(url="https://exa mple.com/\\@x"), make.webhook(url=receiver.url)
    publish(make, broken, 1)
    publish(make, whole, 3)
    start_worker()
    eventually(lambda: states(broken) == {"failed": 1} and states(whole) == {"succeeded": 3})
    found = db.session.scalars(sa.select(Attempt).where(Attempt.status.is_(None))).all()
    assert {attempt.error for attempt in found} == {ErrorWord.CONFIG_ERROR}
    assert {attempt.url for attempt in found} == {broken.url}
    assert all(attempt.sentence for attempt in found)
    assert len(found) == 4  # counted like any failure


@pytest.mark.proves("F37")
def test_what_waits_goes_to_the_new_url_and_the_old_one_gets_nothing_after_the_deadline(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    old, new = f"{receiver.url}old", f"{receiver.url}new"
    webhook = make.webhook(url=old)
    receiver.answers(Answer(200, delay=0.05), path="/old")
    publish(make, webhook, 100)
    start_worker(threads=4)
    receiver.wait_for(10)

    editing.edit(webhook, {"url": new}, by=webhook.created_by)
    edited_at = datetime.now(UTC)

    eventually(lambda: states(webhook) == {"succeeded": 100}, within=20)
    assert last_arrival(receiver, "/old") <= edited_at + timedelta(seconds=LIMIT_S) + GRACE
    used = Counter(db.session.scalars(sa.select(Attempt.url).where(Attempt.finished_at.is_not(None))))
    arrived = Counter(request.path for request in receiver.requests)
    assert used == {old: arrived["/old"], new: arrived["/new"]}
    assert arrived["/new"] > 50


@pytest.mark.proves("F38")
def test_what_waits_for_a_deleted_webhook_is_cancelled(make: Make, start_worker: Start, receiver: Receiver) -> None:
    webhook = make.webhook(url=f"{receiver.url}gone")
    receiver.answers(Answer(200, delay=0.1), path="/gone")
    publish(make, webhook, 400)
    start_worker(threads=4)
    receiver.wait_for(10)

    editing.delete(webhook, by=webhook.created_by)
    deleted_at = datetime.now(UTC)

    eventually(lambda: set(states(webhook)) == {"succeeded", "cancelled"})
    time.sleep(LIMIT_S)  # nothing tells that nothing comes
    eventually(lambda: db.session.scalar(sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None))) == 0)
    assert last_arrival(receiver, "/gone") <= deleted_at + timedelta(seconds=LIMIT_S) + GRACE
    assert states(webhook)["succeeded"] == len(receiver.requests)
    cancelled = db.session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.CANCELLED)).first()
    assert cancelled.reason == "webhook_deleted"


@pytest.mark.proves("A70")
@pytest.mark.parametrize("act", [activation.disable, editing.delete])
def test_nothing_is_sent_later_than_the_deadline_after_disabling_or_deleting(
    make: Make, start_worker: Start, receiver: Receiver, act: Callable[..., None]
) -> None:
    """Also what a worker had claimed and could not begin, as all its threads were busy with somebody else's."""
    receiver.answers(Answer(200, delay=LIMIT_S * 0.8), path="/slow")
    slow, webhook = make.webhook(url=f"{receiver.url}slow"), make.webhook(url=f"{receiver.url}off")
    publish(make, slow, 8)
    publish(make, webhook, 30)
    fan_out()
    start_worker(threads=1)
    eventually(lambda: db.session.scalar(sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None))) > 8)

    act(webhook, by=webhook.created_by)
    done_at = datetime.now(UTC)

    eventually(
        lambda: db.session.scalar(sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None))) == 0, within=10
    )
    assert last_arrival(receiver, "/off") <= done_at + timedelta(seconds=LIMIT_S) + GRACE
    assert set(states(webhook)) <= {"succeeded", "held", "cancelled"}


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.proves("A70")
def test_a_thousand_times_nothing_is_sent_later_than_the_deadline(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    start_worker(threads=8)
    for number in range(1000):
        path = f"/{number}"
        receiver.answers(Answer(200, delay=random.uniform(0, 0.1)), path=path)
        webhook = make.webhook(url=f"{receiver.url}{number}")
        publish(make, webhook, 12)
        time.sleep(random.uniform(0, 0.15))
        random.choice([activation.disable, editing.delete])(webhook, by=webhook.created_by)
        done_at = datetime.now(UTC)
        receiver.clear() if number % 50 == 0 else None
        if number % 10 == 9:
            time.sleep(LIMIT_S)
        assert last_arrival(receiver, path) <= done_at + timedelta(seconds=LIMIT_S) + GRACE
    eventually(lambda: db.session.scalar(sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None))) == 0)
    begun = db.session.execute(
        sa.select(Attempt.started_at, sa.func.coalesce(Webhook.deleted_at, Webhook.disabled_at))
        .join(Delivery, Delivery.seq == Attempt.delivery_seq)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Attempt.started_at.is_not(None))
    ).all()
    latest = max(started_at - ended_at for started_at, ended_at in begun)
    print(f"{len(begun)} attempts, the latest began {latest.total_seconds():.3f} s after the end of its webhook")
    assert latest <= timedelta(seconds=LIMIT_S)


@pytest.mark.proves("F41")
def test_fifty_redeliveries_by_hand_race_with_retries_that_are_due(
    app: Flask, make: Make, start_worker: Start, receiver: Receiver
) -> None:
    """One of them at a time; the success of either stops the retries; same webhook-id, same bytes."""
    webhook = make.webhook(url=receiver.url)
    project = make.project_of(webhook.created_by)
    with transaction():
        for _ in range(50):
            event = make.event(project, fanned_out_at=utc_now())
            make.delivery(webhook, event, attempts_counted=1, next_attempt_at=utc_now() + timedelta(seconds=0.4))
    seqs = list(db.session.scalars(sa.select(Delivery.seq)))
    start_worker(threads=8)
    refused: list[str] = []

    def ask(mine: list[int]) -> None:
        with app.app_context():
            for seq in mine:
                delivery = db.session.get_one(Delivery, seq)
                try:
                    redelivery.redeliver(delivery, by=delivery.webhook.created_by)
                except redelivery.Conflict as conflict:
                    refused.append(str(conflict))

    people = [threading.Thread(target=ask, args=(seqs[place::4],)) for place in range(4)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    eventually(lambda: states(webhook) == {"succeeded": 50}, within=20)
    open_wishes = sa.select(sa.func.count()).select_from(redelivery.Redelivery)
    eventually(lambda: db.session.scalar(open_wishes.where(redelivery.Redelivery.finished_at.is_(None))) == 0)

    sent = Counter(request.header("webhook-id") for request in receiver.requests)
    attempts = Counter(db.session.scalars(sa.select(Delivery.id).join(Attempt, Attempt.delivery_seq == Delivery.seq)))
    assert sent == attempts
    assert len(sent) == 50
    assert set(sent.values()) <= {1, 2}
    by_hand = db.session.scalar(sa.select(sa.func.count()).where(Attempt.redelivery_seq.is_not(None)))
    assert by_hand == 50 - len(refused)
    bodies = {(request.header("webhook-id"), request.body) for request in receiver.requests}
    assert len(bodies) == 50


@pytest.mark.proves("F41")
def test_a_success_by_hand_while_a_retry_waits_is_the_last_request(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    receiver.answers(500, 200)
    webhook = make.webhook(url=receiver.url)
    publish(make, webhook, 1)
    start_worker()
    receiver.wait_for(1)
    eventually(lambda: states(webhook) == {"succeeded": 1})
    time.sleep(0.2)  # four times the wait before a retry
    assert len(receiver.requests) == 2


@pytest.mark.proves("A73")
def test_a_delivery_that_never_leads_to_an_outcome_is_stuck_and_the_rest_moves_on(
    make: Make,
    start_worker: Start,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    webhook = make.webhook(url=receiver.url)
    publish(make, webhook, 20)
    fan_out()
    poisoned = db.session.scalars(sa.select(Delivery.id).order_by(Delivery.seq)).first()
    send = attempting.attempt

    def fall_over(claim: attempting.Claim, sender: attempting.Sender) -> attempting.Result:
        if claim.delivery.id == poisoned:
            raise MemoryError
        return send(claim, sender)

    monkeypatch.setattr(attempting, "attempt", fall_over)
    monkeypatch.setattr(dispatching, "LOOK_EVERY_S", 0.1)
    worker = start_worker()
    worker._settings.lease_seconds = 0.3
    eventually(lambda: states(webhook).get("succeeded") == 19)
    eventually(lambda: states(webhook) == {"succeeded": 19, "stuck": 1}, within=20)
    stuck = db.session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.STUCK)).one()
    assert (stuck.id, stuck.next_attempt_at, stuck.claims) == (poisoned, None, 5)
    assert [attempt.is_known for attempt in stuck.attempts] == [False] * 5
    assert stuck.settled_at - stuck.created_at < timedelta(seconds=60)


@pytest.mark.proves("A32")
def test_a_hundred_answers_cut_inside_the_head_are_recorded_as_failed(
    make: Make, start_worker: Start, receiver: Receiver
) -> None:
    """The library would report the status line, 200, of each."""
    receiver.answers(Raw([b"HTTP/1.1 200 OK\r\n", b"Content-Type: text/plain\r\n"], then="silence"))
    webhooks = [make.webhook(url=receiver.url) for _ in range(25)]
    for webhook in webhooks:
        publish(make, webhook, 4)  # one more in a row would pause it
    start_worker()
    first = sa.select(Attempt).where(Attempt.number == 1, Attempt.finished_at.is_not(None))
    attempts = eventually(lambda: found if len(found := db.session.scalars(first).all()) == 100 else None, within=30)
    assert {(attempt.status, attempt.error) for attempt in attempts} == {(None, ErrorWord.TIMED_OUT)}
    assert db.session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.SUCCEEDED)).all() == []


WAITS = [  # status, Retry-After, the wait in seconds: at least, at most
    (429, "30", 30, 30),
    (503, "30", 30, 30),
    (500, "30", 4, 6),
    (429, "0", 4, 6),
    (429, "-1", 4, 6),
    (429, "3", 4, 6),
    (503, "1000000000", 86_400, 86_400),
    (503, "9" * 10_000, 4, 6),
    (503, "Sun, 06 Nov 1994 08:49:37 GMT", 4, 6),
    (503, "Fri, 31 Dec 9999 23:59:59 GMT", 86_400, 86_400),
    (429, "soon", 4, 6),
    (429, "1e9", 4, 6),
    (429, "0x20", 4, 6),
    (429, "\x1b[31m", 4, 6),
    (429, "", 4, 6),
]


@pytest.mark.proves("F54")
def test_what_a_receiver_asks_for_moves_the_next_attempt_only_later_and_by_a_day_at_most(
    app: Flask, make: Make, start_worker: Start, receiver: Receiver
) -> None:
    app.extensions["settings"].retry_schedule = [timedelta(0), timedelta(seconds=5)]
    for number, (status, asked, _, _) in enumerate(WAITS):
        receiver.answers(Answer(status, headers=(("Retry-After", asked),)), path=f"/{number}")
        publish(make, make.webhook(url=f"{receiver.url}{number}"), 1)
    start_worker()
    tried = sa.select(Delivery).where(Delivery.attempts_counted == 1)
    eventually(lambda: len(db.session.scalars(tried).all()) == len(WAITS))
    rows = db.session.execute(
        sa.select(Webhook.url, Delivery.next_attempt_at, Attempt.finished_at)
        .join(Delivery, Delivery.webhook_id == Webhook.id)
        .join(Attempt, Attempt.delivery_seq == Delivery.seq)
    )
    for url, next_at, finished_at in rows:
        status, asked, least, most = WAITS[int(url.rpartition("/")[2])]
        wait = (next_at - finished_at).total_seconds()
        assert least - 0.1 <= wait <= most + 3, (status, asked[:40], wait)
