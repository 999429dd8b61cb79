"""Event types: what can happen, with an example of each and the schema of its body."""

from __future__ import annotations

from typing import Any

from flask import Response

from webapp.api.resource import Resource
from webapp.api.schemas import event_types as shapes
from webapp.delivery import payloads
from webapp.delivery.event_types import HEALTH_CHECK, EventType, event_types
from webapp.delivery.json_schemas import json_schema
from webapp.models import NotFound, PayloadFormat

bp = Resource("event-types", "What can happen: the words, an example of each, and the JSON Schema of its body.")


@bp.call("GET", "/event-types", "listEventTypes")
@bp.gives(200, shapes.EventTypeList)
def index() -> dict[str, Any]:
    """List all event types, with an example body and the address of a JSON Schema for both formats."""
    return {"items": [shapes.shown(each) for each in event_types(None).values()]}


@bp.call("GET", "/event-types/<code>", "readEventType")
@bp.gives(200, shapes.EventTypeShown, example=shapes.SHOWN)
def show(code: str) -> dict[str, Any]:
    """Read one event type, with an example body and the address of a JSON Schema for both formats."""
    return shapes.shown(_event_type(code))


@bp.call("GET", "/event-types/<code>/schemas/<payload_format>", "readJsonSchema")
@bp.gives(200, {"type": "object"}, example=shapes.SCHEMA)
def show_schema(code: str, payload_format: str) -> Response:
    """Read the JSON Schema (draft 2020-12) of a body in the format `full` or `compact`.

    `WEBHOOK_HEALTH_CHECK` has one, too. It tells what changes in projects send; an event that another application
    publishes holds whatever that application says.
    """
    if payload_format not in list(PayloadFormat):
        raise NotFound("There are the formats “full” and “compact”.")
    if code != HEALTH_CHECK:
        _event_type(code)
    return Response(payloads.to_json(json_schema(code, PayloadFormat(payload_format))), mimetype="application/json")


def _event_type(code: str) -> EventType:
    found = event_types(None).get(code)
    if found is None:
        raise NotFound("There is no such event type. GET /api/v1/event-types lists all.")
    return found
