"""Times as they are typed into a form: in the person's zone, without naming it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from webapp.web.person import time_zone

TYPED = "%Y-%m-%dT%H:%M:%S"  # as <input type="datetime-local"> sends it


def in_utc(typed: datetime | None) -> datetime | None:
    """The moment that was meant."""
    return None if typed is None else typed.replace(tzinfo=ZoneInfo(time_zone())).astimezone(UTC)


def as_typed(at: datetime) -> datetime:
    """A moment as this person would type it, to the second."""
    return at.astimezone(ZoneInfo(time_zone())).replace(tzinfo=None, microsecond=0)
