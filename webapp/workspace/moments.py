"""Dates as people type them, with or without a time, in the time zone that they think of.

A day without a time begins at its first moment for a start, and ends with its last second for a due date.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from webapp.models import Invalid

FIRST, LAST = time(0, 0), time(23, 59, 59)
MIN_YEAR, MAX_YEAR = 1970, 2999
DAY_LENGTH = len("2026-05-04")


class DueState(StrEnum):
    """How a due date stands: there is none, it lies ahead, it has passed, or what was due is done."""

    NONE = "none"
    AHEAD = "ahead"
    OVERDUE = "overdue"
    MET = "met"


def read(field: str, typed: str | None, timezone: str | None, *, is_due: bool = False) -> datetime | None:
    """The moment of `2026-05-04`, of `2026-05-04T14:30` in the zone (UTC without one), or of one with an offset.

    Nothing typed is None; what is finer than milliseconds is cut. Raises Invalid at `field`, or at `timezone`.
    """
    text, zone = (typed or "").strip(), ZoneInfo(zone_name(timezone) or "UTC")
    if not text:
        return None
    try:
        moment = _moment(text, zone, LAST if is_due else FIRST)
    except (ValueError, OverflowError):
        raise Invalid(field, "Enter a date such as 2026-05-04, or with a time: 2026-05-04T14:30.") from None
    if not MIN_YEAR <= moment.year <= MAX_YEAR:
        raise Invalid(field, "Enter a year from %(first)s to %(last)s.", first=MIN_YEAR, last=MAX_YEAR)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def shown(moment: datetime | None, timezone: str | None, *, is_due: bool = False) -> str:
    """A moment as people type it in that zone: the day alone where read() would make this moment of it."""
    if moment is None:
        return ""
    local = moment.astimezone(ZoneInfo(timezone or "UTC")).replace(tzinfo=None)
    if local.time() == (LAST if is_due else FIRST):
        return local.date().isoformat()
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def zone_name(timezone: str | None) -> str | None:
    """The name of a time zone, None for none. Raises Invalid at `timezone`."""
    name = (timezone or "").strip()
    try:
        return ZoneInfo(name).key if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("timezone", "There is no such time zone. Name one such as Europe/Berlin.") from None


def due_state(dued_at: datetime | None, *, done: bool, now: datetime) -> DueState:
    """How a due date stands now."""
    if dued_at is None:
        return DueState.NONE
    if done:
        return DueState.MET
    return DueState.OVERDUE if dued_at < now else DueState.AHEAD


def _moment(text: str, zone: ZoneInfo, time_of_day: time) -> datetime:
    if len(text) == DAY_LENGTH:
        return datetime.combine(date.fromisoformat(text), time_of_day, zone).astimezone(UTC)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
