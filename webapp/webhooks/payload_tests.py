"""What each rule of a record filter says about one payload: the last one there was, or one that was pasted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.delivery import filters, payloads
from webapp.delivery.event_types import event_types
from webapp.delivery.filters import Finding, Values
from webapp.models import Invalid, User
from webapp.webhooks import samples
from webapp.webhooks.back_tests import name_of, newest

PASTED = "filter_payload"  # the field of a pasted one
NOT_FULL = "Paste a payload of the full format: with event, and currentValue or previousValue."


@dataclass(frozen=True)
class PayloadTest:
    """What the rules found, and whether the payload would be sent. Without an event it was pasted."""

    event_type: str
    name: str
    findings: list[Finding]
    passes: bool
    event_id: str = ""
    created_at: datetime | None = None


def against_last(
    user: User,
    record_filter: Mapping[str, Any] | None,
    events: Collection[str] = (),
    project_ids: Collection[str] = (),
) -> PayloadTest | None:
    """Judge the newest event of these types and projects, empty = all, that this person administers.

    None when there is no such event. Raises Invalid for a filter that cannot be read.
    """
    read = filters.check(record_filter or {})
    row = next(newest(user, events, project_ids, 1), None)
    if row is None:
        return None
    values = Values.of(row.type, row.previous_value, row.current_value)
    return _test(read, row.type, values, event_id=row.id, created_at=row.created_at)


def against_pasted(record_filter: Mapping[str, Any] | None, text: str) -> PayloadTest:
    """Judge a payload of the full format. Raises Invalid at `filter_payload`, and for a filter that cannot be read."""
    read = filters.check(record_filter or {})
    try:
        document = samples.json_object(PASTED, text)
        previous, current = (payloads.to_json(document.get(name)) for name in ("previousValue", "currentValue"))
    except payloads.NotJson as error:
        raise Invalid(PASTED, "%(reason)s", reason=str(error)) from None
    code = str(document.get("event"))
    if code not in event_types(None) or not (document.get("previousValue") or document.get("currentValue")):
        raise Invalid(PASTED, NOT_FULL)
    return _test(read, code, Values.of(code, previous, current))


def _test(read: filters.Filter, code: str, values: Values, **event: Any) -> PayloadTest:
    return PayloadTest(
        event_type=code,
        name=name_of(values.now),
        findings=filters.explain(read, values),
        passes=filters.judge(read, values) is None,
        **event,
    )
