"""Pipelines: statements whose answers nobody reads are sent along with the next one, instead of being waited for.

Each wait for PostgreSQL costs a worker the way there and back, and it may compute while the server writes. To SQLite
there is no way, so nothing changes there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Connection


def begin(connection: Connection) -> None:
    """Inside transaction(), first of all: until its end, nobody waits for what is `unanswered`."""
    if connection.dialect.name == "postgresql":
        _driver(connection).begin_pipeline()


@contextlib.contextmanager
def unanswered(connection: Connection) -> Iterator[None]:
    """What is executed here has no answer that anybody reads; an error in it is raised by what is waited for next."""
    if connection.dialect.name != "postgresql":
        yield
        return
    driver = _driver(connection)
    driver.is_unanswered = True
    try:
        yield
    finally:
        driver.is_unanswered = False


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
