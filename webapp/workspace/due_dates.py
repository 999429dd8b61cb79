"""Start and due dates together: the order they keep, and which event a change of them is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from webapp.models import Invalid

Change = Literal["ADDED", "REMOVED", "UPDATED"]
Dates = tuple[datetime | None, datetime | None]  # started_at and dued_at


def check(dates: Dates) -> None:
    """Raises Invalid at `dued_at` when the due date lies before the start."""
    started_at, dued_at = dates
    if started_at and dued_at and dued_at < started_at:
        raise Invalid("dued_at", "Choose a due date that is not before the start.")


def change(before: Dates, after: Dates) -> Change | None:
    """What became of the dates, as event types end: ADDED when there were none, REMOVED when none are left."""
    if before == after:
        return None
    if not any(before):
        return "ADDED"
    return "UPDATED" if any(after) else "REMOVED"
