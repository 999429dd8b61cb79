"""Connections to PostgreSQL that end when the server falls silent, and that need not wait for each answer.

Imported only where PostgreSQL is the database.
"""

from __future__ import annotations

import contextlib
import select
import time
from typing import Any, Self

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Ready, Wait

# Longer than the server lets a statement run: whatever ends here got no answer at all, or several that took very long.
ANSWER_LIMIT_S = 15.0
FRESH_S = 1.0  # what answered so lately is asked nothing before it is used again
# A worker runs the same few statements all day, by the same indexes whatever their values: to plan each anew took a
# fifth of the time from an event to its request.
PLAN_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits for an answer for a while only.

    The server's own limits do not help when it hangs as a whole or the network swallows what it says, and keepalive
    is answered by the kernel of a machine whose server stands still. A request, or a worker, would wait for ever.
    """

    heard_at = -FRESH_S  # the monotonic clock's
    has_only_read = True  # since the last commit or rollback
    is_unanswered = False  # of what is executed now: nobody reads its answer
    _pipeline_block: contextlib.ExitStack | None = None
    _open_pipeline: psycopg.Pipeline | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What the server answers. After the limit the connection is closed, and psycopg.OperationalError is raised."""
        limit_s = ANSWER_LIMIT_S if timeout is None else timeout
        until = time.monotonic() + limit_s
        if self._open_pipeline is not None:
            gen = _sending(self.pgconn, gen)
        try:
            answer = super().wait(gen, interval, limit_s)
        except psycopg.OperationalError as error:
            if time.monotonic() < until:
                raise
            self.close()
            raise psycopg.OperationalError(f"the server did not answer within {limit_s:.0f} s") from error
        self.heard_at = time.monotonic()
        return answer

    def begin_pipeline(self) -> None:
        """Until the end of the transaction, send what is unanswered along with what follows, or with the commit.

        An error in it is raised by that, and nothing that was sent after it is done (PostgreSQL, "Pipeline Mode").
        """
        self._pipeline_block = contextlib.ExitStack()
        self._open_pipeline = self._pipeline_block.enter_context(self.pipeline())
        self.is_unanswered = True
        try:
            self.execute(PLAN_ONCE)
        finally:
            self.is_unanswered = False

    def read_answers(self) -> None:
        """Wait for the answers to all that was sent; raises the first error among them."""
        if self._open_pipeline is not None and not self.is_unanswered:
            self._open_pipeline.sync()

    def commit(self) -> None:
        """As ever, and the end of a pipeline."""
        super().commit()
        self.has_only_read = True
        with contextlib.suppress(psycopg.Error):  # it is on disk; that a connection is lost now, the next use finds out
            self._end_pipeline()

    def rollback(self) -> None:
        """As ever, and the end of a pipeline, whatever errors nobody has waited for.

        What has only read is committed, which is the same: after a rollback the driver forgets its prepared statements,
        because what they name may be gone. So none would ever last, for every page and every look ends with one.
        """
        with contextlib.suppress(psycopg.Error):
            self._end_pipeline()
        if self.has_only_read and self.info.transaction_status is TransactionStatus.INTRANS:
            super().commit()
        else:
            super().rollback()
        self.has_only_read = True

    def _end_pipeline(self) -> None:
        block, self._pipeline_block, self._open_pipeline = self._pipeline_block, None, None
        if block is not None:
            block.close()

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


def _sending(pgconn: PGconn, waiting: PQGen[Any]) -> PQGen[Any]:
    """The same wait, in which what is not sent yet goes out as soon as the socket takes it.

    In a pipeline psycopg (3.3) waits for answers also when the socket took only a part of what was asked. The server
    waits for the rest meanwhile: some 2 MB were enough for both to wait until the limit.
    """
    try:
        wanted = next(waiting)
        while True:
            is_unsent = pgconn.flush() != 0
            ready = (yield Wait.RW if is_unsent else wanted) or Ready.NONE  # None: begun anew, after Ctrl-C
            if ready & wanted or not is_unsent:
                wanted = waiting.send(ready & wanted)
    except StopIteration as end:
        return end.value


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that has its answer at once, in a pipeline, too, unless nobody reads it. It notes what may write."""

    _conn: BoundedConnection

    def execute(self, query: Any, *arguments: Any, **named: Any) -> Self:
        self._conn.has_only_read &= isinstance(query, str) and query.lstrip().startswith("SELECT")
        super().execute(query, *arguments, **named)
        self._conn.read_answers()
        return self

    def executemany(self, *arguments: Any, **named: Any) -> None:
        self._conn.has_only_read = False
        super().executemany(*arguments, **named)
        self._conn.read_answers()

    def copy(self, *arguments: Any, **named: Any) -> Any:
        self._conn.has_only_read = False
        return super().copy(*arguments, **named)

    def stream(self, *arguments: Any, **named: Any) -> Any:
        self._conn.has_only_read = False
        return super().stream(*arguments, **named)


def connect(_dialect: Any, _record: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> BoundedConnection:
    """Connect as SQLAlchemy would (its event "do_connect")."""
    return BoundedConnection.connect(*arguments, cursor_factory=_Cursor, **named)


def spare_pings(dialect: sa.Dialect) -> None:
    """Have the pool ask only connections that are not fresh whether they still answer."""
    ask = dialect.do_ping

    def do_ping(connection: Any) -> bool:
        if connection.is_fresh:
            return True
        answers = ask(connection)
        connection.has_only_read = True  # the question is in no transaction
        return answers

    dialect.do_ping = do_ping  # type: ignore[method-assign,assignment]
