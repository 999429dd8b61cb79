"""What another application tells of an event, and the rules for its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webapp.delivery import outbox, payloads
from webapp.delivery.event_types import Kind, event_types
from webapp.models import Invalid
from webapp.models.texts import CALLER_ID, checked

MAX_EVENT_BYTES = 256 * 1024  # of both values together, as JSON
ABSENT: Any = outbox.ABSENT


@dataclass(frozen=True)
class ExternalEvent:
    """One event as another application tells of it. A value that was not given is ABSENT, which is not null."""

    event: str
    project_id: str
    previous_value: Any = ABSENT
    current_value: Any = ABSENT
    user_id: str | None = None


@dataclass(frozen=True)
class Draft:
    """An event whose own values are right; whether its project and people are, the database says. None makes no key."""

    call: ExternalEvent
    previous: bytes | None
    current: bytes | None
    record_id: str | None


def draft(call: ExternalEvent) -> Draft:
    """The event with its values as final bytes. Raises Invalid with each wrong field."""
    kind = event_types(None).get(call.event)
    if kind is None:
        raise Invalid(
            "event", "There is no event type “%(code)s”. GET /api/v1/event-types lists all.", code=call.event[:64]
        )
    values = checked(
        previous_value=lambda: _previous(call.previous_value, kind.kind),
        current_value=lambda: _current(call.current_value, kind.kind),
    )
    previous, current = values["previous_value"], values["current_value"]
    size = len(previous or b"") + len(current)
    if size > MAX_EVENT_BYTES:
        raise Invalid(
            "current_value", "The values have %(size)s bytes; %(most)s is the most.", size=size, most=MAX_EVENT_BYTES
        )
    entity = call.previous_value if kind.kind is Kind.DELETED else call.current_value
    return Draft(call, previous, current, _record_id(entity, is_record=kind.entity == "record"))


def _previous(value: Any, kind: Kind) -> bytes | None:
    if kind is Kind.CREATED:
        if value is not ABSENT:
            raise Invalid("previous_value", "What was just created has no previous value. Leave previousValue out.")
        return None
    return _json("previous_value", None if value is ABSENT else value)


def _current(value: Any, kind: Kind) -> bytes:
    if kind is Kind.DELETED:
        if value is not ABSENT and value is not None:
            raise Invalid("current_value", "What was deleted has no current value. Leave currentValue out.")
        return b"null"
    if value is ABSENT or value is None:
        raise Invalid("current_value", "Send currentValue: the object as it is now.")
    return _json("current_value", value)


def _json(field: str, value: Any) -> bytes:
    if value is not None and not isinstance(value, dict):
        raise Invalid(field, "Send a JSON object.")
    try:
        return payloads.to_json(value)
    except payloads.NotJson as error:
        raise Invalid(field, "%(reason)s", reason=str(error)) from None


def _record_id(entity: Any, *, is_record: bool) -> str | None:
    """The id of the record that the entity is or belongs to, where the value names one."""
    while isinstance(entity, dict):
        found = entity.get("id") if is_record else entity.get("todoId") or _id(entity.get("todo"))
        if found or is_record:
            return found if isinstance(found, str) and CALLER_ID.fullmatch(found) else None
        entity = entity.get("checklist")
    return None


def _id(entity: Any) -> Any:
    return entity.get("id") if isinstance(entity, dict) else None
