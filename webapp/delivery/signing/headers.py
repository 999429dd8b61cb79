"""The headers of a request, signatures among them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from webapp.config import VERSION
from webapp.delivery.signing.keys import Keys, standard_key, text_key

USER_AGENT = f"Blue-Webhooks/{VERSION}"
STANDARD_VERSION = "v1"

_PLAIN_NAMES = ("X-Signature", "X-Signature-Previous")


def headers(
    *,
    delivery_id: str,
    event_word: str,
    event_id: str | None,
    attempt_number: int,
    body: bytes,
    timestamp: int,
    keys: Sequence[Keys],
    is_test: bool = False,
) -> tuple[tuple[str, str], ...]:
    """The product's own headers of one attempt, as pairs of name and value.

    `keys` are those of the valid secrets, newest first; without any the request is unsigned. `timestamp` is this
    attempt's, in whole seconds since 1970. `event_word` is the same word as `event` in the body.
    """
    pairs = [("Content-Type", "application/json"), ("User-Agent", USER_AGENT), ("X-Webhook-Event", event_word)]
    if event_id is not None:
        pairs.append(("X-Webhook-Event-Id", event_id))
    pairs.append(("X-Webhook-Attempt", str(attempt_number)))
    if is_test:
        pairs.append(("X-Webhook-Test", "true"))
    pairs += [("webhook-id", delivery_id), ("webhook-timestamp", str(timestamp))]
    if keys:
        standard = [standard_value(each.standard, delivery_id, timestamp, body) for each in keys]
        pairs.append(("webhook-signature", " ".join(standard)))
    pairs += [(name, plain_value(each.text, body)) for name, each in zip(_PLAIN_NAMES, keys, strict=False)]
    return tuple(pairs)


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Signature`: HMAC-SHA256 of the body in lower-case hex, keyed by the secret's text."""
    return plain_value(text_key(secret), body)


def standard_signature(delivery_id: str, timestamp: int | str, body: bytes, secret: str) -> str:
    """One signature of Standard Webhooks, ``v1,<base64>``, over id, timestamp and body. Raises SecretError."""
    return standard_value(standard_key(secret), delivery_id, timestamp, body)


def plain_value(key: bytes, body: bytes) -> str:
    """HMAC-SHA256 of the body in lower-case hex."""
    return hmac.digest(key, body, "sha256").hex()


def standard_value(key: bytes, delivery_id: str, timestamp: int | str, body: bytes) -> str:
    """HMAC-SHA256 of ``id.timestamp.body`` in base64, after its version."""
    digest = hmac.digest(key, f"{delivery_id}.{timestamp}.".encode() + body, "sha256")
    return f"{STANDARD_VERSION},{base64.b64encode(digest).decode()}"
