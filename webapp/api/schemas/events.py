"""Events as callers publish and read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from webapp.api.schemas.base import Choices, Instant, PageQuery, Shape, Text, Texts, next_cursor
from webapp.delivery.event_types import event_types
from webapp.models import Event
from webapp.webhooks.verdicts import VerdictWord, WebhookVerdict
from webapp.workspace.events import ABSENT, MAX_EVENTS, ExternalEvent

TOO_MANY = f"Send 1 to {MAX_EVENTS} events at once."

EXAMPLE = {
    "event": "TODO_NAME_CHANGED",
    "projectId": "shop",
    "previousValue": {"id": "order-1042", "title": "Order 1042"},
    "currentValue": {"id": "order-1042", "title": "Order 1042, paid"},
}
CREATED = {"id": "evt_cmb2k8f0a0001jo6w3v5x7t9q"}
BATCH_CREATED = {"ids": ["evt_cmb2k8f0a0001jo6w3v5x7t9q", "evt_cmb2k8f0a0002jo6w7r2m4k8p"]}
FILTER = {
    "type": ["object", "null"],
    "description": "where the record filter refused: the rule (counted from 0), and what its path found, cut short",
}
VERDICTS = [
    {
        "webhookId": "cmb2k8f0a0003jo6w8z1b2c3d",
        "verdict": VerdictWord.WANTED,
        "detail": "The webhook wanted this event; its delivery says how that went.",
        "deliveryId": "dlv_cmb2k8f0b0002jo6w5y9a7c4e",
        "state": "succeeded",
        "filter": None,
    }
]
SHOWN = {
    **CREATED,
    "event": "TODO_NAME_CHANGED",
    "projectId": "shop",
    "companyId": "acme",
    "userId": "cmb2k8ezz0000jo6w1a2b3c4d",
    "recordId": "order-1042",
    "createdAt": "2026-05-04T12:00:00.000Z",
}


class EventBody(Shape):
    """One event to publish. A created one has no previousValue, a deleted one no currentValue, all others have both."""

    event = Text(required=True, metadata={"description": "an event type of GET /event-types"})
    project_id = Text(required=True)
    previous_value = fields.Raw(allow_none=True, metadata={"description": "the object as it was", "type": "object"})
    current_value = fields.Raw(allow_none=True, metadata={"description": "the object as it is now", "type": "object"})
    user_id = Text(allow_none=True, metadata={"description": "the member who did it; without it the token's owner"})

    @ma.post_load
    def _as_event(self, data: Mapping[str, Any], **_: Any) -> ExternalEvent:
        return ExternalEvent(
            event=data["event"],
            project_id=data["project_id"],
            previous_value=data.get("previous_value", ABSENT),
            current_value=data.get("current_value", ABSENT),
            user_id=data.get("user_id"),
        )


class Events(fields.List[Any]):
    """A list of events. Where all are plainly right, no field is looked at a second time: 500 of them take a while."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(EventBody), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        if isinstance(value, list) and all(map(_is_plain, value)):
            return list(map(_plain_event, value))
        return super()._deserialize(value, attr, data, **options)


NAMES = {field.data_key or "" for field in EventBody().load_fields.values()}


def _is_plain(event: Any) -> bool:
    """Whether EventBody would find nothing wrong. When in doubt, no: it then says what is wrong."""
    if not isinstance(event, dict) or not event.keys() <= NAMES:
        return False
    by = event.get("userId")
    texts = (event.get("event"), event.get("projectId"), "" if by is None else by)
    return all(isinstance(text, str) and "\0" not in text for text in texts)


def _plain_event(event: Mapping[str, Any]) -> ExternalEvent:
    return ExternalEvent(
        event["event"],
        event["projectId"],
        event.get("previousValue", ABSENT),
        event.get("currentValue", ABSENT),
        event.get("userId"),
    )


class BatchBody(Shape):
    """Events to publish together, all or none."""

    events = Events(
        required=True,
        metadata={"minItems": 1, "maxItems": MAX_EVENTS},
        error_messages={"invalid": "Send a list of events."},
    )

    @ma.pre_load
    def _not_too_many(self, data: Any, **_: Any) -> Any:
        """Before each of them is looked at."""
        events = data.get("events") if isinstance(data, dict) else None
        if isinstance(events, list) and len(events) > MAX_EVENTS:
            raise ma.ValidationError(TOO_MANY, "events")
        return data


class BatchCreated(Shape):
    """The ids of the events, in the order of the batch."""

    ids = Texts()


class Verdict(Shape):
    """What became of the event at one of the caller's webhooks."""

    webhook_id = fields.Function(lambda verdict: verdict.webhook.id, metadata={"type": "string"})
    verdict = fields.Enum(VerdictWord, attribute="word", by_value=True)
    detail = Text(attribute="sentence", metadata={"description": "the same in words"})
    delivery_id = Text(allow_none=True)
    state = Text(allow_none=True, metadata={"description": "how that delivery stands now"})
    filter = fields.Raw(attribute="refusal", allow_none=True, metadata=FILTER)


class EventShown(Shape):
    """One thing that happened. Its values are in the answer for a single event."""

    id = Text()
    event = Text(attribute="type")
    project_id = Text()
    company_id = Text()
    user_id = Text(allow_none=True)
    record_id = Text(allow_none=True, metadata={"description": "the record that it is about or belongs to"})
    created_at = Instant()
    verdicts = fields.List(fields.Nested(Verdict), metadata={"description": "one for each of your webhooks"})


class EventWhole(EventShown):
    """One thing that happened, with its values. A created event has no previousValue."""

    previous_value = fields.Raw(allow_none=True, metadata={"type": ["object", "null"]})
    current_value = fields.Raw(allow_none=True, metadata={"type": ["object", "null"]})


class EventPage(Shape):
    """Events, newest first."""

    items = fields.List(fields.Nested(EventShown))
    next_cursor = next_cursor()


class EventQuery(PageQuery):
    """Which events are meant."""

    project_id = Text()
    event = Choices(list(event_types(None)), metadata={"description": "event types, commas between them"})
    since = Instant(metadata={"description": "not older than this"})
    until = Instant(metadata={"description": "older than this"})


def shown(event: Event, verdicts: list[WebhookVerdict]) -> dict[str, Any]:
    """An event as EventShown dumps it."""
    names = ("id", "type", "project_id", "company_id", "user_id", "record_id", "created_at")
    return {name: getattr(event, name) for name in names} | {"verdicts": verdicts}


def whole(event: Event, verdicts: list[WebhookVerdict]) -> dict[str, Any]:
    """An event as EventWhole dumps it; a value that the payload does not have is left out."""
    values = {"previous_value": event.previous_value, "current_value": event.current_value}
    return shown(event, verdicts) | {name: json.loads(value) for name, value in values.items() if value is not None}
