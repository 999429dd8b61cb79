"""Event types as callers read them."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import fields

from webapp.api.resource import PREFIX
from webapp.api.schemas.base import Shape, Text
from webapp.delivery.event_types import EventType, Kind, event_types, example
from webapp.delivery.json_schemas import DIALECT
from webapp.models import PayloadFormat


class Examples(Shape):
    """A whole example body in each format."""

    full = fields.Raw(metadata={"type": "object"})
    compact = fields.Raw(metadata={"type": "object"})


class Schemas(Shape):
    """Where the JSON Schema of a body lies, for each format."""

    full = Text()
    compact = Text()


class EventTypeShown(Shape):
    """One kind of thing that can happen."""

    code = Text(metadata={"example": "TODO_CREATED"})
    compact_code = Text(metadata={"description": "its name in the compact format", "example": "RECORD_CREATED"})
    group = Text()
    label = Text()
    description = Text()
    sent_when = Text()
    entity = Text(metadata={"description": "what its values show: record, comment, …"})
    kind = fields.Enum(Kind, by_value=True, metadata={"description": "which values it has"})
    examples = fields.Nested(Examples)
    schemas = fields.Nested(Schemas)


class EventTypeList(Shape):
    """All event types, in the order in which people see them."""

    items = fields.List(fields.Nested(EventTypeShown))


def shown(each: EventType) -> dict[str, Any]:
    """An event type as EventTypeShown dumps it."""
    examples = {str(word): json.loads(example(each.code, word)) for word in PayloadFormat}
    schemas = {str(word): f"{PREFIX}/event-types/{each.code}/schemas/{word}" for word in PayloadFormat}
    names = ("code", "compact_code", "group", "label", "description", "sent_when", "entity", "kind")
    return {name: getattr(each, name) for name in names} | {"examples": examples, "schemas": schemas}


SHOWN = EventTypeShown().dump(shown(event_types(None)["TAG_DELETED"]))
SCHEMA = {  # shortened: no references, which would be taken for the document's own
    "$schema": DIALECT,
    "title": "Tag deleted",
    "type": "object",
    "properties": {"event": {"const": "TAG_DELETED"}, "currentValue": {"type": "null"}},
    "required": ["event", "currentValue"],
}
