"""What arrived: the headers of a signed request, and whether they have the form that they must have."""

from __future__ import annotations

import re
from collections.abc import Iterable

from webapp.delivery.signing.headers import STANDARD_VERSION
from webapp.delivery.signing.keys import decoded
from webapp.delivery.signing.steps import Step

DIGEST_BYTES = 32
_HEX = re.compile(r"[0-9a-fA-F]+")
# No dot: it separates id, timestamp and body. No comma: servers join repeated headers with one.
_ID = re.compile(r"[A-Za-z0-9_:-]{1,255}")
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,11}")


class Received:
    """The headers that matter, from pairs of name and value. Names are compared without case."""

    def __init__(self, headers: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers:
            self._values.setdefault(name.lower(), []).append(value)
        self.plain = self._first("x-signature")
        self.plain_previous = self._first("x-signature-previous")
        self.standard = self._first("webhook-signature")
        self.id = self._first("webhook-id") or ""
        self.timestamp = self._first("webhook-timestamp") or ""

    @property
    def standard_parts(self) -> list[str]:
        """The signatures of the version that we know; a receiver passes over others."""
        return [part for part in (self.standard or "").split(" ") if part.startswith(f"{STANDARD_VERSION},")]

    def age_s(self, now: int | None) -> int | None:
        """Seconds since the timestamp; None without one, and without a `now`."""
        return now - int(self.timestamp) if now is not None and _TIMESTAMP.fullmatch(self.timestamp) else None

    def plain_fault(self) -> Step | None:
        """What is wrong with the form of `X-Signature`."""
        value = self.plain or ""
        if self._repeats("x-signature", "x-signature-previous"):
            return Step.REPEATED
        if "=" in value:
            return Step.PREFIXED
        if not _HEX.fullmatch(value):
            return Step.NOT_HEX
        if len(value) != 2 * DIGEST_BYTES:
            return Step.LENGTH
        return Step.UPPER_CASE if value != value.lower() else None

    def standard_fault(self) -> Step | None:
        """What is wrong with the form of `webhook-signature` and the two headers it is made with."""
        if self._repeats("webhook-id", "webhook-timestamp", "webhook-signature"):
            return Step.REPEATED
        if fault := self.content_fault():
            return fault
        contents = [decoded(part.partition(",")[2]) for part in self.standard_parts]
        if not contents:
            return Step.VERSION
        return None if all(content and len(content) == DIGEST_BYTES for content in contents) else Step.BASE64

    def content_fault(self) -> Step | None:
        """What is wrong with the two headers that are signed along with the body."""
        if not _ID.fullmatch(self.id):
            return Step.ID
        return None if _TIMESTAMP.fullmatch(self.timestamp) else Step.TIMESTAMP

    def _first(self, name: str) -> str | None:
        return self._values[name][0] if name in self._values else None

    def _repeats(self, *names: str) -> bool:
        return any(len(self._values.get(name, ())) > 1 for name in names)
