"""Re-encrypts every secret at rest with the newest key, while everything goes on: `webapp rotate-keys`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app

from webapp.extensions import db
from webapp.key_ring import KeyRing
from webapp.models import Base, transaction
from webapp.models.base import EncryptedText

BATCH = 100  # rows of one transaction
CIPHERTEXT = "_ciphertext"  # how an attribute ends that keeps its ciphertext as such

_AS_STORED = sa.Text()


@dataclass
class Rotated:
    """How many ciphertexts were encrypted anew, had the newest key already, or cannot be read with any key."""

    renewed: int = 0
    kept: int = 0
    unreadable: int = 0


def rotate() -> Rotated:
    """Encrypt every ciphertext with the newest key. Many small transactions; what changes meanwhile is left alone."""
    ring: KeyRing = current_app.extensions["keyring"]
    rotated = Rotated()
    for column in ciphertext_columns():
        for batch in _batches(column):
            _write(column, _renewed(batch, ring, rotated), rotated)
    return rotated


def unreadable() -> int:
    """How many stored secrets no key of this installation opens."""
    ring: KeyRing = current_app.extensions["keyring"]
    stored = (text for column in ciphertext_columns() for batch in _batches(column) for _, text in batch)
    return sum(not _is_readable(ring.current(), text) for text in stored)


def ciphertext_columns() -> list[sa.Column[Any]]:
    """Every column that holds ciphertexts: of the type EncryptedText, or of an attribute that says so in its name."""
    return [
        column
        for mapper in Base.registry.mappers
        for name, column in mapper.columns.items()
        if isinstance(column, sa.Column) and (isinstance(column.type, EncryptedText) or name.endswith(CIPHERTEXT))
    ]


def _batches(column: sa.Column[Any]) -> Iterator[list[tuple[str, str]]]:
    """Keys and ciphertexts, as they are stored."""
    (key,) = column.table.primary_key.columns
    query = sa.select(key, sa.type_coerce(column, _AS_STORED)).where(column.is_not(None)).order_by(key).limit(BATCH)
    batch = db.session.execute(query).all()
    while batch:
        yield [(row[0], row[1]) for row in batch]
        batch = db.session.execute(query.where(key > batch[-1][0])).all()


def _renewed(batch: list[tuple[str, str]], ring: KeyRing, rotated: Rotated) -> list[dict[str, str]]:
    """What is to be written; the time in a ciphertext stays."""
    newest, any_key = ring.newest, ring.current()
    found = []
    for key, old in batch:
        if _is_readable(newest, old):
            rotated.kept += 1
            continue
        try:
            found.append({"_key": key, "_old": old, "_new": any_key.rotate(old.encode()).decode()})
        except InvalidToken:
            rotated.unreadable += 1
    return found


def _is_readable(fernet: Fernet | MultiFernet, ciphertext: str) -> bool:
    try:
        fernet.decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def _write(column: sa.Column[Any], renewed: list[dict[str, str]], rotated: Rotated) -> None:
    """Replace what is still the same; a secret that somebody changed meanwhile has the newest key anyway."""
    if not renewed:
        return
    table: sa.Table = column.table
    (key,) = table.primary_key.columns
    statement = (
        sa.update(table)
        .where(
            key == sa.bindparam("_key"), sa.type_coerce(column, _AS_STORED) == sa.bindparam("_old", type_=_AS_STORED)
        )
        .values({column: sa.bindparam("_new", type_=_AS_STORED)})
    )
    with transaction() as session:
        for row in renewed:
            rotated.renewed += session.connection().execute(statement, row).rowcount
