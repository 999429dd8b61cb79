"""What an outcome means for its delivery, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from webapp.delivery.settling import Ending, Standing, settle
from webapp.models import DeliveryKind, DeliveryState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SCHEDULE = [timedelta(0), timedelta(seconds=5), timedelta(minutes=5)]
SUCCESS, FAILURE, GONE = (
    Ending(is_success=True, status=200),
    Ending(is_success=False, status=500),
    Ending(is_success=False, status=410),
)


def after(ending: Ending, *, by_hand: bool = False, jitter: float = 0.0, **standing: Any) -> dict[str, Any]:
    values = {
        "kind": DeliveryKind.EVENT,
        "state": DeliveryState.PENDING,
        "attempts_counted": 0,
        **standing,
    }
    return settle(Standing(**values), ending, is_by_hand=by_hand, now=NOW, schedule=SCHEDULE, jitter=jitter)


@pytest.mark.parametrize("state", list(DeliveryState))
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_success_settles_whatever_asked_for_it(state: DeliveryState, by_hand: bool) -> None:
    changes = after(SUCCESS, state=state, by_hand=by_hand)
    assert (changes["state"], changes["next_attempt_at"]) == (DeliveryState.SUCCEEDED, None)


def test_a_failure_is_tried_again_after_the_next_wait_of_the_schedule() -> None:
    assert after(FAILURE) == {"attempts_counted": 1, "next_attempt_at": NOW + timedelta(seconds=5)}
    assert after(FAILURE, attempts_counted=1) == {"attempts_counted": 2, "next_attempt_at": NOW + timedelta(minutes=5)}


def test_jitter_moves_the_next_attempt_by_a_fifth() -> None:
    assert after(FAILURE, jitter=1.0)["next_attempt_at"] == NOW + timedelta(seconds=6)
    assert after(FAILURE, jitter=-1.0)["next_attempt_at"] == NOW + timedelta(seconds=4)


def test_the_last_failure_of_the_schedule_ends_as_failed() -> None:
    changes = after(FAILURE, attempts_counted=2)
    assert (changes["state"], changes["attempts_counted"], changes["next_attempt_at"]) == (
        DeliveryState.FAILED,
        3,
        None,
    )


def test_410_ends_the_delivery_at_once() -> None:
    changes = after(GONE)
    assert (changes["state"], changes["reason"], changes["next_attempt_at"]) == (DeliveryState.FAILED, "gone", None)


def test_retry_after_counts_on_429_and_503_and_only_ever_makes_it_later() -> None:
    wait = timedelta(minutes=1)
    for status in (429, 503):
        assert after(Ending(is_success=False, status=status, retry_after=wait))["next_attempt_at"] == NOW + wait
    assert after(Ending(is_success=False, status=500, retry_after=wait))["next_attempt_at"] == NOW + timedelta(
        seconds=5
    )
    soon = Ending(is_success=False, status=503, retry_after=timedelta(seconds=1))
    assert after(soon)["next_attempt_at"] == NOW + timedelta(seconds=5)


def test_a_failure_by_hand_changes_neither_state_nor_schedule() -> None:
    assert after(FAILURE, by_hand=True) == {}
    assert after(FAILURE, by_hand=True, state=DeliveryState.SUCCEEDED) == {}
    assert after(GONE, by_hand=True) == {}


@pytest.mark.parametrize(
    "state", [DeliveryState.HELD, DeliveryState.CANCELLED, DeliveryState.SUCCEEDED, DeliveryState.FAILED]
)
def test_a_failure_after_it_was_held_cancelled_or_settled_leaves_it_so(state: DeliveryState) -> None:
    assert after(FAILURE, state=state) == {}


@pytest.mark.parametrize("kind", [DeliveryKind.PING, DeliveryKind.TEST, DeliveryKind.HEALTH_CHECK])
def test_pings_tests_and_health_checks_are_tried_once(kind: DeliveryKind) -> None:
    assert after(FAILURE, kind=kind)["state"] is DeliveryState.FAILED
