"""Event types: what can happen, with an example of each."""

from __future__ import annotations

from typing import Any

from webapp.api.resource import Resource
from webapp.api.schemas import event_types as shapes
from webapp.delivery.event_types import event_types

bp = Resource("event-types", "What can happen: the words, and an example of each.")


@bp.call("GET", "/event-types", "listEventTypes")
@bp.gives(200, shapes.EventTypeList)
def index() -> dict[str, Any]:
    """List all event types, with an example body in both formats."""
    return {"items": [shapes.shown(each) for each in event_types(None).values()]}
