"""How much of a request has arrived is the same however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.arriving import MAX_BODY_BYTES, MAX_HEAD_BYTES, Arriving, Stage

HEAD = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

CASES = [
    (b"", Stage.HEAD),
    (b"\r\n\r\n\r\n", Stage.HEAD),
    (b"GET / HTTP/1.1\r\nHost: x\r\n", Stage.HEAD),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", Stage.WHOLE),
    (b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", Stage.WHOLE),
    (b"GET / HTTP/1.1\r\n\r\nGET /next", Stage.WHOLE),
    (HEAD + b"content-LENGTH:\t5 \r\n\r\nfour", Stage.BODY),
    (HEAD + b"Content-Length: 5\r\n\r\nfive!", Stage.WHOLE),
    (HEAD + b"X-Content-Length: 5\r\n\r\n", Stage.WHOLE),
    (HEAD + b"X: a\r\n\r\nContent-Length: 5\r\n\r\n", Stage.WHOLE),
    (HEAD + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), Stage.LARGE),
    (HEAD + b"Content-Length: 1073741824\r\n\r\n{", Stage.LARGE),
    (CHUNKED, Stage.BODY),
    (CHUNKED + b"5\r\nfi", Stage.BODY),
    (CHUNKED + b"5\r\nfive!\r\n0\r\n", Stage.BODY),
    (CHUNKED + b"5\r\nfive!\r\n0\r\n\r\n", Stage.WHOLE),
    (CHUNKED + b"5;a=b\r\nfive!\r\n0\r\nX: trailer\r\n", Stage.BODY),
    (CHUNKED + b"5;a=b\r\nfive!\r\n0\r\nX: trailer\r\n\r\n", Stage.WHOLE),
    (CHUNKED[:-2] + b"Content-Length: 9\r\n\r\n", Stage.WHOLE),
    (CHUNKED + b"no number\r\n", Stage.WHOLE),
    (CHUNKED + b"5" * 1000, Stage.WHOLE),
    (CHUNKED + b"9000000\r\n", Stage.BODY),
    (b"G" * (MAX_HEAD_BYTES + 1), Stage.HEAD_TOO_LONG),
    (b"GET / HTTP/1.1\r\nX: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n", Stage.HEAD_TOO_LONG),
]


@pytest.mark.parametrize(("data", "stage"), CASES)
def test_what_is_there_is_told_at_once(data: bytes, stage: Stage) -> None:
    assert Arriving().take(data) is stage


@pytest.mark.parametrize(("data", "stage"), [case for case in CASES if len(case[0]) < 1200])
def test_byte_by_byte_it_is_the_same(data: bytes, stage: Stage) -> None:
    arriving, seen = Arriving(), Stage.HEAD
    for place in range(len(data)):
        seen = arriving.take(data[place : place + 1])
        if seen not in {Stage.HEAD, Stage.BODY}:
            break
    assert seen is stage


@given(st.binary(max_size=400), st.lists(st.integers(1, 40), max_size=40))
def test_whatever_comes_is_told_without_an_error_and_nothing_is_lost(data: bytes, sizes: list[int]) -> None:
    arriving, place = Arriving(), 0
    for size in sizes:
        arriving.take(data[place : place + size])
        place += size
    assert bytes(arriving.data).endswith(data[:place].lstrip(b"\r\n"))


def test_a_body_in_chunks_is_not_gathered_without_end() -> None:
    arriving = Arriving()
    arriving.take(CHUNKED)
    pieces = 0
    while arriving.take(b"10000\r\n" + b"x" * 0x10000 + b"\r\n") is Stage.BODY:
        pieces += 1
    assert arriving.stage is Stage.LARGE
    assert pieces * 0x10000 <= MAX_BODY_BYTES
