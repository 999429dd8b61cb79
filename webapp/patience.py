"""A gunicorn worker that gives its threads whole requests only, so that slow clients occupy none of them.

gunicorn's threads read from the socket themselves: sixteen connections that send half a request are enough to stop all
pages. Here the loop of the worker, which waits for any number of connections at once, gathers each request until its
last byte is there; who takes too long is told so and put out. An answer goes out within a time limit, mostly into a
buffer that holds all of it, and connections that end are drained by the loop too.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn.http import errors, get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from webapp.arriving import Arriving, Stage
from webapp.web.headers import PAGE_HEADERS

HEAD_WITHIN_S = 10.0
BODY_WITHIN_S = 30.0
ANSWER_WITHIN_S = 30.0  # from its first byte to its last
LINGER_S = 0.5  # for who sends on after the answer
LINGER_PIECES = 128  # and no more of them
LOOK_EVERY_S = 0.25
PIECE_BYTES = 64 * 1024
ANSWER_BUFFER_BYTES = 256 * 1024  # the system holds most answers whole, however slowly they are fetched
MAX_GATHERED_BYTES = 64 * 1024 * 1024  # of all unfinished requests of a process
BUSY = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
STATUS_OF = {errors.LimitRequestLine: 414, errors.LimitRequestHeaders: 431}
READY = {Stage.WHOLE, Stage.LARGE}
UNFINISHED = object()
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BoundedUnreader(SocketUnreader):
    """Reads what of a large body was not gathered, until `until` and no longer."""

    until = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next piece. Raises TimeoutError."""
        remaining_s = self.until - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError("the request took too long to arrive")
        self.sock.settimeout(remaining_s)
        try:
            piece: bytes = super().chunk(size_hint)  # type: ignore[no-untyped-call]
        finally:
            self.sock.settimeout(ANSWER_WITHIN_S)
        return piece


class Connection(TConn):
    """A client, the request that it is sending, and until when it has to be there."""

    parser: Any

    def __init__(self, config: Any, sock: socket.socket, client: Any, server: Any, end: Callable[..., None]) -> None:
        super().__init__(config, sock, client, server)  # type: ignore[no-untyped-call]
        self.arriving = Arriving()
        self.due = 0.0
        self._end = end

    def begin(self) -> None:
        """Wait for a request; some of it may have come with the one before."""
        self.arriving, self.due = Arriving(), time.monotonic() + HEAD_WITHIN_S
        if self.parser:
            self.arriving.take(self.parser.unreader.take_buffered())

    def receive(self) -> Stage | None:
        """Take what is there, without waiting; None when the client has gone."""
        if self.arriving.stage in READY:
            return self.arriving.stage
        if self.sock.gettimeout() != 0:  # the request before was read in a thread
            self.sock.setblocking(False)
        try:
            piece = self.sock.recv(PIECE_BYTES)
        except BlockingIOError:
            return self.arriving.stage
        except OSError:
            return None
        if piece:
            return self.arriving.take(piece)
        # A body that ends early is the application's to complain about.
        return Stage.LARGE if self.arriving.stage is Stage.BODY else None

    def hand_on(self) -> None:
        """Let the parser read what was gathered."""
        if not self.initialized:
            self.initialized = True
            self.parser = get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = BoundedUnreader(self.sock)  # type: ignore[no-untyped-call]
        self.data_ready = True
        self.parser.unreader.until = time.monotonic() + BODY_WITHIN_S
        self.parser.unreader.unread(bytes(self.arriving.data))
        self.arriving.data.clear()

    def close(self, graceful: bool = False) -> None:
        """Close now; or, after an answer, when the client has read it."""
        if graceful:
            self._end(self)
        else:
            super().close()  # type: ignore[no-untyped-call]


class PatientWorker(ThreadWorker):
    """gunicorn's threads, in front of which requests are gathered."""

    poller: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._unfinished: dict[Connection, None] = {}  # the one that began first comes first
        self._gathered = 0  # bytes
        self._ending: dict[socket.socket, tuple[float, int]] = {}  # until when, and how many pieces are still taken
        self._looked_at = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Take in one client. Where there is no room the one that has been sending longest goes."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in BUSY:
                raise
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BUFFER_BYTES)
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self._unfinished:
            self._drop(next(iter(self._unfinished)))
        self.enqueue_req(Connection(self.cfg, sock, client, listener.getsockname(), self._linger))

    def enqueue_req(self, conn: Connection) -> None:
        """A request begins on this connection."""
        conn.begin()
        super().enqueue_req(conn)  # type: ignore[no-untyped-call]

    def handle(self, conn: Connection) -> Any:
        """Serve a request, in a thread. One that is not there yet is given back to the loop at once."""
        if conn.arriving.stage not in READY:
            stage = conn.receive()
            if stage not in READY:
                return UNFINISHED if stage else False
        conn.hand_on()
        return super().handle(conn)  # type: ignore[no-untyped-call]

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """A thread is done with this connection, for now."""
        if not fs.cancelled() and fs.exception() is None and fs.result() is UNFINISHED:
            self._gather(conn)
        else:
            super().finish_request(conn, fs)  # type: ignore[no-untyped-call]

    def _gather(self, conn: Connection) -> None:
        self._unfinished[conn] = None
        self._gathered += len(conn.arriving.data)
        self.poller.register(conn.sock, EVENT_READ, partial(self._receive, conn))
        self._see(conn, conn.arriving.stage, Stage.HEAD)

    def _receive(self, conn: Connection, _sock: socket.socket) -> None:
        before, held = conn.arriving.stage, len(conn.arriving.data)
        stage = conn.receive()
        self._gathered += len(conn.arriving.data) - held
        self._see(conn, stage, before)
        if self._gathered > MAX_GATHERED_BYTES:
            self._drop(max(self._unfinished, key=lambda each: len(each.arriving.data)))

    def _see(self, conn: Connection, stage: Stage | None, before: Stage) -> None:
        if stage is None:
            self._drop(conn)
        elif stage is Stage.HEAD_TOO_LONG:
            self._refuse(conn, 431)
        elif stage in READY:
            self._leave(conn)
            super().enqueue_req(conn)  # type: ignore[no-untyped-call]
        elif stage is Stage.BODY and before is Stage.HEAD:
            conn.due = time.monotonic() + BODY_WITHIN_S
            if conn.arriving.waits_for_continue:
                _send(conn.sock, CONTINUE)

    def _refuse(self, conn: Connection, status: int) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        _send(conn.sock, answer(status))
        self._linger(conn)

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        self.nr_conns -= 1
        conn.close()

    def _leave(self, conn: Connection) -> None:
        del self._unfinished[conn]
        self._gathered -= len(conn.arriving.data)
        self.poller.unregister(conn.sock)

    def murder_pending(self) -> None:
        """Put out who took too long; gunicorn calls this in each turn of its loop."""
        super().murder_pending()  # type: ignore[no-untyped-call]
        now = time.monotonic()
        if now < self._looked_at + LOOK_EVERY_S:
            return
        self._looked_at = now
        for conn in [each for each in self._unfinished if each.due < now]:
            self._refuse(conn, 408) if conn.arriving.data else self._drop(conn)
        for sock in [each for each, (until, _) in self._ending.items() if until < now]:
            self._close(sock)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)  # type: ignore[no-untyped-call]
        for conn in self._unfinished:
            conn.due = min(conn.due, deadline)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Serve one request, in a thread. What was not gathered whole is the last of its connection."""
        if conn.arriving.stage is not Stage.WHOLE:
            req.force_close()
        conn.sock.settimeout(ANSWER_WITHIN_S)
        try:
            return bool(super().handle_request(req, conn))  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise StopIteration from None  # a client that does not fetch its answer: gunicorn closes without a word

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Answer what is no HTTP, with the headers of every answer and without a word of what came."""
        if isinstance(exc, errors.ParseException):
            status = STATUS_OF.get(type(exc), 400)
            self.log.warning("not a usable request: %s", type(exc).__name__)
        else:
            status = 500
            self.log.error("a request broke the server", exc_info=exc)
        _send(client, answer(status))

    def _linger(self, conn: Connection) -> None:
        """Let the client read the answer: closing at once would take it back while something of theirs is unread."""
        with contextlib.suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self._ending[conn.sock] = time.monotonic() + LINGER_S, LINGER_PIECES
            self.poller.register(conn.sock, EVENT_READ, self._drain)
            return
        conn.close()

    def _drain(self, sock: socket.socket) -> None:
        try:
            until, pieces = self._ending[sock]
            self._ending[sock] = until, pieces - 1
            if sock.recv(PIECE_BYTES) and pieces:
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        del self._ending[sock]
        self.poller.unregister(sock)
        sock.close()


def answer(status: int) -> bytes:
    """The bytes of an answer that no application gives."""
    phrase = HTTPStatus(status).phrase
    headers = {"Connection": "close", "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    lines = [f"{name}: {value}" for name, value in {**headers, **PAGE_HEADERS}.items()]
    head = "\r\n".join([f"HTTP/1.1 {status} {phrase}", *lines, f"Content-Length: {len(phrase) + 1}"])
    return f"{head}\r\n\r\n{phrase}\n".encode()


def _send(sock: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        sock.send(data)
