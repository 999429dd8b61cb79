"""The verdict on an endpoint, as sentences about its counters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.delivery.health import (
    LONGEST_PROBE_WAIT,
    Advice,
    Health,
    after_failure,
    disabled_at_the_earliest,
    judge,
    probe_wait,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def failed(count: int, health: Health | None = None, at: datetime = NOON, *, is_probe: bool = False) -> Health:
    health = health or Health()
    for _ in range(count):
        health = after_failure(health, at, is_probe=is_probe)
    return health


@pytest.mark.proves("A71")
def test_four_failures_in_a_row_do_not_pause() -> None:
    assert failed(4).paused_at is None


@pytest.mark.proves("A71")
def test_the_fifth_failure_in_a_row_pauses_and_asks_for_a_probe_after_a_minute() -> None:
    health = failed(5)
    assert (health.paused_at, health.probe_at, health.probes) == (NOON, NOON + MINUTE, 0)


@pytest.mark.proves("A71")
def test_failed_probes_double_the_wait_up_to_an_hour() -> None:
    waits = [probe_wait(count) // MINUTE for count in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    health = failed(5)
    health = after_failure(health, NOON + MINUTE, is_probe=True)
    assert health.probe_at == NOON + 3 * MINUTE


def test_what_was_in_flight_when_it_was_paused_does_not_move_the_probe() -> None:
    paused = failed(5)
    later = after_failure(paused, NOON + timedelta(seconds=10), is_probe=False)
    assert (later.failures, later.probe_at, later.probes) == (6, paused.probe_at, 0)


@pytest.mark.proves("A71")
@pytest.mark.parametrize(
    ("failures", "days", "advice"),
    [
        (19, 30, Advice.WARN),
        (20, 1 / 24, Advice.NOTHING),
        (20, 4.99, Advice.WARN),
        (20, 5, Advice.DISABLE),
        (1000, 1, Advice.NOTHING),
        (10, 2.5, Advice.WARN),
        (9, 2.5, Advice.NOTHING),
        (10, 2.49, Advice.NOTHING),
    ],
)
def test_both_the_count_and_the_days_are_needed(failures: int, days: float, advice: Advice) -> None:
    assert judge(failed(failures), NOON + timedelta(days=days)) is advice


def test_nobody_is_warned_twice() -> None:
    warned = Health(failures=15, first_failure_at=NOON, warned_at=NOON + timedelta(days=3))
    assert judge(warned, NOON + timedelta(days=4)) is Advice.NOTHING
    assert disabled_at_the_earliest(warned) == NOON + timedelta(days=5)


def test_a_clean_endpoint_calls_for_nothing() -> None:
    assert judge(Health(), NOON) is Advice.NOTHING
    assert disabled_at_the_earliest(Health()) is None


@given(st.integers(min_value=0, max_value=10_000))
def test_a_probe_never_waits_longer_than_an_hour(probes: int) -> None:
    assert timedelta(0) < probe_wait(probes) <= LONGEST_PROBE_WAIT
