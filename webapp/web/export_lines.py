"""Deliveries as lines of a file: comma separated for spreadsheets, or one JSON object each. No payloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _

from webapp.models import Attempt, Delivery
from webapp.web.formats import number
from webapp.webhooks import log_export
from webapp.webhooks.log_export import Part

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell

Lines = Callable[[Iterator[Part]], Iterator[str]]


def as_csv(parts: Iterator[Part]) -> Iterator[str]:
    """A line of names, a line for each delivery, and a remark at the end when there would be more."""
    is_first = True
    for part in parts:
        rows = [_safe(_values(delivery)) for delivery in part.deliveries]
        names = [list(COLUMNS)] if is_first else []
        remark = [[_remark()]] if part.is_cut else []
        is_first = False
        yield _written(names + rows + remark)


def as_json_lines(parts: Iterator[Part]) -> Iterator[str]:
    """An object for each delivery with its attempts, and one with a remark at the end when there would be more."""
    for part in parts:
        attempts = log_export.attempts(part.deliveries)
        values = [
            _values(delivery) | {"attempts": [_attempt(each) for each in attempts.get(delivery.seq, [])]}
            for delivery in part.deliveries
        ]
        remark: list[dict[str, Any]] = [{"remark": _remark()}] if part.is_cut else []
        yield "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in values + remark)


COLUMNS: dict[str, Callable[[Delivery], Any]] = {
    "id": lambda delivery: delivery.id,
    "kind": lambda delivery: str(delivery.kind),
    "state": lambda delivery: str(delivery.state),
    "reason": lambda delivery: delivery.reason,
    "webhookId": lambda delivery: delivery.webhook_id,
    "webhook": lambda delivery: delivery.webhook.name,
    "event": lambda delivery: delivery.event_type,
    "eventId": lambda delivery: delivery.event.id if delivery.event else None,
    "recordId": lambda delivery: delivery.event.record_id if delivery.event else None,
    "projectId": lambda delivery: delivery.project_id,
    "status": lambda delivery: delivery.last_status,
    "error": lambda delivery: delivery.last_error and str(delivery.last_error),
    "ms": lambda delivery: delivery.last_ms,
    "attemptsMade": lambda delivery: delivery.attempts_made,
    "createdAt": lambda delivery: _time(delivery.created_at),
    "nextAttemptAt": lambda delivery: _time(delivery.next_attempt_at),
    "settledAt": lambda delivery: _time(delivery.settled_at),
}


def _values(delivery: Delivery) -> dict[str, Any]:
    return {name: value(delivery) for name, value in COLUMNS.items()}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "startedAt": _time(attempt.started_at),
        "status": attempt.status,
        "error": attempt.error and str(attempt.error),
        "ms": attempt.total_ms,
        "byHand": attempt.is_by_hand,
    }


def _safe(values: dict[str, Any]) -> list[Any]:
    """Names come from people: a text that a spreadsheet would compute gets an apostrophe before it."""
    return [f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value for value in values.values()]


def _written(rows: list[list[Any]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _remark() -> str:
    return _("Only the newest %(limit)s. Filter by time for the others.", limit=number(log_export.MAX_ROWS))
