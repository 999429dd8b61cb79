"""Deliveries and their attempts as callers read them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from marshmallow import fields

from webapp.api.schemas.base import Choices, Flag, Instant, PageQuery, Shape, Text, next_cursor
from webapp.delivery.event_types import HEALTH_CHECK, event_types
from webapp.models import Attempt, Delivery, DeliveryKind, DeliveryState, ErrorWord

MILLISECONDS = {"description": "milliseconds"}
ENCODING = {"enum": ["utf-8", "base64"], "description": "how the body stands here: base64 where it is no UTF-8"}

SHOWN = {
    "id": "dlv_cmb2k8f0b0002jo6w5y9a7c4e",
    "kind": "event",
    "webhookId": "cmb2k8f0a0003jo6w8z1b2c3d",
    "event": "TODO_NAME_CHANGED",
    "eventId": "evt_cmb2k8f0a0001jo6w3v5x7t9q",
    "projectId": "shop",
    "payloadFormat": "full",
    "state": "succeeded",
    "reason": None,
    "attemptCount": 1,
    "lastStatus": 200,
    "lastError": None,
    "lastMs": 12.4,
    "nextAttemptAt": None,
    "createdAt": "2026-05-04T12:00:00.000Z",
    "heldAt": None,
    "settledAt": "2026-05-04T12:00:00.020Z",
}
CANCELLED = {**SHOWN, "state": "cancelled", "reason": "by_hand", "attemptCount": 0, "lastStatus": None, "lastMs": None}
ATTEMPT = {
    "id": "att_cmb2k8f0c0004jo6w2s8d6f1g",
    "number": 1,
    "byHand": False,
    "claimedAt": "2026-05-04T12:00:00.004Z",
    "startedAt": "2026-05-04T12:00:00.006Z",
    "finishedAt": "2026-05-04T12:00:00.019Z",
    "late": False,
    "url": "https://example.com/hooks/orders",
    "requestHeaders": [{"name": "webhook-id", "value": "dlv_cmb2k8f0b0002jo6w5y9a7c4e"}],
    "status": 200,
    "error": None,
    "detail": None,
    "responseHeaders": [{"name": "Content-Type", "value": "text/plain"}],
    "responseBody": {"content": "ok", "encoding": "utf-8", "cut": False},
    "retryAfterS": None,
    "peer": "203.0.113.7",
    "timings": {"dnsMs": 0.8, "connectMs": 2.1, "tlsMs": 5.0, "firstByteMs": 3.9, "totalMs": 12.4},
}
WHOLE = {
    **SHOWN,
    "requestBody": {"content": '{"event":"TODO_NAME_CHANGED"}', "encoding": "utf-8", "cut": False},
    "bodySha256": "6c0de0a0d1a5b5d1f2b8e1b8f8e0f6a7a1c6a0de8f3f3f2c5b7f0a6d9e4c3b21",
    "attempts": [ATTEMPT],
}
REDELIVERY = {
    "id": "cmb2k8f0d0005jo6w4q7e9r2t",
    "deliveryId": "dlv_cmb2k8f0b0002jo6w5y9a7c4e",
    "requestedAt": "2026-05-04T12:05:00.000Z",
}


class Body(Shape):
    """A body: text, or base64 where it is no UTF-8."""

    content = Text()
    encoding = Text(metadata=ENCODING)
    cut = Flag(metadata={"description": "whether there was more of it"})


class Header(Shape):
    """One header line."""

    name = Text()
    value = Text()


class Timings(Shape):
    """Where the time went; null where a step was not reached or not needed."""

    dns_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)
    connect_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)
    tls_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)
    first_byte_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)
    total_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)


class AttemptShown(Shape):
    """One HTTP request. Without finishedAt its outcome is not known (yet)."""

    id = Text()
    number = fields.Integer()
    by_hand = Flag(metadata={"description": "whether a person asked for it"})
    claimed_at = Instant()
    started_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)
    late = Flag(metadata={"description": "its outcome came when another attempt had taken over"})
    url = Text(allow_none=True)
    request_headers = fields.List(fields.Nested(Header), allow_none=True)
    status = fields.Integer(allow_none=True)
    error = fields.Enum(ErrorWord, by_value=True, allow_none=True)
    detail = Text(allow_none=True, metadata={"description": "the error in words"})
    response_headers = fields.List(fields.Nested(Header), allow_none=True)
    response_body = fields.Nested(Body, allow_none=True)
    retry_after_s = fields.Float(allow_none=True, metadata={"description": "what the receiver asked for, seconds"})
    peer = Text(allow_none=True, metadata={"description": "the address that was connected to"})
    timings = fields.Nested(Timings)


class DeliveryShown(Shape):
    """One event owed to one webhook. Its id is the webhook-id of every attempt."""

    id = Text()
    kind = fields.Enum(DeliveryKind, by_value=True)
    webhook_id = Text()
    event = Text(attribute="event_type")
    event_id = Text(allow_none=True, metadata={"description": "null for pings, tests and health checks"})
    project_id = Text(allow_none=True)
    payload_format = Text()
    state = fields.Enum(DeliveryState, by_value=True)
    reason = Text(allow_none=True, metadata={"description": "why it is held, failed, cancelled or stuck"})
    attempt_count = fields.Integer(attribute="attempts_made")
    last_status = fields.Integer(allow_none=True)
    last_error = fields.Enum(ErrorWord, by_value=True, allow_none=True)
    last_ms = fields.Float(allow_none=True, metadata=MILLISECONDS)
    next_attempt_at = Instant(allow_none=True)
    created_at = Instant()
    held_at = Instant(allow_none=True)
    settled_at = Instant(allow_none=True)


class DeliveryWhole(DeliveryShown):
    """A delivery with every attempt. All attempts send the same bytes, so the body stands here once."""

    request_body = fields.Nested(Body)
    body_sha256 = Text(allow_none=True)
    attempts = fields.List(fields.Nested(AttemptShown))


class DeliveryPage(Shape):
    """Deliveries, newest first."""

    items = fields.List(fields.Nested(DeliveryShown))
    next_cursor = next_cursor()


class DeliveryQuery(PageQuery):
    """Which deliveries are meant."""

    webhook_id = Text()
    status = Choices([str(state) for state in DeliveryState], metadata={"description": "states, commas between them"})
    event = Choices([*event_types(None), HEALTH_CHECK], metadata={"description": "event types, commas between them"})
    project_id = Text()
    since = Instant(metadata={"description": "not older than this"})
    until = Instant(metadata={"description": "older than this"})


class RedeliveryShown(Shape):
    """That a delivery is to be sent once more."""

    id = Text()
    delivery_id = fields.Function(lambda redelivery: redelivery.delivery.id, metadata={"type": "string"})
    requested_at = Instant()


def shown(delivery: Delivery) -> dict[str, Any]:
    """A delivery as DeliveryShown dumps it."""
    columns = {name: getattr(delivery, name) for name in _COLUMNS}
    return columns | {"event_id": delivery.event.id if delivery.event else None}


def whole(delivery: Delivery, body: bytes, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """A delivery as DeliveryWhole dumps it."""
    return shown(delivery) | {
        "request_body": _body(body),
        "body_sha256": delivery.body_sha256,
        "attempts": [_attempt(attempt) for attempt in attempts],
    }


_COLUMNS = (
    "id",
    "kind",
    "webhook_id",
    "event_type",
    "project_id",
    "payload_format",
    "state",
    "reason",
    "attempts_made",
    "last_status",
    "last_error",
    "last_ms",
    "next_attempt_at",
    "created_at",
    "held_at",
    "settled_at",
)
_OF_ATTEMPT = (
    "id",
    "number",
    "claimed_at",
    "started_at",
    "finished_at",
    "url",
    "status",
    "error",
    "retry_after_s",
    "peer",
)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    answer = attempt.response_body
    return {name: getattr(attempt, name) for name in _OF_ATTEMPT} | {
        "by_hand": attempt.is_by_hand,
        "late": attempt.is_late,
        "detail": attempt.sentence,
        "request_headers": _headers(attempt.request_headers),
        "response_headers": _headers(attempt.response_headers),
        "response_body": None if answer is None else _body(answer, is_cut=attempt.is_cut),
        "timings": attempt,
    }


def _headers(pairs: list[list[str]] | None) -> list[dict[str, str]] | None:
    return None if pairs is None else [{"name": name, "value": value} for name, value in pairs]


def _body(content: bytes, *, is_cut: bool = False) -> dict[str, object]:
    try:
        return {"content": content.decode(), "encoding": "utf-8", "cut": is_cut}
    except UnicodeDecodeError:
        return {"content": base64.b64encode(content).decode(), "encoding": "base64", "cut": is_cut}
