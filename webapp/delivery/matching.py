"""Does this webhook want this event? A verdict with its reason, from values alone.

A webhook that is not deleted wants an event when it is older than the event, its event list holds the type or is empty,
its project list holds the project or is empty (= all projects of its creator), and its creator administers the project.
Where it has a record filter, that is judged last (`filters`): it alone needs the event's values. Whether the webhook is
enabled decides not if a delivery is made but whether that is held.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """Why a webhook does not get an event; kept with the event and shown to the webhook's owner."""

    CREATED_LATER = "created_later"
    EVENT_NOT_CHOSEN = "event_not_chosen"
    PROJECT_NOT_CHOSEN = "project_not_chosen"
    NOT_ADMINISTRATOR = "not_administrator"
    FILTERED = "filtered"


@dataclass(frozen=True)
class Wish:
    """What a webhook wants: the part of it that matching looks at."""

    webhook_id: str
    events: Collection[str]
    project_ids: Collection[str]
    created_at: datetime


@dataclass(frozen=True)
class Happening:
    """The part of an event that matching looks at; a move between projects names both."""

    type: str
    project_ids: Collection[str]
    created_at: datetime


@dataclass(frozen=True)
class Verdict:
    """Wanted, or not and why."""

    webhook_id: str
    reason: Reason | None = None


def verdict(wish: Wish, happening: Happening, *, administered: Collection[str]) -> Verdict:
    """Judge one webhook. `administered` = those projects of the event that the webhook's creator administers now."""
    return Verdict(wish.webhook_id, _refusal(wish, happening, administered))


def _refusal(wish: Wish, happening: Happening, administered: Collection[str]) -> Reason | None:
    if wish.created_at > happening.created_at:
        return Reason.CREATED_LATER
    if wish.events and happening.type not in wish.events:
        return Reason.EVENT_NOT_CHOSEN
    chosen = [
        project_id for project_id in happening.project_ids if not wish.project_ids or project_id in wish.project_ids
    ]
    if not chosen:
        return Reason.PROJECT_NOT_CHOSEN
    if not any(project_id in administered for project_id in chosen):
        return Reason.NOT_ADMINISTRATOR
    return None
