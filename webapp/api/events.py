"""Events: other applications publish them here, and anybody sees what happened in their projects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from flask import request

from webapp.api import cursors
from webapp.api.authentication import caller, caller_id
from webapp.api.resource import Resource
from webapp.api.schemas import events as shapes
from webapp.api.schemas.base import Created
from webapp.webhooks import verdicts
from webapp.workspace import event_log
from webapp.workspace.events import ExternalEvent, publish_external
from webapp.workspace.external_events import MAX_EVENT_BYTES

MAX_BATCH_BYTES = 8 * 1024 * 1024
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "1 to 255 visible ASCII characters. The same key again within 24 hours gets the same answer, "
    "and there is one event; with another body it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

bp = Resource("events", "What happened: publish it, and see what became of it.")


@bp.call("POST", "/events", "publishEvent", parameters=[IDEMPOTENCY_KEY])
@bp.takes(shapes.EventBody, most_bytes=MAX_EVENT_BYTES, example=shapes.EXAMPLE)
@bp.gives(202, Created, example=shapes.CREATED)
def create(event: ExternalEvent) -> dict[str, Any]:
    """Publish an event.

    Answered once it is on disk. Every webhook that wants it gets it, with retries over about three days.
    """
    return publish_external([event], by_id=caller_id(), **_once())


@bp.call("POST", "/events/batch", "publishEvents", parameters=[IDEMPOTENCY_KEY])
@bp.takes(shapes.BatchBody, most_bytes=MAX_BATCH_BYTES, example={"events": [shapes.EXAMPLE]})
@bp.gives(202, shapes.BatchCreated, example=shapes.BATCH_CREATED)
def create_batch(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Publish up to 500 events, all or none.

    A wrong one is named by its place: `events.3.projectId`.
    """
    return publish_external(batch["events"], by_id=caller_id(), is_batch=True, **_once())


@bp.call("GET", "/events", "listEvents")
@bp.asks(shapes.EventQuery)
@bp.gives(200, shapes.EventPage, example={"items": [shapes.SHOWN | {"verdicts": shapes.VERDICTS}], "nextCursor": None})
def index(query: Mapping[str, Any]) -> dict[str, Any]:
    """List what happened in your projects, newest first."""
    filters = event_log.EventFilter(
        project_id=query.get("project_id"),
        event_types=query.get("event", ()),
        since=query.get("since"),
        until=query.get("until"),
    )
    page = event_log.events(caller(), filters, cursors.decode("events", query.get("cursor")), query["limit"])
    found = verdicts.of(page.events, user=caller())
    items = [shapes.shown(event, found[event.seq]) for event in page.events]
    return {"items": items, "next_cursor": cursors.encode("events", page.older)}


@bp.call("GET", "/events/<event_id>", "readEvent")
@bp.gives(200, shapes.EventWhole, example=shapes.SHOWN | shapes.EXAMPLE | {"verdicts": shapes.VERDICTS})
def show(event_id: str) -> dict[str, Any]:
    """Read one event: its values, and for each of your webhooks whether it was sent, or why not."""
    event = event_log.load(event_id, caller())
    return shapes.whole(event, verdicts.of([event], user=caller())[event.seq])


def _once() -> dict[str, Any]:
    """What makes a repeated call the same call."""
    digest = hashlib.sha256(request.get_data()).hexdigest()
    return {"body_sha256": digest, "idempotency_key": request.headers.get("Idempotency-Key")}
