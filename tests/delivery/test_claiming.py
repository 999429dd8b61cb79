"""Claiming: fair between webhooks, leased, fenced; redeliveries and pings first; suspects alone."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Connection

from tests.factories import Make
from webapp.delivery import choosing, due, leases
from webapp.delivery.choosing import BORROWED_IN_FLIGHT, CLAIMED_AHEAD, GUARANTEED_IN_FLIGHT
from webapp.delivery.claiming import MAX_CLAIMS, Turn, claim, until_due
from webapp.delivery.claims import Claim
from webapp.delivery.due import MAX_WEBHOOKS
from webapp.delivery.paces import QUICK_S
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryKind, DeliveryState, Redelivery, Webhook, transaction, utc_now

LEASE = timedelta(seconds=60)


@pytest.fixture
def turn() -> Turn:
    return Turn(worker="test:1")


def is_due() -> bool:
    wait = until_due()
    return wait is not None and wait <= timedelta(0)


def take(turn: Turn, slots: int = 200, lease: timedelta = LEASE, ahead: int = 0) -> list[Claim]:
    claims = claim(turn, slots=slots, lease=lease, ahead=ahead)
    db.session.rollback()
    return claims


def waiting(make: Make, webhook: Webhook, count: int, **values: Any) -> list[Delivery]:
    project = make.project_of(webhook.created_by)
    return [make.delivery(webhook, make.event(project, fanned_out_at=utc_now()), **values) for _ in range(count)]


def again(delivery: Delivery) -> Redelivery:
    with transaction() as session:
        redelivery = Redelivery(delivery_seq=delivery.seq)
        session.add(redelivery)
    return redelivery


def test_what_is_due_is_claimed_once_and_leased(make: Make, turn: Turn) -> None:
    delivery = make.delivery()
    assert is_due()
    (mine,) = take(turn)
    assert mine.seq == delivery.seq
    assert (delivery.claims, delivery.claim_token, delivery.attempts_made) == (1, 1, 1)
    assert utc_now() + timedelta(seconds=50) < delivery.lease_until < utc_now() + timedelta(seconds=70)
    assert not is_due()
    assert take(turn) == []


def test_the_attempt_exists_before_anything_is_sent(make: Make, turn: Turn) -> None:
    delivery = make.delivery()
    take(turn)
    (attempt,) = delivery.attempts
    assert (attempt.number, attempt.worker, attempt.is_known, attempt.status, attempt.error) == (
        1,
        "test:1",
        False,
        None,
        None,
    )


def test_what_is_not_due_yet_waits(make: Make, turn: Turn) -> None:
    make.delivery(next_attempt_at=utc_now() + timedelta(hours=1))
    make.delivery(state=DeliveryState.HELD)
    make.delivery(state=DeliveryState.SUCCEEDED)
    assert not is_due()
    assert take(turn) == []


def test_the_oldest_of_a_webhook_go_first(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    late, early = waiting(make, webhook, 2)
    with transaction():
        late.next_attempt_at, early.next_attempt_at = utc_now() - timedelta(minutes=1), utc_now() - timedelta(minutes=2)
    assert [mine.seq for mine in take(turn)] == [early.seq, late.seq]


def test_a_webhook_alone_may_borrow_idle_slots_up_to_the_limit(make: Make, turn: Turn) -> None:
    waiting(make, make.webhook(), BORROWED_IN_FLIGHT + 10)
    assert len(take(turn)) == BORROWED_IN_FLIGHT
    assert take(turn) == []


def test_the_one_worker_of_a_quick_webhook_claims_ahead_and_others_stay_away_meanwhile(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    waiting(make, webhook, CLAIMED_AHEAD + 10)
    turn.paces.note(webhook.id, QUICK_S / 2)
    turn.leased[webhook.id] = len(take(turn, ahead=CLAIMED_AHEAD))
    assert turn.leased[webhook.id] + len(take(turn, ahead=CLAIMED_AHEAD)) == CLAIMED_AHEAD
    other = Turn(worker="test:2")
    other.paces.note(webhook.id, QUICK_S / 2)
    assert take(other, ahead=CLAIMED_AHEAD) == []


def test_beside_another_worker_nobody_claims_ahead(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    waiting(make, webhook, CLAIMED_AHEAD + 10)
    assert len(take(Turn(worker="test:2"), slots=1)) == 1
    turn.paces.note(webhook.id, QUICK_S / 2)
    assert len(take(turn, ahead=CLAIMED_AHEAD)) == BORROWED_IN_FLIGHT - 1


def test_a_worker_goes_on_claiming_ahead_beside_its_own(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    waiting(make, webhook, CLAIMED_AHEAD + 10)
    turn.paces.note(webhook.id, QUICK_S / 2)
    turn.leased[webhook.id] = len(take(turn, ahead=100 - BORROWED_IN_FLIGHT))
    assert len(take(turn, ahead=CLAIMED_AHEAD)) == CLAIMED_AHEAD - 100


def test_a_claim_says_whether_it_left_something_behind_that_is_due(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    waiting(make, webhook, 3)
    waiting(make, webhook, 1, next_attempt_at=utc_now() + timedelta(minutes=1))
    assert len(take(turn)) == 3
    assert not turn.left_behind
    waiting(make, webhook, BORROWED_IN_FLIGHT)
    take(turn)
    assert turn.left_behind
    assert take(turn) == []
    assert turn.left_behind


@pytest.mark.parametrize(("webhooks", "most"), [(3, GUARANTEED_IN_FLIGHT + 40), (MAX_WEBHOOKS, GUARANTEED_IN_FLIGHT)])
def test_no_more_is_read_of_a_webhook_than_one_claim_may_take(
    make: Make, turn: Turn, monkeypatch: pytest.MonkeyPatch, webhooks: int, most: int
) -> None:
    owner = make.user()
    turn.reserve = 160  # of 200
    for _ in range(webhooks):
        webhook = make.webhook(by=owner)
        waiting(make, webhook, 1)
        turn.paces.note(webhook.id, QUICK_S / 2)
    asked: list[int] = []
    oldest = due.oldest

    def look(connection: Connection, room: dict[str, int], *, now: datetime) -> dict[str, list[int]]:
        asked.extend(room.values())
        return oldest(connection, room, now=now)

    monkeypatch.setattr(due, "oldest", look)
    assert len(take(turn)) == webhooks
    assert set(asked) == {most}


def test_with_few_slots_every_waiting_webhook_gets_its_turn(make: Make, turn: Turn) -> None:
    busy, quiet = make.webhook(), make.webhook()
    waiting(make, busy, 40)
    waiting(make, quiet, 3)
    claimed = Counter(mine.delivery.webhook_id for mine in take(turn, slots=8))
    assert claimed == {busy.id: 5, quiet.id: 3}


def test_a_single_slot_goes_round_all_waiting_webhooks(make: Make, turn: Turn) -> None:
    webhooks = [make.webhook() for _ in range(4)]
    for webhook in webhooks:
        waiting(make, webhook, 4)
    served: list[str] = []
    for _ in range(8):
        (mine,) = take(turn, slots=1)
        served.append(mine.delivery.webhook_id)
        with transaction():
            delivery = db.session.get_one(Delivery, mine.seq)
            delivery.state, delivery.lease_until, delivery.next_attempt_at = DeliveryState.SUCCEEDED, None, None
    assert Counter(served) == {webhook.id: 2 for webhook in webhooks}
    assert len(set(served[:4])) == 4


def test_the_guaranteed_share_comes_before_any_borrowing(make: Make, turn: Turn) -> None:
    webhooks = [make.webhook() for _ in range(4)]
    for webhook in webhooks:
        waiting(make, webhook, 20)
    claimed = take(turn, slots=4 * GUARANTEED_IN_FLIGHT)
    assert set(Counter(mine.delivery.webhook_id for mine in claimed).values()) == {GUARANTEED_IN_FLIGHT}


def test_more_webhooks_than_one_claim_serves_take_turns(
    make: Make, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.delivery.due.MAX_WEBHOOKS", 2)
    webhooks = [make.webhook() for _ in range(5)]
    for webhook in webhooks:
        waiting(make, webhook, 4)
    served = [mine.delivery.webhook_id for _ in range(5) for mine in take(turn, slots=2)]
    assert set(served) == {webhook.id for webhook in webhooks}


def test_pings_go_first_and_past_the_limit(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    waiting(make, webhook, BORROWED_IN_FLIGHT + 10)
    take(turn)
    ping = make.delivery(webhook, kind=DeliveryKind.PING)
    assert [mine.seq for mine in take(turn)] == [ping.seq]


def test_a_redelivery_is_claimed_whatever_the_schedule_says(make: Make, turn: Turn) -> None:
    settled = make.delivery(state=DeliveryState.SUCCEEDED)
    later = make.delivery(next_attempt_at=utc_now() + timedelta(hours=5))
    wishes = [again(settled), again(later)]
    assert is_due()
    claimed = take(turn)
    assert [(mine.seq, mine.redelivery_seq) for mine in claimed] == [
        (settled.seq, wishes[0].seq),
        (later.seq, wishes[1].seq),
    ]
    assert [attempt.is_by_hand for attempt in settled.attempts] == [True]


def test_a_redelivery_that_came_back_after_its_webhook_was_disabled_waits(make: Make, turn: Turn) -> None:
    delivery = make.delivery(state=DeliveryState.FAILED)
    again(delivery)
    take(turn, lease=timedelta(0))
    with transaction():
        delivery.webhook.enabled = False
    leases.expire()
    assert take(turn) == []


def test_two_redeliveries_of_one_delivery_are_never_in_flight_together(make: Make, turn: Turn) -> None:
    delivery = make.delivery(state=DeliveryState.FAILED)
    first, _second = again(delivery), again(delivery)
    assert [mine.redelivery_seq for mine in take(turn)] == [first.seq]
    assert take(turn) == []


def test_a_delivery_that_came_back_without_an_outcome_is_claimed_alone(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    suspects = waiting(make, webhook, 2, claims=1)
    fresh = waiting(make, webhook, 3)
    assert [mine.seq for mine in take(turn)] == [one.seq for one in fresh]
    (alone,) = take(turn)
    assert alone.seq == suspects[0].seq
    assert alone.is_suspect
    turn.is_suspect_in_flight = True
    assert take(turn) == []
    turn.is_suspect_in_flight = False
    assert [mine.seq for mine in take(turn)] == [suspects[1].seq]


def test_what_was_not_begun_is_given_back_as_if_never_claimed(make: Make, turn: Turn) -> None:
    delivery = make.delivery()
    leases.give_back(take(turn))
    db.session.rollback()
    assert (delivery.claims, delivery.attempts_made, delivery.lease_until, delivery.attempts) == (0, 0, None, [])
    assert len(take(turn)) == 1


def test_a_lease_that_ran_out_frees_the_delivery_and_keeps_the_unknown_attempt(make: Make, turn: Turn) -> None:
    delivery = make.delivery()
    take(turn, lease=timedelta(0))
    assert leases.expire() == 1
    db.session.rollback()
    assert (delivery.lease_until, delivery.claims, delivery.state) == (None, 1, DeliveryState.PENDING)
    assert [attempt.is_known for attempt in delivery.attempts] == [False]
    (mine,) = take(turn)
    assert (mine.token, mine.delivery.attempts_made, mine.is_suspect) == (2, 2, True)


def test_five_claims_without_an_outcome_are_stuck(make: Make, turn: Turn) -> None:
    delivery = make.delivery()
    for _ in range(5):
        assert len(take(turn, lease=timedelta(0))) == 1
        leases.expire()
    db.session.rollback()
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.STUCK, None)
    assert take(turn) == []
    assert len(delivery.attempts) == 5


def test_a_succeeded_delivery_is_never_stuck_by_redeliveries_that_kill_their_worker(make: Make, turn: Turn) -> None:
    delivery = make.delivery(state=DeliveryState.SUCCEEDED)
    again(delivery)
    for _ in range(5):
        assert len(take(turn, lease=timedelta(0))) == 1
        leases.expire()
    db.session.rollback()
    assert delivery.state is DeliveryState.SUCCEEDED
    assert take(turn) == []


def test_many_workers_claim_each_delivery_once_and_never_more_than_the_cap(app: Flask, make: Make) -> None:
    webhooks = [make.webhook() for _ in range(4)]
    for webhook in webhooks:
        waiting(make, webhook, 50)
    claimed: list[int] = []
    errors: list[BaseException] = []

    def work(name: str) -> None:
        turn = Turn(worker=name)
        try:
            with app.app_context():
                while mine := claim(turn, slots=10, lease=LEASE):
                    claimed.extend(one.seq for one in mine)
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(f"test:{number}",)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    db.session.rollback()
    assert errors == []
    assert len(claimed) == len(set(claimed))
    in_flight = sa.select(sa.func.count()).where(Delivery.lease_until.is_not(None)).group_by(Delivery.webhook_id)
    assert all(count <= BORROWED_IN_FLIGHT for count in db.session.scalars(in_flight))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == len(claimed)


def test_half_of_the_slots_are_never_lent(make: Make) -> None:
    turn = Turn(worker="test:1", reserve=20)
    webhook = make.webhook()
    waiting(make, webhook, 30)
    assert len(take(turn, slots=20)) == GUARANTEED_IN_FLIGHT
    assert len(take(turn, slots=24)) == 4


def test_what_waits_in_lanes_takes_nothing_of_the_slots(make: Make) -> None:
    turn = Turn(worker="test:1", reserve=100)
    webhook = make.webhook()
    turn.paces.note(webhook.id, QUICK_S / 2)
    waiting(make, webhook, 100)
    assert (
        len(take(turn, slots=100 + BORROWED_IN_FLIGHT, ahead=20)) == GUARANTEED_IN_FLIGHT + BORROWED_IN_FLIGHT - 5 + 20
    )


def test_nothing_is_claimed_ahead_while_slots_are_short(make: Make) -> None:
    turn = Turn(worker="test:1", reserve=20)
    webhook = make.webhook()
    turn.paces.note(webhook.id, QUICK_S / 2)
    waiting(make, webhook, 100)
    assert len(take(turn, slots=30, ahead=CLAIMED_AHEAD)) == GUARANTEED_IN_FLIGHT + 10
    assert turn.left_behind


def test_nothing_is_claimed_ahead_where_no_slot_may_be_lent_and_that_is_said(make: Make) -> None:
    turn = Turn(worker="test:1", reserve=100)
    webhook = make.webhook()
    turn.paces.note(webhook.id, QUICK_S / 2)
    waiting(make, webhook, 50)
    turn.leased[webhook.id] = len(take(turn, slots=200, ahead=CLAIMED_AHEAD - 60))
    assert turn.leased[webhook.id] == 50
    waiting(make, webhook, 50)
    assert take(turn, slots=20, ahead=CLAIMED_AHEAD) == []
    assert turn.left_behind


def test_nor_while_more_webhooks_wait_than_one_claim_serves(make: Make, turn: Turn) -> None:
    webhooks = [make.webhook() for _ in range(MAX_WEBHOOKS + 1)]
    for webhook in webhooks:
        turn.paces.note(webhook.id, QUICK_S / 2)
        waiting(make, webhook, 1)
    waiting(make, min(webhooks, key=lambda webhook: webhook.id), BORROWED_IN_FLIGHT + 10)
    claimed = Counter(mine.delivery.webhook_id for mine in take(turn, ahead=CLAIMED_AHEAD))
    assert max(claimed.values()) == GUARANTEED_IN_FLIGHT


def test_one_claim_takes_no_more_than_its_limit(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    turn.paces.note(webhook.id, QUICK_S / 2)
    waiting(make, webhook, MAX_CLAIMS + 10)
    assert len(take(turn, slots=2 * MAX_CLAIMS, ahead=CLAIMED_AHEAD)) == MAX_CLAIMS


def test_slow_receivers_get_no_more_than_their_own_and_none_of_the_reserve(make: Make) -> None:
    turn = Turn(worker="test:1", reserve=10)
    slow, quick = make.webhook(), make.webhook()
    turn.paces.note(slow.id, 14.0)
    waiting(make, slow, 20)
    waiting(make, quick, 3)
    taken = Counter(claim.delivery.webhook_id for claim in take(turn, slots=12))
    assert taken == {quick.id: 3, slow.id: 2}
    assert Counter(claim.delivery.webhook_id for claim in take(turn, slots=30)) == {slow.id: GUARANTEED_IN_FLIGHT - 2}
    assert take(turn, slots=10) == []


def test_new_events_can_be_fanned_out_and_claimed_in_one_transaction(make: Make, turn: Turn) -> None:
    webhook = make.webhook()
    event = make.event(make.project_of(webhook.created_by))
    (mine,) = claim(turn, slots=200, lease=LEASE, fanning_out=True)
    db.session.rollback()
    assert (mine.delivery.event_seq, mine.delivery.attempts_made) == (event.seq, 1)
    assert event.fanned_out_at is not None
    assert claim(turn, slots=200, lease=LEASE, fanning_out=True) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("query", "index"), [(choosing._EXPRESS, "ix_delivery_express"), (choosing._SUSPECT, "ix_delivery_suspect")]
)
def test_a_plan_that_is_made_once_still_uses_the_index_of_what_is_seldom(
    app: Flask, query: sa.Select[Any], index: str
) -> None:
    query = query.params(now=utc_now(), most=10)
    text = query.compile(dialect=db.engine.dialect, compile_kwargs={"render_postcompile": True}).string
    names = sorted(set(re.findall(r"%\((\w+)\)s", text)))
    numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
    with transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.exec_driver_sql(f"PREPARE look AS {text % numbers}")
        values = ", ".join("now()" if name.startswith("now") else "10" for name in names)
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN EXECUTE look ({values})").scalars())
        connection.exec_driver_sql("DEALLOCATE look")
    assert index in plan, plan
