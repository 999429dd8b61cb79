"""Releases of held deliveries, and replays, as callers ask for them and read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from webapp.api.schemas.base import Instant, Shape, Text, Texts
from webapp.models import DeliveryState, Replay
from webapp.webhooks import replays
from webapp.webhooks.releases import Mode
from webapp.webhooks.replays import STATES, Chosen, Progress

MODE = {
    "description": "all; newest: of each record and event type only the newest; discard: nothing is sent",
    "enum": list(Mode),
}
STATUS = {"description": "states of deliveries: a word or a list of them", "default": [str(DeliveryState.FAILED)]}
WORDS = "Send one of these words, or a list of them: " + ", ".join(STATES) + "."

RELEASE = {"mode": "newest"}
RELEASED = {"released": 312, "cancelled": 922}
REPLAY = {"status": ["failed"], "since": "2026-05-04T00:00:00.000Z", "until": "2026-05-05T00:00:00.000Z"}
SHOWN = {
    "id": "cmb2k8f0e0006jo6w7t3y1u5i",
    "webhookId": "cmb2k8f0a0003jo6w8z1b2c3d",
    **REPLAY,
    "events": [],
    "count": 1204,
    "redelivered": 310,
    "succeeded": 301,
    "failed": 4,
    "open": 5,
    "createdAt": "2026-05-05T08:00:00.000Z",
    "stoppedAt": None,
    "finishedAt": None,
}


class StateWords(fields.List[Any]):
    """States that can be replayed: a word, or a list of words."""

    default_error_messages = {"invalid": WORDS}  # noqa: RUF012 - marshmallow's own way

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(validate=validate.OneOf([str(state) for state in STATES], error=WORDS)), **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any
    ) -> list[Any | None]:
        words = super()._deserialize([value] if isinstance(value, str) else value, attr, data, **options)
        return [DeliveryState(str(word)) for word in dict.fromkeys(words)]


class ReleaseBody(Shape):
    """What becomes of the held deliveries of a webhook."""

    mode = Text(required=True, metadata=MODE)


class ReleaseShown(Shape):
    """How many deliveries go out now, and how many were cancelled instead."""

    released = fields.Integer()
    cancelled = fields.Integer()


class ReplayBody(Shape):
    """Which deliveries are to be sent again."""

    status = StateWords(load_default=(DeliveryState.FAILED,), metadata=STATUS)
    since = Instant(required=True, metadata={"description": "made at this moment or later"})
    until = Instant(allow_none=True, load_default=None, metadata={"description": "made before this moment"})
    events = Texts(load_default=(), metadata={"description": "event types; an empty list means all"})

    @ma.post_load
    def _as_choice(self, data: Mapping[str, Any], **_: Any) -> Chosen:
        return Chosen(data["since"], data["until"], tuple(data["status"]), tuple(data["events"]))


class ReplayShown(Shape):
    """A replay and how far it is."""

    id = Text()
    webhook_id = Text()
    status = Texts()
    since = Instant()
    until = Instant(allow_none=True)
    events = Texts()
    count = fields.Integer(metadata={"description": "how many deliveries matched when it was asked for"})
    redelivered = fields.Integer(metadata={"description": "asked for so far"})
    succeeded = fields.Integer()
    failed = fields.Integer(metadata={"description": "failed again; a replay is not retried by itself"})
    open = fields.Integer(metadata={"description": "waiting to be sent, or being sent"})
    created_at = Instant()
    stopped_at = Instant(allow_none=True, metadata={"description": "by hand, or because the webhook went off"})
    finished_at = Instant(allow_none=True, metadata={"description": "null while it goes on"})


def shown(replay: Replay) -> dict[str, Any]:
    """A replay as ReplayShown dumps it."""
    chosen, progress = Chosen.of(replay.chosen), replays.progress(replay)
    names = ("id", "webhook_id", "created_at", "stopped_at", "finished_at")
    return {name: getattr(replay, name) for name in names} | _choice(chosen) | _progress(progress)


def _choice(chosen: Chosen) -> dict[str, Any]:
    states = [str(state) for state in chosen.states]
    return {"status": states, "since": chosen.since, "until": chosen.until, "events": list(chosen.event_types)}


def _progress(progress: Progress) -> dict[str, Any]:
    names = ("redelivered", "succeeded", "failed", "open")
    return {"count": progress.total} | {name: getattr(progress, name) for name in names}
