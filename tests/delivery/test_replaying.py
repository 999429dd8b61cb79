"""Replays at work: in pace, behind new events, once each, through kills, stops and pauses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.receiver import Answer, Receiver
from webapp.delivery import claiming, dispatching, leases, replaying
from webapp.delivery.cancelling import cancel_for_lost_role
from webapp.delivery.claiming import Turn
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.replaying import MAX_OPEN, MAX_OPEN_PER_REPLAY, Chosen, advance
from webapp.extensions import bell, db
from webapp.models import (
    Delivery,
    DeliveryState,
    ProjectMember,
    Redelivery,
    Replay,
    Role,
    Webhook,
    transaction,
    utc_now,
)
from webapp.webhooks import activation, editing, replays

Start = Callable[..., Dispatcher]

YESTERDAY = timedelta(days=1)


@pytest.fixture
def webhook(make: Make, receiver: Receiver) -> Webhook:
    return make.webhook(url=receiver.url)


def settled(make: Make, webhook: Webhook, count: int, state: str = "failed", **values: Any) -> list[Delivery]:
    project = make.project_of(webhook.created_by)
    with transaction():
        return [
            make.delivery(
                webhook,
                make.event(project, fanned_out_at=utc_now()),
                state=state,
                **{"settled_at": utc_now(), "attempts_made": 3, "attempts_counted": 3, **values},
            )
            for _ in range(count)
        ]


def replay(webhook: Webhook, *states: DeliveryState) -> Replay:
    chosen = Chosen(utc_now() - YESTERDAY, states=states or (DeliveryState.FAILED,))
    return replays.start(webhook, chosen, by=webhook.created_by)


def wishes() -> list[Redelivery]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Redelivery).order_by(Redelivery.seq)))


def finish(*done: Redelivery) -> None:
    with transaction():
        for wish in done:
            wish.finished_at = utc_now()


def is_over(one: Replay) -> bool:
    """Also looks and rings, as a worker does."""
    advance()
    bell.ring()
    db.session.rollback()
    return one.finished_at is not None


def test_failed_deliveries_are_sent_again_once_each_and_become_succeeded(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    deliveries = settled(make, webhook, 40)
    others = settled(make, webhook, 3, "succeeded") + settled(make, make.webhook(by=webhook.created_by), 2)
    start_worker()
    start_worker()
    one = replay(webhook)
    assert one.total == 40
    eventually(lambda: is_over(one), within=20)
    sent = [request.header("webhook-id") for request in receiver.requests]
    assert sorted(sent) == sorted(each.id for each in deliveries)
    assert {each.state for each in deliveries} == {DeliveryState.SUCCEEDED}
    assert [each.attempts_made for each in others] == [3] * 5
    assert replays.progress(one) == replays.Progress(40, 40, succeeded=40, failed=0, open=0)
    assert one.stopped_at is None


def test_one_that_an_older_release_began_ends_too(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    settled(make, webhook, 7)
    one = replay(webhook)
    with transaction():
        one.cursor, one.last_seq = 0, None
    start_worker()
    eventually(lambda: is_over(one))
    assert len(receiver.requests) == 7


def test_what_fails_again_stays_failed_and_is_counted(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    receiver.answers(200, 500, 200, 500)
    deliveries = settled(make, webhook, 4)
    start_worker(threads=1)
    one = replay(webhook)
    eventually(lambda: is_over(one))
    assert replays.progress(one) == replays.Progress(4, 4, succeeded=2, failed=2, open=0)
    assert sorted(str(each.state) for each in deliveries) == ["failed"] * 2 + ["succeeded"] * 2
    assert all(each.next_attempt_at is None for each in deliveries)


def test_only_few_are_asked_for_at_a_time(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 12)
    one = replay(webhook)
    assert advance() == MAX_OPEN_PER_REPLAY
    assert advance() == 0
    first = wishes()
    finish(*first[:2])
    assert advance() == 0
    finish(*first[2:4])
    assert advance() == 4
    assert [wish.replay_seq for wish in wishes()] == [one.seq] * 9
    assert len({wish.delivery_seq for wish in wishes()}) == 9


def test_all_replays_together_leave_room_for_others(make: Make, webhook: Webhook) -> None:
    for other in [make.webhook(by=webhook.created_by) for _ in range(5)]:
        settled(make, other, 10)
        replay(other)
    assert advance() == MAX_OPEN
    assert len(wishes()) == MAX_OPEN


def test_new_events_and_what_people_ask_for_go_first(make: Make, webhook: Webhook) -> None:
    asked, *_ = settled(make, webhook, 6)
    replay(webhook)
    advance()
    fresh = make.delivery(make.webhook(by=webhook.created_by))
    by_hand = settled(make, webhook, 1, "succeeded")[0]
    with transaction() as session:
        session.add(Redelivery(delivery_seq=by_hand.seq))
    claims = claiming.claim(Turn("test:1"), slots=3, lease=timedelta(minutes=1))
    assert [claim.seq for claim in claims] == [by_hand.seq, fresh.seq, asked.seq]


def test_a_killed_worker_loses_nothing_of_it(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    deliveries = settled(make, webhook, 12)
    one = replay(webhook)
    advance()
    claiming.claim(Turn("killed:1"), slots=3, lease=timedelta(0))
    leases.expire()
    start_worker()
    eventually(lambda: is_over(one), within=20)
    assert {each.state for each in deliveries} == {DeliveryState.SUCCEEDED}
    assert {request.header("webhook-id") for request in receiver.requests} == {each.id for each in deliveries}


def test_stopping_leaves_what_is_not_yet_sent_as_it_was(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    receiver.answers(Answer(200, delay=0.2))
    deliveries = settled(make, webhook, 20)
    start_worker(threads=2)
    one = replay(webhook)
    eventually(lambda: (advance(), receiver.requests)[1])
    replays.stop(one, by=webhook.created_by)
    eventually(lambda: all(wish.finished_at for wish in wishes()))
    was_sent = len(receiver.requests)
    assert 0 < was_sent < 20
    assert advance() == 0
    now = [str(each.state) for each in deliveries]
    assert now == ["succeeded"] * was_sent + ["failed"] * (20 - was_sent)
    assert one.stopped_at is not None
    assert replays.progress(one).succeeded == was_sent


def test_one_that_comes_back_unsent_after_the_stop_is_not_sent(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 1)
    one = replay(webhook)
    advance()
    claims = claiming.claim(Turn("test:1"), slots=1, lease=timedelta(minutes=1))
    replays.stop(one, by=webhook.created_by)
    assert [wish.finished_at for wish in wishes()] == [None]
    leases.give_back(claims)
    advance()
    assert all(wish.finished_at for wish in wishes())
    assert claiming.claim(Turn("test:1"), slots=1, lease=timedelta(minutes=1)) == []


def test_what_was_sent_again_meanwhile_is_passed_over(make: Make, webhook: Webhook) -> None:
    sent, waiting, kept = settled(make, webhook, 3)
    one = replay(webhook)
    with transaction() as session:
        sent.state, sent.settled_at = DeliveryState.SUCCEEDED, utc_now()
        session.add(Redelivery(delivery_seq=waiting.seq))
    assert advance() == 1
    mine = [wish for wish in wishes() if wish.replay_seq == one.seq]
    assert [wish.delivery_seq for wish in mine] == [kept.seq]
    finish(*wishes())
    advance()
    db.session.rollback()
    assert (one.total, one.redelivered, one.finished_at is None) == (3, 1, False)


def test_what_failed_after_the_start_was_not_meant(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 1)
    replay(webhook)
    settled(make, webhook, 2)
    assert advance() == 1


def test_several_states_go_in_one_order_and_stuck_ones_count_their_claims_from_zero(
    make: Make, webhook: Webhook
) -> None:
    deliveries = [
        settled(make, webhook, 1, state, claims=5 if state == "stuck" else 0)[0]
        for state in ("stuck", "failed", "cancelled", "succeeded", "stuck")
    ]
    replay(webhook, *replaying.STATES)
    assert advance() == 5
    assert [wish.delivery_seq for wish in wishes()] == [each.seq for each in deliveries]
    assert {each.claims for each in deliveries} == {0}


def test_when_the_webhook_is_disabled_in_the_middle_the_replay_stops(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 8)
    one = replay(webhook)
    advance()
    activation.disable(webhook, by=webhook.created_by)
    assert advance() == 0
    db.session.rollback()
    assert one.stopped_at == one.finished_at is not None
    assert all(wish.finished_at for wish in wishes())


def test_when_the_webhook_is_deleted_in_the_middle_the_replay_stops(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 8)
    one = replay(webhook)
    advance()
    editing.delete(webhook, by=webhook.created_by)
    advance()
    db.session.rollback()
    assert one.stopped_at is not None
    assert all(wish.finished_at for wish in wishes())


def test_when_its_owner_loses_the_role_nothing_more_of_that_project_is_sent(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 8)
    one = replay(webhook)
    advance()
    with transaction() as session:
        session.execute(sa.update(ProjectMember).values(role=Role.MEMBER))
        cancel_for_lost_role(webhook.created_by_id)
    assert advance() == 0
    db.session.rollback()
    assert one.finished_at is not None
    assert all(wish.finished_at for wish in wishes())


def test_while_the_webhook_is_paused_one_goes_out_each_minute(make: Make, webhook: Webhook) -> None:
    settled(make, webhook, 8)
    with transaction():
        webhook.health.paused_at = utc_now()
    replay(webhook)
    assert advance() == 1
    finish(*wishes())
    assert advance() == 0
    with transaction() as session:
        session.execute(sa.update(Redelivery).values(requested_at=utc_now() - timedelta(minutes=1)))
    assert advance() == 1
    with transaction():
        webhook.health.paused_at = None
    assert advance() == MAX_OPEN_PER_REPLAY - 1


def test_a_receiver_that_is_well_again_ends_the_pause_by_a_replay(
    start_worker: Start, make: Make, webhook: Webhook, receiver: Receiver
) -> None:
    settled(make, webhook, 8)
    with transaction():
        webhook.health.paused_at = webhook.health.probe_at = utc_now()
    start_worker()
    one = replay(webhook)
    eventually(lambda: is_over(one))
    assert webhook.health.paused_at is None
    assert len(receiver.requests) == 8


def test_what_came_back_makes_room_for_the_next_at_once_not_with_the_next_look(
    start_worker: Start, make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "LOOK_EVERY_S", 60.0)
    settled(make, webhook, 4 * MAX_OPEN_PER_REPLAY)
    replay(webhook)
    start_worker()
    again = sa.select(sa.func.count()).where(Delivery.state == DeliveryState.SUCCEEDED)
    eventually(lambda: db.session.scalar(again) == 4 * MAX_OPEN_PER_REPLAY, within=15)
