"""What a worker claims ahead for a quick receiver: sent in lanes, and given back where that is quick no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from tests.delivery.conftest import eventually, publish, settled
from tests.factories import Make
from tests.receiver import Answer, Receiver
from webapp.delivery import dispatching, hand, paces, recorder, recording
from webapp.delivery.choosing import BORROWED_IN_FLIGHT, CLAIMED_AHEAD
from webapp.delivery.claiming import MAX_CLAIMS
from webapp.delivery.claims import Claim
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.health import PAUSE_AFTER_FAILURES
from webapp.delivery.paces import SLOW_S
from webapp.delivery.recording import Result
from webapp.delivery.senders import Senders
from webapp.delivery.tallying import Consequence
from webapp.extensions import bell, db
from webapp.models import Delivery, DeliveryState

Start = Callable[..., Dispatcher]
QUICK_ANSWERS = 20


@pytest.fixture
def claimed_ahead(start_worker: Start, make: Make, receiver: Receiver) -> Callable[[Answer], Dispatcher]:
    """Starts a worker that has claimed ahead for a receiver which was quick and answers like this from now on."""

    def start(then: Answer) -> Dispatcher:
        receiver.answers(*[Answer(200)] * QUICK_ANSWERS, then)
        webhook = make.webhook(url=receiver.url)
        dispatcher = start_worker()
        publish(make, webhook, QUICK_ANSWERS)
        bell.ring()
        settled(QUICK_ANSWERS)
        publish(make, webhook, CLAIMED_AHEAD)
        bell.ring()
        receiver.wait_for(QUICK_ANSWERS + BORROWED_IN_FLIGHT)
        return dispatcher

    return start


def leased() -> int:
    db.session.rollback()
    count = db.session.scalar(sa.select(sa.func.count()).select_from(Delivery).where(Delivery.lease_until.is_not(None)))
    return count or 0


def test_a_quick_receiver_that_turns_slow_never_has_more_than_its_cap_to_answer_at_once(
    claimed_ahead: Callable[[Answer], Dispatcher], receiver: Receiver
) -> None:
    dispatcher = claimed_ahead(Answer(200, delay=1.5))
    assert leased() > BORROWED_IN_FLIGHT
    assert len(receiver.requests) == QUICK_ANSWERS + BORROWED_IN_FLIGHT
    dispatcher.stop()
    assert leased() == 0


def test_a_quick_receiver_goes_on_getting_requests_while_outcomes_are_written(
    claimed_ahead: Callable[[Answer], Dispatcher], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (paces, hand):
        monkeypatch.setattr(module, "QUICK_S", SLOW_S)  # also on a busy machine
    monkeypatch.setattr(recorder, "BEHIND_AFTER_S", 60.0)
    is_seen = threading.Event()
    record = recording.record

    def record_late(results: Sequence[Result]) -> list[Consequence]:
        if len(receiver.requests) > QUICK_ANSWERS:
            is_seen.wait(30)
        return record(results)

    monkeypatch.setattr(recording, "record", record_late)
    try:
        claimed_ahead(Answer(200, delay=0.03))
        receiver.wait_for(QUICK_ANSWERS + MAX_CLAIMS, within=20)
        recorded = db.session.scalar(sa.select(sa.func.count()).where(Delivery.state == DeliveryState.SUCCEEDED))
    finally:
        is_seen.set()
    assert recorded == QUICK_ANSWERS


def test_a_lane_that_moves_on_while_the_worker_stops_holds_nothing_back(
    claimed_ahead: Callable[[Answer], Dispatcher], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (paces, hand):
        monkeypatch.setattr(module, "QUICK_S", SLOW_S)
    close = Senders.close

    def close_slowly(senders: Senders) -> list[Claim]:
        left = close(senders)
        time.sleep(0.3)  # what is on its way succeeds meanwhile
        return left

    dispatcher = claimed_ahead(Answer(200, delay=0.1))
    monkeypatch.setattr(Senders, "close", close_slowly)
    stopping = threading.Thread(target=dispatcher.stop, daemon=True)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()
    assert leased() == 0


def test_what_was_claimed_ahead_is_given_back_when_the_receiver_keeps_it_waiting(
    claimed_ahead: Callable[[Answer], Dispatcher], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "LONGEST_IN_LANE_S", 0.2)
    monkeypatch.setattr(dispatching, "LOOK_EVERY_S", 0.1)
    claimed_ahead(Answer(200, delay=1.8))
    eventually(lambda: leased() == BORROWED_IN_FLIGHT, within=1.7)
    assert len(receiver.requests) == QUICK_ANSWERS + BORROWED_IN_FLIGHT
    tried = sa.select(sa.func.count()).select_from(Delivery).where(Delivery.attempts_made > 0)
    assert db.session.scalar(tried) == QUICK_ANSWERS + BORROWED_IN_FLIGHT


@pytest.mark.parametrize(("status", "state"), [(410, DeliveryState.HELD), (500, DeliveryState.PENDING)])
def test_what_was_claimed_ahead_loses_no_attempt_when_the_receiver_begins_to_fail(
    claimed_ahead: Callable[[Answer], Dispatcher], receiver: Receiver, status: int, state: DeliveryState
) -> None:
    claimed_ahead(Answer(status, delay=0.1))
    untried = sa.select(sa.func.count()).where(Delivery.attempts_made == 0, Delivery.state == state)
    most = BORROWED_IN_FLIGHT + PAUSE_AFTER_FAILURES
    eventually(lambda: leased() == 0 and db.session.scalar(untried))
    assert db.session.scalar(untried) >= CLAIMED_AHEAD - most
    assert len(receiver.requests) <= QUICK_ANSWERS + most
