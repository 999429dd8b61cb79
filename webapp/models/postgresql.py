"""Connections to PostgreSQL that end when the server falls silent. Imported only where PostgreSQL is the database."""

from __future__ import annotations

import select
import time
from typing import Any

import psycopg
import sqlalchemy as sa

ANSWER_LIMIT_S = 15.0  # longer than the server lets a statement run, so that whatever ends here got no answer at all
FRESH_S = 1.0  # what answered so lately is asked nothing before it is used again


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer for a while only.

    The server's own limits do not help when it hangs as a whole or the network swallows what it says, and keepalive
    is answered by the kernel of a machine whose server stands still. A request, or a worker, would wait for ever.
    """

    heard_at = -FRESH_S  # the monotonic clock's

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What the server answers. After the limit the connection is closed, and psycopg.OperationalError is raised."""
        limit_s = ANSWER_LIMIT_S if timeout is None else timeout
        until = time.monotonic() + limit_s
        try:
            answer = super().wait(gen, interval, limit_s)
        except psycopg.OperationalError as error:
            if time.monotonic() < until:
                raise
            self.close()
            raise psycopg.OperationalError(f"the server did not answer within {limit_s:.0f} s") from error
        self.heard_at = time.monotonic()
        return answer

    @property
    def is_fresh(self) -> bool:
        """Whether it answered just now and nothing has come since: a server that ends says so, or hangs up."""
        is_recent = time.monotonic() - self.heard_at < FRESH_S
        return is_recent and not self.closed and self._is_quiet

    @property
    def _is_quiet(self) -> bool:
        look = select.poll()
        look.register(self.fileno(), select.POLLIN)
        return not look.poll(0)


def connect(_dialect: Any, _record: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> BoundedConnection:
    """Connect as SQLAlchemy would (its event "do_connect")."""
    return BoundedConnection.connect(*arguments, **named)


def spare_pings(dialect: sa.Dialect) -> None:
    """Have the pool ask only connections that are not fresh whether they still answer."""
    ask = dialect.do_ping

    def do_ping(connection: Any) -> bool:
        return connection.is_fresh or ask(connection)

    dialect.do_ping = do_ping  # type: ignore[method-assign,assignment]
