"""Where a page of a list ends: opaque, signed, and of that list only."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from webapp.api.errors import Malformed

NOT_OURS = "This cursor is not one of ours. Send nextCursor of the page before, as it came."


def encode(listing: str, seq: int | None) -> str | None:
    """The cursor that stands for this place in a listing; None stays None."""
    return None if seq is None else str(_serializer(listing).dumps(seq))


def decode(listing: str, text: str | None) -> int | None:
    """The place that a cursor of this listing stands for. Raises Malformed for any other text."""
    if text is None:
        return None
    try:
        return int(_serializer(listing).loads(text))
    except BadSignature:
        raise Malformed(NOT_OURS) from None


def encode_id(listing: str, last_id: str | None) -> str | None:
    """The cursor that stands for what comes after this id in a listing; None stays None."""
    return None if last_id is None else str(_serializer(listing).dumps(last_id))


def decode_id(listing: str, text: str | None) -> str | None:
    """The id that a cursor of this listing stands for. Raises Malformed for any other text."""
    if text is None:
        return None
    try:
        return str(_serializer(listing).loads(text))
    except BadSignature:
        raise Malformed(NOT_OURS) from None


def _serializer(listing: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=f"api.cursor.{listing}")
