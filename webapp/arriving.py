"""How much of an HTTP request has arrived: where it ends, not what it says, which is the server's to read."""

from __future__ import annotations

import re
from enum import Enum, auto

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024  # the largest that any address takes, framing of its chunks aside
MAX_CHUNK_LINE_BYTES = 256

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.IGNORECASE | re.MULTILINE)
_CONTINUE = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r$", re.IGNORECASE | re.MULTILINE)


class Stage(Enum):
    """What is there."""

    HEAD = auto()  # not even the whole head
    BODY = auto()  # the head, and not the whole body
    WHOLE = auto()  # all of it
    LARGE = auto()  # a body that is larger than any address takes, or whose end nobody can tell: not waited for
    HEAD_TOO_LONG = auto()


class Arriving:
    """One request, as far as it has arrived."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.stage = Stage.HEAD
        self.waits_for_continue = False
        self._body_at = 0
        self._ends_at: int | None = None  # None = in chunks
        self._chunk_at = 0

    def take(self, piece: bytes) -> Stage:
        """Add what came, and say what is there now. Blank lines before a request mean nothing."""
        searched = max(0, len(self.data) - 3)
        self.data += piece if self.data else piece.lstrip(b"\r\n")
        if self.stage is Stage.HEAD:
            self._look_for_the_body(searched)
        if self.stage is Stage.BODY:
            self._look_for_the_end()
        return self.stage

    def _look_for_the_body(self, searched: int) -> None:
        at = self.data.find(b"\r\n\r\n", searched)
        if at > MAX_HEAD_BYTES or (at < 0 and len(self.data) > MAX_HEAD_BYTES):
            self.stage = Stage.HEAD_TOO_LONG
        elif at >= 0:
            head = bytes(self.data[: at + 2])
            self._body_at = self._chunk_at = at + 4
            length, is_chunked = _LENGTH.search(head), bool(_CHUNKED.search(head))
            if not is_chunked:
                self._ends_at = self._body_at + (int(length[1]) if length else 0)
            elif length:
                self._ends_at = self._body_at  # with both, it is the parser's to refuse
            self.waits_for_continue = bool(_CONTINUE.search(head))
            self.stage = Stage.BODY

    def _look_for_the_end(self) -> None:
        end = self._ends_at if self._ends_at is not None else self._end_of_chunks()
        if max(end or 0, len(self.data)) - self._body_at > MAX_BODY_BYTES:
            self.stage = Stage.LARGE
        elif end is not None and len(self.data) >= end:
            self.stage = Stage.WHOLE

    def _end_of_chunks(self) -> int | None:
        """Where the last chunk and its trailers end; None = not there yet. What is no chunk ends at once."""
        while (line_end := self.data.find(b"\r\n", self._chunk_at, self._chunk_at + MAX_CHUNK_LINE_BYTES)) >= 0:
            try:
                size = int(bytes(self.data[self._chunk_at : line_end]).partition(b";")[0], 16)
            except ValueError:
                return len(self.data)
            if size == 0:
                end = self.data.find(b"\r\n\r\n", line_end)
                return end + 4 if end >= 0 else None
            self._chunk_at = line_end + 2 + size + 2
        return len(self.data) if len(self.data) > self._chunk_at + MAX_CHUNK_LINE_BYTES else None
