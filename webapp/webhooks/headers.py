"""Headers of a webhook's own, such as an API key that the receiver asks for: their rules, and how they are kept.

All of one webhook are one ciphertext. Their values are secrets: they are sent, and never shown again. They belong to
the address that they were entered for and do not follow it to another host (reference: reliability.md, W27 to W29).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from webapp.models import Invalid, Webhook
from webapp.models.base import UnreadableSecret, decrypt, keyring
from webapp.webhooks.rules import Advice

MAX_HEADERS = 20
MAX_VALUE_BYTES = 4096
MAX_NAME_LENGTH = 64  # characters

SET_BY_US = "This header is set by us."
ENTER_NAME = "Enter a name."
ENTER_VALUE = "Enter a value."
BAD_NAME = "Letters, digits and hyphens only, at most %(most)s."
TWICE = "This name stands here twice."
BAD_VALUE = "Only visible ASCII characters, with blanks or tabs between them. No line feeds."
TOO_LONG = "At most %(most)s bytes."
TOO_MANY = "At most %(most)s headers."
DROPPED = (
    "The URL leads to another host now, so these headers were removed: %(names)s. "
    "Enter them again if the new host may have their values."
)

Pair = tuple[str, str]
# A name, and its value; None keeps the value that is stored under this name.
Typed = tuple[str, str | None]

_NAME = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_NAME_LENGTH}}}")
_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")
# They frame the message, belong to the connection, carry credentials for somebody else, or say what we say.
_OURS = re.compile(
    r"host|content-.*|accept-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*"
    r"|forwarded|x-forwarded-.*|cookie|webhook-.*|x-webhook-.*|x-signature.*|user-agent",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Saved:
    """What saving did: whether anything changed, and what the person should know."""

    is_changed: bool = False
    advice: list[Advice] = field(default_factory=list)


def checked(rows: Sequence[Typed], *, known: Collection[str] = ()) -> list[Typed]:
    """The rows, if they may be saved; raises Invalid at each wrong place: `headers`, `headers.2.name`, …

    A row without a value is right when its name is among `known`, those that have one stored.
    """
    if len(rows) > MAX_HEADERS:
        raise Invalid("headers", TOO_MANY, most=MAX_HEADERS)
    stored = {name.lower() for name in known}
    seen: set[str] = set()
    errors: list[Invalid] = []
    for number, (name, value) in enumerate(rows):
        errors += _wrong_name(f"headers.{number}.name", name, seen)
        errors += _wrong_value(f"headers.{number}.value", value, is_stored=name.lower() in stored)
        seen.add(name.lower())
    if errors:
        raise Invalid.many(errors)
    return [(name, value or None) for name, value in rows]


def names(webhook: Webhook) -> list[str] | None:
    """What the webhook's headers are called, in their order; None when no key of this installation fits."""
    stored = _stored(webhook)
    return None if stored is None else [name for name, _ in stored]


def save(webhook: Webhook, rows: Sequence[Typed] | None, *, url: str) -> Saved:
    """Keep these checked rows with a webhook that is about to get this URL; None leaves the rows as they are.

    A row without a value keeps the stored one, unless the URL leads to another host: then it is dropped, and the advice
    names it. Raises Invalid at a row without a value that has none stored. Belongs inside transaction(), before the
    webhook's URL is changed.
    """
    old = _stored(webhook) or []
    stays = _origin(webhook.url) == _origin(url)
    if rows is None and stays:
        return Saved()
    typed = [(name, None) for name, _ in old] if rows is None else rows
    pairs, dropped = _merged(typed, old, stays=stays)
    is_changed = pairs != old or (not pairs and webhook.headers_ciphertext is not None)
    if is_changed:
        webhook.headers_ciphertext = seal(pairs)
    return Saved(is_changed, [Advice("headers", DROPPED, {"names": ", ".join(dropped)})] if dropped else [])


def seal(pairs: Sequence[Pair]) -> str | None:
    """The ciphertext of names and values; None for none."""
    return keyring().encrypt(json.dumps(list(pairs)).encode()).decode() if pairs else None


def _wrong_name(place: str, name: str, seen: Collection[str]) -> Iterator[Invalid]:
    if not name:
        yield Invalid(place, ENTER_NAME)
    elif not _NAME.fullmatch(name):
        yield Invalid(place, BAD_NAME, most=MAX_NAME_LENGTH)
    elif _OURS.fullmatch(name):
        yield Invalid(place, SET_BY_US)
    elif name.lower() in seen:
        yield Invalid(place, TWICE)


def _wrong_value(place: str, value: str | None, *, is_stored: bool) -> Iterator[Invalid]:
    if not value:
        if not is_stored:
            yield Invalid(place, ENTER_VALUE)
    elif not _VALUE.fullmatch(value):
        yield Invalid(place, BAD_VALUE)
    elif len(value) > MAX_VALUE_BYTES:
        yield Invalid(place, TOO_LONG, most=MAX_VALUE_BYTES)


def _merged(typed: Sequence[Typed], old: Sequence[Pair], *, stays: bool) -> tuple[list[Pair], list[str]]:
    """Names with their values, and the names whose stored values are dropped."""
    stored = {name.lower(): value for name, value in old}
    pairs: list[Pair] = []
    dropped: list[str] = []
    for number, (name, value) in enumerate(typed):
        kept = stored.get(name.lower()) if value is None else value
        if kept is None:
            raise Invalid(f"headers.{number}.value", ENTER_VALUE)
        if value is None and not stays:
            dropped.append(name)
        else:
            pairs.append((name, kept))
    return pairs, dropped


def _stored(webhook: Webhook) -> list[Pair] | None:
    if webhook.headers_ciphertext is None:
        return []
    try:
        return [(name, value) for name, value in json.loads(decrypt(webhook.headers_ciphertext))]
    except UnreadableSecret:
        return None


def _origin(url: str) -> tuple[str, str]:
    """Scheme, host and port: another port may be another program, and plain http lets others read along."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
