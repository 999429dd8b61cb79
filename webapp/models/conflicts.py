"""Transactions that PostgreSQL ended in favour of another one: what was under way is done again, from the start.

SQLite has one writer at a time, so there it never happens.
"""

from __future__ import annotations

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from webapp.extensions import db
from webapp.models.base import HAS_COMMITTED

log = logging.getLogger(__name__)

SERIALIZATION_FAILURE, DEADLOCK_DETECTED = "40001", "40P01"
MAX_REPEATS = 3
PAUSE_S = 0.02  # before the first repeat, doubled each time, at random between none and twice that

P = ParamSpec("P")
R = TypeVar("R")


def is_conflict(error: DBAPIError) -> bool:
    """Whether the database ended this transaction because another one stood in its way. Nothing of it was saved."""
    return getattr(error.orig, "sqlstate", None) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}


def repeated(act: Callable[P, R]) -> Callable[P, R]:
    """Do it again after a conflict, at most MAX_REPEATS times: for what is one transaction, and reads its rows inside.

    What had committed something before is not repeated; the conflict is raised then, as it is after the last try.
    """

    @functools.wraps(act)
    def repeatedly(*arguments: P.args, **named: P.kwargs) -> R:
        for number in range(MAX_REPEATS):
            db.session().info.pop(HAS_COMMITTED, None)
            try:
                return act(*arguments, **named)
            except DBAPIError as error:
                if not is_conflict(error) or HAS_COMMITTED in db.session().info:
                    raise
                log.info("another transaction stood in the way, trying again")
                db.session.rollback()
                time.sleep(random.uniform(0, 2 * PAUSE_S * 2**number))  # noqa: S311 - keeps two apart, guards nothing
        return act(*arguments, **named)

    return repeatedly
