"""Deliveries: the log of what was sent, with every attempt, and sending one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.api import cursors
from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import deliveries as shapes
from webapp.models import DeliveryState, Redelivery
from webapp.webhooks import cancellation, log, redelivery

bp = Resource("deliveries", "What was sent, how it was answered, and sending it again.")


@bp.call("GET", "/deliveries", "listDeliveries")
@bp.asks(shapes.DeliveryQuery)
@bp.gives(200, shapes.DeliveryPage, example={"items": [shapes.SHOWN], "nextCursor": None})
def index(query: Mapping[str, Any]) -> dict[str, Any]:
    """List the deliveries of your webhooks, newest first."""
    filters = log.LogFilter(
        webhook_id=query.get("webhook_id"),
        states=[DeliveryState(word) for word in query.get("status", ())],
        event_types=query.get("event", ()),
        project_id=query.get("project_id"),
        since=query.get("since"),
        until=query.get("until"),
    )
    page = log.deliveries(caller(), filters, cursors.decode("deliveries", query.get("cursor")), query["limit"])
    items = [shapes.shown(delivery) for delivery in page.deliveries]
    return {"items": items, "next_cursor": cursors.encode("deliveries", page.older)}


@bp.call("GET", "/deliveries/<delivery_id>", "readDelivery")
@bp.gives(200, shapes.DeliveryWhole, example=shapes.WHOLE)
def show(delivery_id: str) -> dict[str, Any]:
    """Read one delivery: what is sent, and every attempt with its request and its answer."""
    delivery = log.load(caller(), delivery_id)
    return shapes.whole(delivery, log.body(delivery), log.attempts(delivery))


@bp.call("POST", "/deliveries/<delivery_id>/redeliveries", "redeliver")
@bp.gives(202, shapes.RedeliveryShown, example=shapes.REDELIVERY)
def create_redelivery(delivery_id: str) -> Redelivery:
    """Send a delivery once more, with the same bytes and the same webhook-id.

    It is refused with 409 and the reason while its webhook is disabled, or while it is being sent already.
    """
    return redelivery.redeliver(log.load(caller(), delivery_id), by=caller())


@bp.call("PUT", "/deliveries/<delivery_id>/cancellation", "cancelDelivery")
@bp.gives(200, shapes.DeliveryShown, example=shapes.CANCELLED)
def update_cancellation(delivery_id: str) -> dict[str, Any]:
    """Send a delivery no more, while it waits, is held or is stuck. What is in flight finishes.

    One that was cancelled before stays as it is; one that is settled otherwise is refused with 409.
    """
    return shapes.shown(cancellation.cancel(log.load(caller(), delivery_id), by=caller()))
