"""Composing: the body of a delivery, made of pieces that were written once. The same bytes on every attempt."""

from __future__ import annotations

from typing import Any

from webapp.delivery import payloads
from webapp.models import DeliveryKind, PayloadFormat


def body(delivery: Any, event: Any, snapshot: bytes) -> bytes:
    """The exact bytes to send: of a delivery and its event (rows or objects) and the bytes of its webhook snapshot.

    A ping is Blue's two-key body, a test keeps its whole body in `sample`, and the short format lies with the event.
    """
    if delivery.kind in (DeliveryKind.PING, DeliveryKind.HEALTH_CHECK):
        return payloads.health_check(snapshot)
    if delivery.sample is not None:
        return bytes(delivery.sample)
    if delivery.payload_format is PayloadFormat.COMPACT:
        return bytes(event.compact)
    return payloads.body(code=event.type, snapshot=snapshot, previous=event.previous_value, current=event.current_value)
