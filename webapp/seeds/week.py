"""The hours at which the demo's people work. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

DAYS = 7
OPENS, CLOSES = 8, 18  # hours in UTC
SATURDAY = 5  # date.weekday() from here on is the weekend


def days(now: datetime) -> Iterator[date]:
    """The days that lie wholly or partly in the last week, oldest first."""
    return ((now - timedelta(days=ago)).date() for ago in range(DAYS, -1, -1))


def moments(day: date, count: int, dice: Random) -> list[datetime]:
    """So many moments in the working hours of a day, in their order."""
    opens = datetime.combine(day, time(OPENS), UTC)
    return sorted(opens + timedelta(hours=CLOSES - OPENS) * dice.random() for _ in range(count))


def later(at: datetime, least: timedelta, most: timedelta, dice: Random) -> datetime:
    """A moment of work after this one: the next morning when the day is over by then."""
    then = at + least + (most - least) * dice.random()
    if OPENS <= then.hour < CLOSES:
        return then
    morning = then.date() if then.hour < OPENS else then.date() + timedelta(days=1)
    return datetime.combine(morning, time(OPENS), UTC) + timedelta(hours=2) * dice.random()


def is_weekend(day: date) -> bool:
    """Whether few people work on this day."""
    return day.weekday() >= SATURDAY
