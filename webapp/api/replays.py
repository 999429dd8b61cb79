"""Releases and replays: many deliveries at once, held ones or such that were settled before."""

from __future__ import annotations

from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import replays as shapes
from webapp.webhooks import access, releases, replays
from webapp.webhooks.releases import Released
from webapp.webhooks.replays import Chosen

bp = Resource("replays", "Many deliveries at once: held ones, and those to be sent again.")


@bp.call("POST", "/webhooks/<webhook_id>/releases", "releaseHeld")
@bp.takes(shapes.ReleaseBody, example=shapes.RELEASE)
@bp.gives(200, shapes.ReleaseShown, example=shapes.RELEASED)
def create_release(values: dict[str, str], webhook_id: str) -> Released:
    """Send what was held while the webhook was off, oldest first, or discard it.

    Sending is refused with 409 while the webhook is disabled. What is cancelled stays in the log and can be sent again
    one by one.
    """
    return releases.release(access.load(caller(), webhook_id), values["mode"], by=caller())


@bp.call("POST", "/webhooks/<webhook_id>/replays", "createReplay")
@bp.takes(shapes.ReplayBody, example=shapes.REPLAY)
@bp.gives(202, shapes.ReplayShown, example=shapes.SHOWN | {"redelivered": 0, "succeeded": 0, "failed": 0, "open": 0})
def create(chosen: Chosen, webhook_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Send many deliveries again, with the same bytes and the same webhook-ids, in pace and behind new events.

    It is refused with 409 while the webhook is disabled or has a replay running. One that matches nothing is finished
    at once.
    """
    webhook = access.load(caller(), webhook_id)
    replay = replays.start(webhook, chosen, by=caller())
    place = url_for("api_replays.show", webhook_id=webhook.id, replay_id=replay.id)
    return shapes.shown(replay), 202, {"Location": place}


@bp.call("GET", "/webhooks/<webhook_id>/replays/<replay_id>", "readReplay")
@bp.gives(200, shapes.ReplayShown, example=shapes.SHOWN)
def show(webhook_id: str, replay_id: str) -> dict[str, Any]:
    """Read how far a replay is."""
    return shapes.shown(replays.load(access.load(caller(), webhook_id), replay_id))


@bp.call("PUT", "/webhooks/<webhook_id>/replays/<replay_id>/cancellation", "stopReplay")
@bp.gives(200, shapes.ReplayShown, example=shapes.SHOWN)
def update_cancellation(webhook_id: str, replay_id: str) -> dict[str, Any]:
    """Stop a replay. What is not yet sent stays as it was; one that is over stays as it is."""
    replay = replays.load(access.load(caller(), webhook_id), replay_id)
    replays.stop(replay, by=caller())
    return shapes.shown(replay)
