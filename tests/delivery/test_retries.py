"""When to try again."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp import spans
from webapp.config import DEFAULT_RETRY_SCHEDULE
from webapp.delivery.retries import MAX_RETRY_AFTER, first_attempt_at, honoured, next_attempt_at

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
SCHEDULE = [spans.parse(span) for span in DEFAULT_RETRY_SCHEDULE.split(",")]


def wait(attempts: int, retry_after: timedelta | None = None, jitter: float = 0.0) -> timedelta | None:
    at = next_attempt_at(attempts=attempts, now=NOW, schedule=SCHEDULE, retry_after=retry_after, jitter=jitter)
    return None if at is None else at - NOW


def test_the_ten_attempts_follow_the_schedule_over_three_days() -> None:
    waits = [wait(attempts) for attempts in range(10)]
    assert waits == SCHEDULE
    assert sum(SCHEDULE, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("attempts", [10, 11, 1000])
def test_after_the_tenth_there_is_no_other(attempts: int) -> None:
    assert wait(attempts) is None
    assert wait(attempts, retry_after=timedelta(hours=1)) is None


def test_a_new_delivery_is_due_at_once_or_after_the_first_wait() -> None:
    assert first_attempt_at(now=NOW, schedule=SCHEDULE, jitter=1.0) == NOW
    assert first_attempt_at(now=NOW, schedule=[timedelta(seconds=5)], jitter=-1.0) == NOW + timedelta(seconds=4)


@pytest.mark.parametrize(("jitter", "minutes"), [(-1.0, 4), (0.0, 5), (0.5, 5.5), (1.0, 6)])
def test_a_wait_is_a_fifth_shorter_or_longer_at_most(jitter: float, minutes: float) -> None:
    assert wait(2, jitter=jitter) == timedelta(minutes=minutes)


@pytest.mark.parametrize("jitter", [-1.01, 2.0, float("nan")])
def test_a_jitter_out_of_range_is_a_mistake(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter"):
        wait(2, jitter=jitter)


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        (None, timedelta(minutes=5)),
        (timedelta(0), timedelta(minutes=5)),
        (timedelta(seconds=-1), timedelta(minutes=5)),
        (timedelta(minutes=4), timedelta(minutes=5)),
        (timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(hours=24), timedelta(hours=24)),
        (timedelta(seconds=10**9), timedelta(hours=24)),
        (timedelta.max, timedelta(hours=24)),
    ],
)
def test_retry_after_only_ever_makes_it_later_and_by_a_day_at_most(
    retry_after: timedelta | None, expected: timedelta
) -> None:
    assert wait(2, retry_after) == expected


def test_retry_after_never_shortens_a_step_longer_than_a_day() -> None:
    assert wait(9, timedelta(days=3), jitter=1.0) == timedelta(hours=28, minutes=48)


@pytest.mark.parametrize(
    ("status", "is_honoured"), [(429, True), (503, True), (500, False), (200, False), (301, False), (None, False)]
)
def test_retry_after_is_honoured_on_two_answers_only(status: int | None, is_honoured: bool) -> None:
    asked_for = timedelta(minutes=9)
    assert honoured(status, asked_for) == (asked_for if is_honoured else None)


@given(st.integers(0, 9), st.floats(-1, 1), st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=400)))
def test_a_wait_always_lies_between_its_step_and_a_day(
    attempts: int, jitter: float, retry_after: timedelta | None
) -> None:
    found = wait(attempts, retry_after, jitter)
    assert found is not None
    assert SCHEDULE[attempts] * 0.8 <= found <= max(SCHEDULE[attempts] * 1.2, MAX_RETRY_AFTER)


@pytest.mark.proves("A24")
def test_ten_thousand_failures_of_one_second_are_tried_again_over_the_whole_fifth() -> None:
    """As recording throws the dice: no second of the two minutes gets three times its share."""
    waits = [wait(2, jitter=random.uniform(-1, 1)) for _ in range(10_000)]
    seconds = Counter(int(each.total_seconds()) for each in waits if each is not None)
    assert (min(seconds), max(seconds)) == (240, 359)
    assert max(seconds.values()) < 3 * 10_000 / 120
