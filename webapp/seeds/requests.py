"""The requests of the past: what each attempt carried, byte for byte as a worker would have sent it. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from webapp.delivery import composing, payloads, signing
from webapp.delivery.attempting import MASKED
from webapp.models import Delivery, DeliveryKind, PayloadFormat

Pairs = list[list[str]]


@dataclass(frozen=True)
class Keys:
    """The secrets of a webhook, newest first, and since when there are two of them."""

    secrets: Sequence[str] = ()
    rotated_at: datetime | None = None

    def at(self, moment: datetime) -> Sequence[str]:
        """Those that signed at this moment."""
        has_rotated = self.rotated_at is None or moment >= self.rotated_at
        return self.secrets if has_rotated else self.secrets[1:]


@dataclass(frozen=True)
class Writer:
    """Writes the requests of one webhook. `snapshot` is the webhook as its payloads show it."""

    url: str
    snapshot: bytes
    keys: Keys
    own_headers: Sequence[str] = ()

    @cached_property
    def peer(self) -> str | None:
        """The address that requests went to, where the URL names it."""
        host = urlsplit(self.url).hostname or ""
        try:
            return str(ipaddress.ip_address(host))
        except ValueError:
            return None

    def body(self, delivery: Delivery) -> bytes:
        """The exact bytes."""
        return composing.body(delivery, delivery.event, self.snapshot)

    def headers(self, delivery: Delivery, body: bytes, at: datetime) -> Pairs:
        """All header lines as the log shows them: of the webhook's own headers only the names."""
        signed = signing.headers(
            delivery_id=delivery.id,
            event_word=_event_word(delivery),
            event_id=delivery.event.id if delivery.event else None,
            attempt_number=delivery.attempts_made,
            body=body,
            timestamp=int(at.timestamp()),
            keys=[signing.Keys.of(secret) for secret in self.keys.at(at)],
            is_test=delivery.kind is DeliveryKind.TEST,
        )
        own = [(name, MASKED) for name in self.own_headers]
        frame = (("Accept-Encoding", "identity"), ("Content-Length", str(len(body))))
        return [list(pair) for pair in (("Host", urlsplit(self.url).netloc), *own, *signed, *frame)]


def sha256(body: bytes) -> str:
    """The fingerprint that a delivery keeps of its body."""
    return hashlib.sha256(body).hexdigest()


def _event_word(delivery: Delivery) -> str:
    is_compact = delivery.payload_format is PayloadFormat.COMPACT and delivery.event_type != payloads.HEALTH_CHECK
    return payloads.compact_word(delivery.event_type) if is_compact else delivery.event_type
