"""Deliveries as lines of a file: comma separated for spreadsheets, or one JSON object each. No payloads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from webapp.models import Attempt, Delivery
from webapp.webhooks import log_export
from webapp.webhooks.log_export import Part

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell

Lines = Callable[[Part, str], str]


def as_csv(part: Part, remark: str) -> str:
    """A line for each delivery, and the remark when more would match."""
    rows = [_safe(_values(delivery)) for delivery in part.deliveries]
    return _written(rows + ([[remark]] if part.is_cut else []))


def csv_head() -> str:
    """The names of the columns."""
    return _written([list(COLUMNS)])


def as_json_lines(part: Part, remark: str) -> str:
    """An object for each delivery with its attempts, and one with the remark when more would match."""
    attempts = log_export.attempts(part.deliveries)
    values = [
        _values(delivery) | {"attempts": [_attempt(each) for each in attempts.get(delivery.seq, [])]}
        for delivery in part.deliveries
    ]
    remarks: list[dict[str, Any]] = [{"remark": remark}] if part.is_cut else []
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in values + remarks)


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
