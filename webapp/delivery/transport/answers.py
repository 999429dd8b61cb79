"""The answer of a receiver, read strictly and within bounds. Nothing in it can raise anything but a TransportFailure.

The standard library's reader skips interim answers without end, drops headers it does not like, and takes 64 KiB for
one line of a hundred; so the answer is read here. What arrives is kept as it came and never decompressed.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from webapp.delivery.transport.failures import (
    HEAD_TOO_LARGE,
    LOST,
    NOT_HTTP,
    TOO_MANY_INTERIM,
    TWO_LENGTHS,
    TransportFailure,
)
from webapp.delivery.transport.wires import PIECE_BYTES, Wire
from webapp.models.delivery import ErrorWord

MAX_HEAD_BYTES = 65_536
MAX_HEAD_LINES = 100
MAX_INTERIM_ANSWERS = 8
MAX_BODY_BYTES = 65_536
MAX_CHUNK_LINE_BYTES = 4_096
MAX_CHUNKS = 4_096  # with a byte in each, 64 KiB would cost a sender a hundred times the work
MAX_TRAILER_BYTES = 8_192

SWITCHING_PROTOCOLS = 101
WITHOUT_BODY = frozenset([204, 304])

_PROTOCOL = b"HTTP/1."
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([1-5][0-9][0-9])(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL)


class _CutError(Exception):
    """The body ended before it was complete."""


class Answer:
    """One answer. After `begin`: `status reason pairs`; after `read_body`: `body is_cut can_be_followed`."""

    def __init__(self, wire: Wire) -> None:
        self.status = 0
        self.reason = ""
        self.pairs: tuple[tuple[str, str], ...] = ()
        self.body = b""
        self.is_cut = False
        self.can_be_followed = False  # whether another request may use the connection
        self._wire = wire
        self._version = 0
        self._frame: _Frame

    def begin(self) -> None:
        """Read the head of the final answer; raises TransportFailure, TimeoutError at the deadline, OSError."""
        for _ in range(MAX_INTERIM_ANSWERS + 1):
            self._read_head()
            if self.status >= 200 or self.status == SWITCHING_PROTOCOLS:
                break
        else:
            raise TransportFailure(ErrorWord.RESPONSE_TOO_LARGE, TOO_MANY_INTERIM)
        self._frame = _frame(self.status, self._version, self.pairs)

    def read_body(self) -> None:
        """Read what comes within the deadline and the size; whatever happens then only marks the body as cut."""
        length = self._frame.length
        together = None if length is None or length > MAX_BODY_BYTES else self._wire.if_here(length)
        if together is None:
            self._read_pieces()
        else:
            self.body = together
        self.can_be_followed = not (self.is_cut or self._frame.is_last or self._wire.has_unread)

    def _read_pieces(self) -> None:
        body = bytearray()
        try:
            for piece in self._pieces():
                body += piece
                self.is_cut = len(body) > MAX_BODY_BYTES
                if self.is_cut:
                    break
        except (OSError, _CutError):
            self.is_cut = True
        self.body = bytes(body[:MAX_BODY_BYTES])

    def _read_head(self) -> None:
        start = self._wire.start(len(_PROTOCOL))
        if not start:
            raise TransportFailure(ErrorWord.CONNECTION_LOST, LOST)
        if not _PROTOCOL.startswith(start):
            raise TransportFailure(ErrorWord.INVALID_RESPONSE, NOT_HTTP)
        whole = self._wire.lines(MAX_HEAD_BYTES)  # mostly all of it has come with the first packet
        line = whole[: whole.index(b"\n") + 1] if whole else self._line(MAX_HEAD_BYTES, is_status=True)
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise TransportFailure(ErrorWord.INVALID_RESPONSE, NOT_HTTP)
        self._version = int(match[1])
        self.status = int(match[2])
        self.reason = _text(match[3] or b"").strip()
        lines = _text(whole[len(line) :]).split("\n")[:-2] if whole else self._lines(MAX_HEAD_BYTES - len(line))
        if len(lines) > MAX_HEAD_LINES:
            raise TransportFailure(ErrorWord.RESPONSE_TOO_LARGE, HEAD_TOO_LARGE)
        self.pairs = _pairs(lines)

    def _line(self, limit: int, *, is_status: bool = False) -> bytes:
        line = self._wire.line(limit)
        if len(line) > limit:
            raise TransportFailure(ErrorWord.RESPONSE_TOO_LARGE, HEAD_TOO_LARGE)
        if not line.endswith(b"\n"):
            if is_status and not line.startswith(_PROTOCOL):
                raise TransportFailure(ErrorWord.INVALID_RESPONSE, NOT_HTTP)
            raise TransportFailure(ErrorWord.CONNECTION_LOST, LOST)
        return line

    def _lines(self, limit: int) -> list[str]:
        """The lines up to the empty one, one by one, at most one more than there may be."""
        lines: list[str] = []
        while len(lines) <= MAX_HEAD_LINES and (line := self._line(limit)) not in (b"\r\n", b"\n"):
            limit -= len(line)
            lines.append(_text(line))
        return lines

    def _pieces(self) -> Iterator[bytes]:
        if self._frame.is_chunked:
            yield from self._chunks()
        elif self._frame.length is not None:
            yield from self._exactly(self._frame.length)
        else:
            while piece := self._wire.some(PIECE_BYTES):
                yield piece

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self._wire.some(min(count, PIECE_BYTES))
            if not piece:
                raise _CutError
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        for _ in range(MAX_CHUNKS):
            size = self._chunk_size()
            if not size:
                self._skip_trailers()
                return
            yield from self._exactly(size)
            if self._wire.line(2) not in (b"\r\n", b"\n"):
                break
        raise _CutError

    def _chunk_size(self) -> int:
        match = _CHUNK_LINE.fullmatch(self._wire.line(MAX_CHUNK_LINE_BYTES - 1))
        if match is None:
            raise _CutError
        return int(match[1], 16)

    def _skip_trailers(self) -> None:
        left = MAX_TRAILER_BYTES
        while (line := self._wire.line(left - 1)) not in (b"\r\n", b"\n"):
            left -= len(line)
            if not line or left <= 0:
                raise _CutError


def _pairs(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """The header lines as they came; a folded line belongs to the one before, one without a colon is left out."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]} {line.strip()}")
        elif colon:
            pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


class _Frame(NamedTuple):
    """How a body ends: in chunks, after so many bytes, or with the connection."""

    is_chunked: bool
    length: int | None
    is_last: bool  # no other answer can follow on the connection


def _frame(status: int, version: int, pairs: tuple[tuple[str, str], ...]) -> _Frame:
    """RFC 9112, section 6.3; lines of a name count as one list. Raises TransportFailure for two lengths."""
    told: dict[str, list[str]] = {"content-length": [], "transfer-encoding": [], "connection": []}
    for name, value in pairs:
        if (values := told.get(name.lower())) is not None:
            values += [part.strip() for part in value.lower().split(",")]
    lengths, encodings = told["content-length"], told["transfer-encoding"]
    if len(set(lengths)) > 1:
        raise TransportFailure(ErrorWord.INVALID_RESPONSE, TWO_LENGTHS)
    is_chunked = encodings == ["chunked"]
    length = int(lengths[0]) if lengths and not encodings and _LENGTH.fullmatch(lengths[0]) else None
    is_switching = status == SWITCHING_PROTOCOLS
    if is_switching or status in WITHOUT_BODY:
        is_chunked, length = False, 0
    has_end = is_chunked or length is not None
    is_last = version == 0 or is_switching or not has_end or "close" in told["connection"]
    return _Frame(is_chunked, length, is_last)


def _text(raw: bytes) -> str:
    """Bytes as text, one character each; a NUL is shown by its sign, since databases refuse it."""
    return raw.decode("latin-1").replace("\x00", "\N{SYMBOL FOR NULL}")
