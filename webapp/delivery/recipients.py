"""Recipients: what sending must know of a webhook, its secrets opened once for many claims.

A worker reads the webhook's row with each claim, so that an edit counts at once; it only remembers what a row means.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import MultiFernet
from sqlalchemy.engine import Connection

from webapp.delivery.outcomes import Pairs
from webapp.delivery.signing import Keys, SecretError
from webapp.models import UnreadableSecret, Webhook, WebhookSnapshot, packed
from webapp.models.among import among
from webapp.models.base import decrypt, keyring, table_of

MAX_REMEMBERED = 1_000  # recipients, and snapshots; beyond, all are forgotten and read anew

_WEBHOOK, _SNAPSHOT = table_of(Webhook), table_of(WebhookSnapshot)
_ROWS = sa.select(
    _WEBHOOK.c.id,
    _WEBHOOK.c.url,
    _WEBHOOK.c.secret.label("secret_ciphertext"),
    _WEBHOOK.c.previous_secret.label("previous_secret_ciphertext"),
    _WEBHOOK.c.previous_secret_until,
    _WEBHOOK.c.headers.label("headers_ciphertext"),
).where(among(_WEBHOOK.c.id, "ids"))
# PostgreSQL: whoever holds the webhooks' rows decides what is in flight; others serve other webhooks meanwhile.
_LOCKED = _ROWS.with_for_update(skip_locked=True, key_share=True)
_SNAPSHOTS = sa.select(_SNAPSHOT.c.seq, _SNAPSHOT.c.body).where(among(_SNAPSHOT.c.seq, "seqs"))


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where to send and how to sign. `is_readable` is False when no key of this installation fits its secrets."""

    url: str
    keys: Keys | None = None
    previous_keys: Keys | None = None
    previous_until: datetime | None = None
    headers: Pairs = ()
    is_readable: bool = True

    def keys_at(self, now: datetime) -> list[Keys]:
        """Those of every secret that is valid now, newest first."""
        is_valid = self.previous_until is not None and now < self.previous_until
        return [keys for keys in (self.keys, self.previous_keys if is_valid else None) if keys]


def lock(connection: Connection, ids: Collection[str]) -> dict[str, Any]:
    """Lock the rows of these webhooks where no other worker has (PostgreSQL); those that are locked now, by id."""
    return {row.id: row for row in connection.execute(_LOCKED, {"ids": list(ids)})} if ids else {}


class Recipients:
    """What one worker process remembers of webhooks. Belongs to one thread."""

    def __init__(self) -> None:
        self._keys: MultiFernet | None = None
        self._opened: dict[Any, Recipient] = {}
        self._snapshots: dict[int, bytes] = {}

    def of(self, connection: Connection, ids: set[str], locked: Mapping[str, Any]) -> dict[str, Recipient]:
        """The recipients of these webhooks, by id. Rows that are `locked` are not read again."""
        if self._keys is not keyring():
            self._keys = keyring()
            self._opened.clear()
        rows = [locked[webhook] for webhook in ids & locked.keys()]
        if missing := ids - locked.keys():
            rows += packed.rows(connection, _ROWS, {"ids": list(missing)})
        return {row.id: self._of(row) for row in rows}

    def snapshots(self, connection: Connection, seqs: set[int]) -> dict[int, bytes]:
        """The bytes of these snapshots, by number. They never change, so each is read once."""
        if missing := [seq for seq in seqs if seq not in self._snapshots]:
            if len(self._snapshots) > MAX_REMEMBERED:
                self._snapshots.clear()
                missing = list(seqs)
            found = connection.execute(_SNAPSHOTS, {"seqs": missing})
            self._snapshots |= {row.seq: row.body for row in found}
        return self._snapshots

    def _of(self, row: Any) -> Recipient:
        key = tuple(row)
        recipient = self._opened.get(key)
        if recipient is None:
            if len(self._opened) > MAX_REMEMBERED:
                self._opened.clear()
            recipient = self._opened[key] = _open(row)
        return recipient


def _open(row: Any) -> Recipient:
    try:
        headers = json.loads(decrypt(row.headers_ciphertext)) if row.headers_ciphertext else ()
        return Recipient(
            url=row.url,
            keys=_keys(row.secret_ciphertext),
            previous_keys=_keys(row.previous_secret_ciphertext) if row.previous_secret_until else None,
            previous_until=row.previous_secret_until,
            headers=tuple((name, value) for name, value in headers),
        )
    except (UnreadableSecret, SecretError):
        return Recipient(url=row.url, is_readable=False)


def _keys(ciphertext: str | None) -> Keys | None:
    secret = decrypt(ciphertext) if ciphertext else None
    return Keys.of(secret) if secret else None
