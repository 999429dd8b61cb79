"""What all machines of an installation must agree on: their keys. The first machine tells, the others are compared.

A machine with encryption keys of its own would store secrets that no other can read, and read none of theirs. So it is
kept from starting. A different secret key only signs people out, so that is said and goes on.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import socket
from enum import Enum, auto

import sqlalchemy as sa
from cryptography.fernet import InvalidToken
from flask import Flask
from sqlalchemy.dialects import postgresql, sqlite

from webapp.config import PREFIX, current
from webapp.extensions import db
from webapp.installation import NotReady
from webapp.models import Agreement, database_now, transaction
from webapp.models.agreement import KEYS
from webapp.models.base import keyring

log = logging.getLogger(__name__)

OTHER_SECRET_KEY = (
    "The secret key here is not the one of {host}: who signs in at one machine is a stranger at the other. "
    f"Copy instance/secret.key, or set {PREFIX}SECRET_KEY alike."
)
OTHER_ENCRYPTION_KEYS = (
    "The encryption keys here do not open what {host} encrypted on {day:%Y-%m-%d}. Copy its instance/*.key here or set "
    f"{PREFIX}ENCRYPTION_KEYS and {PREFIX}SECRET_KEY alike on all machines. If its keys are lost for good, run "
    "`webapp rotate-keys` here: the keys of this machine count from then on, and each webhook needs a new secret."
)


class Standing(Enum):
    """How the keys of this machine compare to those of the installation."""

    SAME = auto()
    OTHER_SECRET_KEY = auto()
    OTHER_ENCRYPTION_KEYS = auto()


def require_keys(app: Flask, *, serves_pages: bool = False) -> None:
    """Raises NotReady unless this machine's encryption keys are those of the installation, or the first ones.

    Where pages are served, a secret key that is not the one from before is told, and is the one from now on.
    """
    with app.app_context():
        told = _told() or _tell(replace=False)
        standing = _compare(told)
        if standing is Standing.OTHER_ENCRYPTION_KEYS:
            raise NotReady(_sentence(standing, told))
        if serves_pages and standing is Standing.OTHER_SECRET_KEY:
            log.warning(_sentence(standing, told))
            _tell(replace=True)


def difference() -> tuple[Standing, str]:
    """How the keys here compare to those of the installation, and what to do about it. Changes nothing."""
    told = _told()
    if told is None:
        return Standing.SAME, ""
    standing = _compare(told)
    return standing, _sentence(standing, told)


def renew() -> None:
    """From now on this machine's keys are those of the installation."""
    _tell(replace=True)


def _told() -> Agreement | None:
    return db.session.get(Agreement, KEYS, populate_existing=True)


def _tell(*, replace: bool) -> Agreement:
    """Say which keys they are. Two first machines may come to this at once: what the earlier one wrote stays."""
    values = {
        "name": KEYS,
        "value": keyring().encrypt(_digest().encode()).decode(),
        "host": socket.gethostname(),
        "told_at": database_now(),
    }
    with transaction() as session:
        insert = (sqlite if session.connection().dialect.name == "sqlite" else postgresql).insert(Agreement)
        statement = insert.values(values)
        session.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_=values)
            if replace
            else statement.on_conflict_do_nothing()
        )
    return db.session.execute(sa.select(Agreement).where(Agreement.name == KEYS)).scalar_one()


def _compare(told: Agreement) -> Standing:
    try:
        digest = keyring().decrypt(told.value.encode()).decode()
    except InvalidToken:
        return Standing.OTHER_ENCRYPTION_KEYS
    return Standing.SAME if hmac.compare_digest(digest, _digest()) else Standing.OTHER_SECRET_KEY


def _digest() -> str:
    secret = current().secret_key.get_secret_value().encode()
    return hmac.digest(secret, b"agreement", hashlib.sha256).hex()


def _sentence(standing: Standing, told: Agreement) -> str:
    template = {
        Standing.SAME: "",
        Standing.OTHER_SECRET_KEY: OTHER_SECRET_KEY,
        Standing.OTHER_ENCRYPTION_KEYS: OTHER_ENCRYPTION_KEYS,
    }[standing]
    return template.format(host=told.host, day=told.told_at)
