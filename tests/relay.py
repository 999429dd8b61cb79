"""A TCP relay that misbehaves as told, to be placed before a database, a queue or a receiver.

with Relay(server.port) as relay:
    ...  # clients use relay.port
    relay.pause()   # connections are taken and nothing passes: a server that hangs
    relay.resume()
    relay.cut()     # every connection is reset: a network that broke
    relay.refuse()  # nobody listens
    relay.cut_after(b"COMMIT")  # the server does it, the client never hears
"""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

RESET = struct.pack("ii", 1, 0)
PIECE_BYTES = 65_536


class Relay:
    """Listens on a free port of loopback and passes bytes to `port` and back. `delay_s` holds each piece up."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._listener: socket.socket | None = None
        self._wanted: list[bytes] = []
        self._begun: _Pair | None = None  # the connection on which the first of them was sent
        self.port = 0
        self.delay_s = 0.0
        self.connections = 0
        self.allow()

    @property
    def target(self) -> str:
        """`host:port`, where clients connect."""
        return f"127.0.0.1:{self.port}"

    def pause(self) -> None:
        """From now on nothing passes; connections are still taken."""
        self._flowing.clear()

    def resume(self) -> None:
        """Let pass what was held, and all that follows."""
        self._flowing.set()

    def cut(self) -> None:
        """Reset every connection. New ones are taken."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()

    def refuse(self) -> None:
        """Listen no more, and reset every connection."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def allow(self) -> None:
        """Listen, on the same port as before."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), name="relay", daemon=True).start()

    def cut_after(self, *texts: bytes) -> None:
        """Once: when a client has sent these, one after the other on one connection, and the server has answered, reset
        that connection instead of answering.
        """
        self._wanted, self._begun = list(texts), None

    @property
    def has_cut(self) -> bool:
        """Whether what `cut_after` waits for has happened."""
        return not self._wanted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything."""
        self.refuse()
        self.resume()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            pair = _Pair(client)
            with self._lock:
                self.connections += 1
                self._pairs.add(pair)
                is_late = self._listener is not listener
            if is_late:  # refused since it was taken
                self._end(pair)
            else:
                threading.Thread(target=self._connect, args=(pair,), name="relay", daemon=True).start()

    def _connect(self, pair: "_Pair") -> None:
        client = pair.client
        self._flowing.wait()
        try:
            pair.server = socket.create_connection(self._target, timeout=5)
            pair.server.settimeout(None)
            for end in (client, pair.server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # nobody is there, or it was cut meanwhile
            self._end(pair)
            return
        for pump in (self._upwards, self._downwards):
            threading.Thread(target=pump, args=(pair,), name="relay", daemon=True).start()

    def _upwards(self, pair: "_Pair") -> None:
        assert pair.server is not None
        while piece := self._read(pair.client):
            self._look_for_wanted(pair, piece)
            if not _write(pair.server, piece):
                break
        self._end(pair)

    def _look_for_wanted(self, pair: "_Pair", piece: bytes) -> None:
        with self._lock:
            while self._wanted and self._begun in (None, pair) and self._wanted[0] in piece:
                _, _, piece = piece.partition(self._wanted.pop(0))
                self._begun, pair.is_doomed = pair, not self._wanted

    def _downwards(self, pair: "_Pair") -> None:
        assert pair.server is not None
        while piece := self._read(pair.server):
            if pair.is_doomed or not _write(pair.client, piece):
                break
        self._end(pair)

    def _read(self, source: socket.socket) -> bytes:
        """The next piece, once it may pass; nothing at the end."""
        try:
            piece = source.recv(PIECE_BYTES)
        except OSError:
            return b""
        if self.delay_s:
            threading.Event().wait(self.delay_s)
        self._flowing.wait()
        return piece

    def _end(self, pair: "_Pair") -> None:
        with self._lock:
            self._pairs.discard(pair)
        pair.reset()


class _Pair:
    """A client's connection, and the one to the server that belongs to it."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.server: socket.socket | None = None
        self.is_doomed = False

    def reset(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it, and says nothing to the other side
                end.close()


def _write(sink: socket.socket, piece: bytes) -> bool:
    try:
        sink.sendall(piece)
    except OSError:
        return False
    return True
