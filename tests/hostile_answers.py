"""The kinds of answers that receivers out of order, or out to harm, give: each with the ending that it must have.

`KINDS` maps a kind to its `Case`. An answer without a usable head ends with an error word, one with a complete head
with its status, whatever its body does. What says `pause` never ends by itself: the deadline ends it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.receiver import HANG_UP, RESET, SILENCE, Raw, drip, endless

KIB_64 = 65_536
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1_048_576


@dataclass(frozen=True)
class Case:
    """One answer and its ending. `body` is what is kept of it, or only its length; None: it depends on the time."""

    reply: Raw
    status: int | None = None
    word: str | None = None
    body: bytes | int | None = b""
    is_cut: bool = False


def first(head: bytes, rest: Callable[[], Iterable[bytes]]) -> Callable[[], Iterator[bytes]]:
    """Pieces for a `Raw`: one, then the others."""

    def pieces() -> Iterator[bytes]:
        yield head
        yield from rest()

    return pieces


def _deflate_bomb(size: int) -> bytes:
    """A zlib stream of so many zeros, made from one piece that may follow itself."""
    packer = zlib.compressobj(9)
    begun = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begun + piece * (size // MIB - 1)


GZIP_BOMB = gzip.compress(bytes(10 * MIB), 9) * 100  # 1 GiB in 1 MiB: members of one file may follow each other
DEFLATE_BOMB = _deflate_bomb(1024 * MIB)


def _encoded(encoding: str, body: bytes) -> Case:
    head = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return Case(Raw([OK, head, body]), 200, body=body[:KIB_64], is_cut=len(body) > KIB_64)


def _fails(reply: Raw, word: str) -> Case:
    return Case(reply, word=word)


def _ends(pieces: Iterable[bytes], body: bytes | int | None = b"", *, status: int = 200) -> Case:
    return Case(Raw(pieces), status, body=body)


def _is_cut(reply: Raw, body: bytes | int | None, *, status: int = 200) -> Case:
    return Case(reply, status, body=body, is_cut=True)


NEVER_ANSWERED = {
    "silence": _fails(SILENCE, "timed_out"),
    "status line drip": _fails(Raw(drip(b"HTTP/1.1 200 " + b"O" * 500), pause=0.02), "timed_out"),
    "header drip": _fails(Raw(first(OK, drip(b"X-Drip: " + b"a" * 500)), pause=0.02), "timed_out"),
    "header drip by lines": _fails(Raw(first(OK, endless(b"X: y\r\n")), pause=0.02), "timed_out"),
    "head without end": _fails(Raw([OK, b"X: y\r\n"], then="silence"), "timed_out"),
    "slow 100s": _fails(Raw(endless(b"HTTP/1.1 100 Continue\r\n\r\n"), pause=0.15), "timed_out"),
    "slow 103s": _fails(Raw(endless(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), pause=0.15), "timed_out"),
    "drip of one 100": _fails(Raw(drip(b"HTTP/1.1 100 " + b"C" * 500), pause=0.02), "timed_out"),
}
NEVER_A_HEAD = {
    "fast 100s": _fails(Raw(endless(b"HTTP/1.1 100 Continue\r\n\r\n")), "response_too_large"),
    "fast 103s": _fails(Raw(endless(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")), "response_too_large"),
    "nine interim answers": _fails(Raw([b"HTTP/1.1 102 P\r\n\r\n" * 9, OK, b"\r\n"]), "response_too_large"),
    "too many header lines": _fails(Raw([OK, b"X: y\r\n" * 101, b"\r\n"]), "response_too_large"),
    "endless header lines": _fails(Raw(first(OK, endless(b"X: y\r\n" * 100))), "response_too_large"),
    "endless folded lines": _fails(Raw(first(OK + b"X: y\r\n", endless(b" z\r\n" * 100))), "response_too_large"),
    "one huge header": _fails(Raw([OK, b"X: " + b"y" * 70_000 + b"\r\n\r\n"]), "response_too_large"),
    "endless header": _fails(Raw(first(OK + b"X: ", endless(b"y" * 10_000))), "response_too_large"),
    "endless status line": _fails(Raw(first(b"HTTP/1.1 200 ", endless(b"y" * 10_000))), "response_too_large"),
    "huge head of an interim answer": _fails(
        Raw([b"HTTP/1.1 103 X\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", OK, b"\r\n"]), "response_too_large"
    ),
}
NO_HTTP = {
    "banner": _fails(Raw([b"SSH-2.0-OpenSSH_9.2\r\n"], then="silence"), "invalid_response"),
    "banner of a mail server": _fails(Raw([b"220 mail ESMTP\r\n"], then="silence"), "invalid_response"),
    "banner without a line": _fails(Raw([b"\x00\x01\x02"], then="silence"), "invalid_response"),
    "endless garbage": _fails(Raw(endless(b"\xff" * 10_000)), "invalid_response"),
    "escape sequences": _fails(Raw([b"\x1b[2J\x1b]0;owned\x07"], then="silence"), "invalid_response"),
    "HTTP/0.9": _fails(Raw([b"<html>hello</html>"]), "invalid_response"),
    "endless HTTP/0.9": _fails(Raw(endless(b"<p>hello</p>\n" * 100)), "invalid_response"),
    "HTTP/2": _fails(Raw([b"HTTP/2 200\r\n\r\n"]), "invalid_response"),
    "HTTP/2 frames": _fails(Raw([b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"], then="silence"), "invalid_response"),
    "a TLS record": _fails(Raw([b"\x15\x03\x01\x00\x02\x02\x46"]), "invalid_response"),
    "blank lines first": _fails(Raw([b"\r\n\r\n"]), "invalid_response"),
    "half a protocol": _fails(Raw([b"HTT"]), "invalid_response"),
    "a request": _fails(Raw([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]), "invalid_response"),
    "two lengths": _fails(Raw([OK, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"]), "invalid_response"),
    "two lengths in a line": _fails(Raw([OK, b"Content-Length: 2, 3\r\n\r\nabc"]), "invalid_response"),
    "a length and its opposite": _fails(
        Raw([OK, b"Content-Length: 3\r\nContent-Length: -3\r\n\r\nabc"]), "invalid_response"
    ),
} | {
    f"status {code}": _fails(Raw([b"HTTP/1.1 " + code.encode() + b" X\r\n\r\n"]), "invalid_response")
    for code in ("000", "099", "600", "999", "20", "2000", "abc", "+20", "-20", "2 0", "٢٠٠", "2\x0000")
}
BROKEN_OFF = {
    "close at once": _fails(HANG_UP, "connection_lost"),
    "reset": _fails(RESET, "connection_lost"),
    "half a status line": _fails(Raw([b"HTTP/1.1 20"]), "connection_lost"),
    "half a head": _fails(Raw([OK, b"X: y\r\nContent-Le"]), "connection_lost"),
    "half a head, then reset": _fails(Raw([OK, b"X: y\r\n"], then="reset"), "connection_lost"),
    "interim answer, then nothing": _fails(Raw([b"HTTP/1.1 100 Continue\r\n\r\n"]), "connection_lost"),
}
REDIRECTS = {
    f"redirect {name}": Case(reply, 302, "redirect_refused", body=None, is_cut=is_cut)
    for name, reply, is_cut in (
        ("inwards", Raw([b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"]), False),
        ("to itself", Raw([b"HTTP/1.1 302 X\r\nLocation: \r\nContent-Length: 0\r\n\r\n"]), False),
        ("without an address", Raw([b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"]), False),
        ("with an endless body", Raw(first(b"HTTP/1.1 302 X\r\nLocation: /a\r\n\r\n", endless(b"z" * 9_000))), True),
        ("with a dripping body", Raw(first(b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", endless(b"z")), 0.02), True),
    )
}
WHOLE_HEAD = {
    "eight interim answers": _ends([b"HTTP/1.1 103 Hint\r\nX: y\r\n\r\n" * 8, OK, b"\r\nhi"], b"hi"),
    "a hundred header lines": _ends([OK, b"X: y\r\n" * 100, b"\r\n"]),
    "lines without returns": _ends([b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"], b"hi"),
    "lines without a colon": _ends([OK, b"no colon\r\n: no name\r\nContent-Length: 2\r\n\r\nhi"], b"hi"),
    "no reason": _ends([b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n"], status=500),
    "until the end": _ends([OK, b"\r\n", b"abc"], b"abc"),
    "strange characters": _ends(
        [b"HTTP/1.1 200 O\x00K\r\nX-\x1b[31m: \x1b]0;owned\x07\xff\r\nContent-Length: 4\r\n\r\n", b"\x00\x1b\xff\xfe"],
        b"\x00\x1b\xff\xfe",
    ),
    "gone": _ends([b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"], status=410),
}
ODD_BODIES = {
    "body drip": _is_cut(Raw(first(OK + b"\r\n", endless(b"z")), pause=0.02), None),
    "body that never comes": _is_cut(Raw([OK, b"Content-Length: 9\r\n\r\n"], then="silence"), b""),
    "endless body": _is_cut(Raw(first(OK + b"\r\n", endless(b"z" * 9_000))), KIB_64),
    "ten gigabytes": _is_cut(Raw(first(OK + b"Content-Length: 9999999999\r\n\r\n", endless(b"z" * 9_000))), KIB_64),
    "exactly 64 KiB": _ends([OK, b"Content-Length: 65536\r\n\r\n", b"z" * KIB_64], KIB_64),
    "one more than 64 KiB": _is_cut(Raw([OK, b"Content-Length: 65537\r\n\r\n", b"z" * 65_537]), KIB_64),
    "endless body of a failure": _is_cut(
        Raw(first(b"HTTP/1.1 500 X\r\n\r\n", endless(b"z" * 9_000))), KIB_64, status=500
    ),
    "204 with a body": _ends([b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc"], status=204),
    "204 with an endless body": Case(Raw(first(b"HTTP/1.1 204 No\r\n\r\n", endless(b"z" * 9_000))), 204),
    "switching protocols in chunks": _ends(
        [b"HTTP/1.1 101 Other\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"], status=101
    ),
    "304 with a body": _ends([b"HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\nabc"], status=304),
}
CHUNKS = {
    "chunks": _ends([CHUNKED, b"2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n"], b"hi0123456789"),
    "endless chunks": _is_cut(Raw(first(CHUNKED, endless(b"64\r\n" + b"a" * 100 + b"\r\n"))), KIB_64),
    "endless chunks of a byte": _is_cut(Raw(first(CHUNKED, endless(b"1\r\na\r\n" * 1_000))), 4_096),
    "chunk drip": _is_cut(Raw(first(CHUNKED, endless(b"1\r\na\r\n")), pause=0.02), None),
    "endless chunk extension": _is_cut(Raw(first(CHUNKED + b"1;", endless(b"a" * 9_000))), b""),
    "chunk extension drip": _is_cut(Raw(first(CHUNKED + b"1;", endless(b"a")), pause=0.02), b""),
    "endless trailers": _is_cut(Raw(first(CHUNKED + b"1\r\na\r\n0\r\n", endless(b"T: u\r\n"))), b"a"),
    "one endless trailer": _is_cut(Raw(first(CHUNKED + b"1\r\na\r\n0\r\nT: ", endless(b"u" * 9_000))), b"a"),
    "trailer drip": _is_cut(Raw(first(CHUNKED + b"1\r\na\r\n0\r\n", endless(b"T")), pause=0.02), b"a"),
    "trailer drip by lines": _is_cut(Raw(first(CHUNKED + b"1\r\na\r\n0\r\n", endless(b"T: u\r\n")), pause=0.02), b"a"),
    "negative chunk": _is_cut(Raw([CHUNKED, b"-1\r\nabc"]), b""),
    "huge chunk": _is_cut(Raw([CHUNKED, b"FFFFFFFFFFFFFFFFFFFF\r\nabc"]), b""),
    "chunk of a terabyte": _is_cut(Raw(first(CHUNKED + b"FFFFFFFFFF\r\n", endless(b"z" * 9_000))), KIB_64),
    "chunk without end": _is_cut(Raw([CHUNKED, b"2\r\nhiXX0\r\n\r\n"]), b"hi"),
    "chunks that break off": _is_cut(Raw([CHUNKED, b"2\r\nhi\r\n5\r\nab"], pause=0.01, then="reset"), None),
    "chunked and a length": _ends([CHUNKED[:-2], b"Content-Length: 99\r\n\r\n2\r\nhi\r\n0\r\n\r\n"], b"hi"),
    "chunked twice": _ends([OK, b"Transfer-Encoding: chunked, chunked\r\n\r\nabc"], b"abc"),
    "unknown encoding": _ends([OK, b"Transfer-Encoding: gzip, chunked\r\n\r\nabc"], b"abc"),
}
WRONG_LENGTHS = {
    "short body": _is_cut(Raw([OK, b"Content-Length: 9\r\n\r\nabc"]), b"abc"),
    "short body, then reset": _is_cut(Raw([OK, b"Content-Length: 9\r\n\r\nabc"], pause=0.05, then="reset"), b"abc"),
    "long body": _ends([OK, b"Content-Length: 2\r\n\r\nabcdef"], b"ab"),
    "endless body of two bytes": Case(
        Raw(first(OK + b"Content-Length: 2\r\n\r\n", endless(b"ab" * 5_000))), 200, body=b"ab"
    ),
    "negative length": _ends([OK, b"Content-Length: -5\r\n\r\nabc"], b"abc"),
    "length with a sign": _ends([OK, b"Content-Length: +2\r\n\r\nabc"], b"abc"),
    "length that is none": _ends([OK, b"Content-Length: many\r\n\r\nabc"], b"abc"),
    "length of 5,000 digits": _ends([OK, b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nabc"], b"abc"),
    "the same length twice": _ends([OK, b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"], b"hi"),
}
ENCODINGS = {
    "gzip bomb": _encoded("gzip", GZIP_BOMB),
    "deflate bomb": _encoded("deflate", DEFLATE_BOMB),
    "br bomb": _encoded("br", GZIP_BOMB),  # never unpacked, so what is in it does not matter
    "bomb in a bomb": _encoded("gzip, gzip", gzip.compress(GZIP_BOMB)),
    "gzip that is none": _encoded("gzip", b"abc"),
    "gzip that breaks off": _encoded("gzip", GZIP_BOMB[:1_000]),
    "a thousand encodings": _ends([OK, b"Content-Encoding: " + b"gzip, " * 1_000 + b"br\r\n\r\nabc"], b"abc"),
}
KINDS: dict[str, Case] = (
    NEVER_ANSWERED
    | NEVER_A_HEAD
    | NO_HTTP
    | BROKEN_OFF
    | REDIRECTS
    | WHOLE_HEAD
    | ODD_BODIES
    | CHUNKS
    | WRONG_LENGTHS
    | ENCODINGS
)
