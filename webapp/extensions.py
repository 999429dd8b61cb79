"""The extensions of every process, made here and bound to the application that create_app() or create_worker() makes.

Those that only requests need are in `request_extensions`.
"""

from __future__ import annotations

import logging
import mmap
import struct
import time
from collections.abc import Callable

import sqlalchemy as sa
from flask import has_request_context, request
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy

from webapp.doorbell import AppHuey

log = logging.getLogger(__name__)

COMPLAIN_EVERY_S = 60.0
_COUNT = struct.Struct("Q")

# SQLite cannot change a constraint that has no name.
NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

db = SQLAlchemy(metadata=sa.MetaData(naming_convention=NAMING), disable_autonaming=True)
babel = Babel()
huey = AppHuey("blue-webhooks")


class Bell:
    """Says "there is work" to the workers. One that fails is logged and counted, never raised: rows are the truth."""

    def __init__(self) -> None:
        self._lost = mmap.mmap(-1, _COUNT.size)  # shared by all processes that are forked from this one
        self._complained_at: float | None = None
        self._ring: Callable[[], object] | None = None

    @property
    def lost(self) -> int:
        """How many were lost, of all web processes of this machine since one of them last began."""
        count: int = _COUNT.unpack_from(self._lost)[0]
        return count

    @lost.setter
    def lost(self, count: int) -> None:
        _COUNT.pack_into(self._lost, 0, count)

    def bind(self, ring: Callable[[], object]) -> None:
        """Say how to ring, and count anew: create_app() binds the huey task here."""
        self._ring = ring
        self.lost = 0

    def ring(self) -> None:
        """Ring once. Never raises; a worker looks each second anyway."""
        if self._ring is None:
            return
        try:
            self._ring()
        except Exception as error:  # noqa: BLE001 - whatever the queue does, the change is on disk already
            self.lost += 1
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if self._complained_at is None or now - self._complained_at > COMPLAIN_EVERY_S:
            self._complained_at = now
            log.warning("bells are lost, the workers look each second anyway: %s: %s", type(error).__name__, error)


bell = Bell()
import_bell = Bell()  # for what people import: the workers' other threads


def remote_address() -> str:
    """The network address that the request came from; empty where there is no request."""
    return (request.remote_addr or "") if has_request_context() else ""
