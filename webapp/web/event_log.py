"""The log of events as a part of its page: a page of rows with filters, and whether it is as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from webapp.delivery.event_types import event_types
from webapp.models import Event, User
from webapp.web.event_forms import EventForm
from webapp.webhooks import access, verdicts
from webapp.webhooks.verdicts import VerdictWord, WebhookVerdict
from webapp.workspace import event_log, event_subjects
from webapp.workspace.event_subjects import Subjects

ROWS = 50
FINGERPRINT_BYTES = 8
MAX_DIGITS = 16


@dataclass(frozen=True)
class EventRow:
    """One event. `sent` of `webhooks` wanted it; None for somebody without webhooks."""

    event: Event
    label: str
    project: str
    record: str
    person: str
    sent: int
    webhooks: int


@dataclass(frozen=True)
class EventLogView:
    """What the templates ask."""

    form: EventForm
    rows: list[EventRow]
    older: str
    newer: str
    is_top: bool
    has_webhooks: bool

    @property
    def news_url(self) -> str:
        """Where the page asks for itself; empty on pages of the past."""
        is_growing = self.is_top and self.form.filters.until is None
        return url_for("events.index", **self.values) if is_growing else ""

    @property
    def values(self) -> dict[str, Any]:
        """The filters, for links."""
        return dict(self.form.values)

    @property
    def fingerprint(self) -> str:
        """What is shown, as a short text."""
        shown = [(row.event.seq, row.record, row.sent, row.webhooks) for row in self.rows]
        return hashlib.blake2s(repr(shown).encode(), digest_size=FINGERPRINT_BYTES).hexdigest()


def view(user: User) -> EventLogView:
    """The page of events that this request asks for."""
    form = EventForm.of_request(user)
    before, after = _cursor("before"), _cursor("after")
    cursor = after if before is None else before
    page = event_log.events(user, form.filters, cursor, ROWS, is_upwards=before is None)
    found = verdicts.of(page.events, user=user)
    subjects = event_subjects.of(page.events, user)
    values: dict[str, Any] = dict(form.values)
    return EventLogView(
        form=form,
        rows=[_row(event, subjects, found[event.seq]) for event in page.events],
        older="" if page.older is None else url_for("events.index", before=page.older, **values),
        newer="" if page.newer is None else url_for("events.index", after=page.newer, **values),
        is_top=before is None and page.newer is None,
        has_webhooks=bool(access.of(user)),
    )


def label(event: Event) -> str:
    """The event type's name, in English."""
    known = event_types(None).get(event.type)
    return known.label if known else event.type


def values(event: Event) -> list[tuple[str, bytes]]:
    """Names and bytes of the values that the event carries; one that is null is left out."""
    both = (("previousValue", event.previous_value), ("currentValue", event.current_value))
    return [(name, value) for name, value in both if value is not None and value != b"null"]


def _row(event: Event, subjects: Subjects, found: Sequence[WebhookVerdict]) -> EventRow:
    place = event.project_id if event.project_id in subjects.projects else event.source_project_id
    return EventRow(
        event=event,
        label=label(event),
        project=subjects.projects.get(place or "", ""),
        record=subjects.records.get(event.record_id or "", ""),
        person=subjects.people.get(event.user_id or "", ""),
        sent=sum(verdict.word is VerdictWord.WANTED for verdict in found),
        webhooks=len(found),
    )


def _cursor(name: str) -> int | None:
    """A number; what is none counts as not given."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else None
