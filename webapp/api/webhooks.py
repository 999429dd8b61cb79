"""Webhooks: set them up, change them, switch them, ping them. Each person's own only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import deliveries as delivery_shapes
from webapp.api.schemas import webhooks as shapes
from webapp.models import Webhook
from webapp.webhooks import access, editing, pings, secrets, statistics
from webapp.webhooks.editing import GENERATED, WebhookChanges, WebhookValues
from webapp.webhooks.statistics import Figures

bp = Resource("webhooks", "What is sent where.")


@bp.call("GET", "/webhooks", "listWebhooks")
@bp.gives(200, shapes.WebhookList, example={"items": [shapes.SHOWN]})
def index() -> dict[str, Any]:
    """List your webhooks, by name."""
    webhooks = access.of(caller())
    figures = statistics.figures(webhooks)
    return {"items": [shapes.shown(webhook, figures[webhook.id]) for webhook in webhooks]}


@bp.call("POST", "/webhooks", "createWebhook")
@bp.takes(shapes.WebhookBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.WebhookCreated, example=shapes.CREATED)
def create(values: WebhookValues) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Set up a webhook. No request is sent.

    The answer holds its secret, and no later one does.
    """
    created = editing.create(values, by=caller())
    webhook = created.webhook
    body = shapes.saved(webhook, _figures(webhook), created.warnings) | {"secret": created.secret}
    return body, 201, {"Location": url_for("api_webhooks.show", webhook_id=webhook.id)}


@bp.call("GET", "/webhooks/<webhook_id>", "readWebhook")
@bp.gives(200, shapes.WebhookShown, example=shapes.SHOWN)
def show(webhook_id: str) -> dict[str, Any]:
    """Read one webhook."""
    webhook = access.load(caller(), webhook_id)
    return shapes.shown(webhook, _figures(webhook))


@bp.call("PATCH", "/webhooks/<webhook_id>", "changeWebhook")
@bp.takes(shapes.WebhookPatch, example={"enabled": True})
@bp.gives(200, shapes.WebhookSaved, example=shapes.SAVED)
def edit(changes: WebhookChanges, webhook_id: str) -> dict[str, Any]:
    """Change a webhook, switch it off or on.

    Switching on saves everything else, sends a health check and waits for it, 7 seconds at most. The answer is 200
    either way: `enabled` says whether it is on now, and `healthCheck` why not.
    """
    saved = editing.edit(access.load(caller(), webhook_id), changes, by=caller())
    return shapes.saved(saved.webhook, _figures(saved.webhook), saved.warnings)


@bp.call("DELETE", "/webhooks/<webhook_id>", "deleteWebhook")
@bp.gives(204)
def delete(webhook_id: str) -> None:
    """Delete a webhook. What it has not delivered is cancelled; its log stays."""
    editing.delete(access.load(caller(), webhook_id), by=caller())


@bp.call("POST", "/webhooks/<webhook_id>/pings", "pingWebhook")
@bp.gives(202, delivery_shapes.DeliveryShown, example=delivery_shapes.SHOWN)
def create_ping(webhook_id: str) -> dict[str, Any]:
    """Send a test ping, at most ten a minute. A disabled webhook is pinged too."""
    return delivery_shapes.shown(pings.ping(access.load(caller(), webhook_id), by=caller()))


@bp.call("POST", "/webhooks/<webhook_id>/rotations", "rotateSecret")
@bp.takes(shapes.RotationBody, example={"overlapHours": 24}, required=False)
@bp.gives(201, shapes.Rotated, example=shapes.ROTATED)
def create_rotation(values: Mapping[str, Any], webhook_id: str) -> dict[str, Any]:
    """Give a webhook a new secret. The answer holds it, and no later one does.

    The secret before it signs too until the overlap is over; rotating again ends it at once.
    """
    webhook = access.load(caller(), webhook_id)
    chosen = GENERATED if values["secret"] is None else values["secret"]
    text = secrets.rotate(webhook, by=caller(), secret=chosen, overlap_hours=values["overlap_hours"])
    return shapes.rotated(text, webhook)


@bp.call("DELETE", "/webhooks/<webhook_id>/secret", "removeSecret")
@bp.gives(204)
def delete_secret(webhook_id: str) -> None:
    """Remove the secret, and the one before it. Requests are unsigned from then on."""
    secrets.remove(access.load(caller(), webhook_id), by=caller())


def _figures(webhook: Webhook) -> Figures:
    return statistics.figures([webhook])[webhook.id]
