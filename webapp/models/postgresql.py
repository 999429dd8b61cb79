"""Connections to PostgreSQL that end when the server falls silent. Imported only where PostgreSQL is the database."""

from __future__ import annotations

import time
from typing import Any

import psycopg

ANSWER_LIMIT_S = 15.0  # longer than the server lets a statement run, so that whatever ends here got no answer at all


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer for a while only.

    The server's own limits do not help when it hangs as a whole or the network swallows what it says, and keepalive
    is answered by the kernel of a machine whose server stands still. A request, or a worker, would wait for ever.
    """

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What the server answers. After the limit the connection is closed, and psycopg.OperationalError is raised."""
        limit_s = ANSWER_LIMIT_S if timeout is None else timeout
        until = time.monotonic() + limit_s
        try:
            return super().wait(gen, interval, limit_s)
        except psycopg.OperationalError as error:
            if time.monotonic() < until:
                raise
            self.close()
            raise psycopg.OperationalError(f"the server did not answer within {limit_s:.0f} s") from error


def connect(_dialect: Any, _record: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> BoundedConnection:
    """Connect as SQLAlchemy would (its event "do_connect")."""
    return BoundedConnection.connect(*arguments, **named)
