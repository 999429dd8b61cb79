"""What a worker has claimed is counted until it is recorded or given back."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from webapp.delivery.choosing import BORROWED_IN_FLIGHT, Turn
from webapp.delivery.hand import ASIDE, Hand
from webapp.delivery.health import PAUSE_AFTER_FAILURES
from webapp.delivery.outcomes import Outcome
from webapp.delivery.paces import QUICK_S

SLOTS = 100
QUICK, LATE, FAILED = (
    Outcome(status=200, total_ms=1.0),
    Outcome(status=200, total_ms=QUICK_S * 1000 + 1),
    Outcome(status=500, total_ms=1.0),
)


class Delivery(NamedTuple):
    webhook_id: str


class Claim(NamedTuple):
    number: int
    delivery: Delivery = Delivery("a")
    is_scheduled: bool = True
    is_suspect: bool = False
    at: float = 0.0


@pytest.fixture
def sent() -> list[Any]:
    return []


@pytest.fixture
def turn() -> Turn:
    return Turn(worker="test:1")


@pytest.fixture
def hand(turn: Turn, sent: list[Any]) -> Hand:
    return Hand(turn, slots=SLOTS, send=sent.append)


def claims(count: int) -> list[Any]:
    return [Claim(number) for number in range(count)]


def test_what_waits_in_lanes_needs_no_slot_up_to_a_limit(hand: Hand) -> None:
    hand.hold(claims(BORROWED_IN_FLIGHT + 10))
    assert (hand.count, hand.free) == (BORROWED_IN_FLIGHT + 10, SLOTS - BORROWED_IN_FLIGHT)
    assert hand.ahead == ASIDE - 10
    hand.hold(claims(ASIDE))
    assert (hand.free, hand.ahead) == (SLOTS - BORROWED_IN_FLIGHT - 10, 0)


def test_what_has_its_outcome_needs_no_slot_either(hand: Hand) -> None:
    hand.hold(mine := claims(10))
    for claim in mine[:4]:
        hand.note(claim, QUICK)
    assert (hand.count, hand.awaited, hand.free, hand.ahead) == (10, 6, SLOTS - 6, ASIDE - 4)
    hand.let_go(mine[:4])
    assert (hand.count, hand.awaited, hand.free, hand.ahead) == (6, 6, SLOTS - 6, ASIDE)


def test_after_a_quick_success_the_next_goes_at_once(hand: Hand, sent: list[Any]) -> None:
    hand.hold(mine := claims(BORROWED_IN_FLIGHT + 2))
    hand.move_on(mine[0], QUICK)
    assert len(sent) == BORROWED_IN_FLIGHT + 1
    hand.note(mine[0], QUICK)
    assert len(sent) == BORROWED_IN_FLIGHT + 1, "it left its lane once"


@pytest.mark.parametrize("outcome", [LATE, FAILED], ids=["late", "failed"])
def test_after_any_other_it_goes_when_the_loop_knows(hand: Hand, sent: list[Any], outcome: Outcome) -> None:
    hand.hold(mine := claims(BORROWED_IN_FLIGHT + 2))
    hand.move_on(mine[0], outcome)
    assert len(sent) == BORROWED_IN_FLIGHT
    hand.note(mine[0], outcome)
    assert len(sent) == BORROWED_IN_FLIGHT + 1


def test_what_waits_for_a_receiver_that_fails_again_and_again_is_given_back(
    hand: Hand, turn: Turn, sent: list[Any]
) -> None:
    hand.hold(mine := claims(BORROWED_IN_FLIGHT + 50))
    for claim in mine[:PAUSE_AFTER_FAILURES]:
        hand.note(claim, FAILED)
    assert len(sent) + len(hand.unsent) == len(mine)
    assert hand.count == len(sent) == turn.leased["a"]
    assert hand.awaited == len(sent) - PAUSE_AFTER_FAILURES
    assert hand.has_released


def test_all_that_has_not_begun_can_be_given_back(hand: Hand, turn: Turn, sent: list[Any]) -> None:
    hand.hold(claims(BORROWED_IN_FLIGHT + 5))
    hand.leave_all(lambda: [sent.pop()])
    assert len(hand.unsent) == 6
    for claim in sent:
        hand.note(claim, QUICK)
    hand.let_go(sent)
    assert (hand.count, hand.free, turn.leased) == (0, SLOTS, {})
