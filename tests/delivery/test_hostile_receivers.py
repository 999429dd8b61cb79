"""Receivers that drip, flood, lie and break off: every attempt ends in time, with its word, and leaves nothing open."""

import gzip
import os
import threading
import time
import tracemalloc
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.receiver import HANG_UP, RESET, SILENCE, Raw, Receiver, drip, endless, wait_until
from webapp.delivery.addresses import Policy
from webapp.delivery.sending import Outgoing, Sender

LIMIT_S = 0.5
GRACE_S = 0.5
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
KIB_64 = 65_536


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture(scope="module")
def sender(receiver):
    policy = Policy.from_values(allow_http=False, allow_targets=[receiver.target])
    sender = Sender(policy, timeout=timedelta(seconds=LIMIT_S))
    yield sender
    sender.close()


@pytest.fixture
def send(sender, receiver):
    """Let the receiver answer that, send, and check that it ended in time and that nothing of it stays open."""

    def answered(reply):
        sender.close()  # a fresh connection each time
        receiver.answers(reply)
        began = time.monotonic()
        outcome = sender.send(Outgoing(f"{receiver.url}x", (), b"{}"))
        assert time.monotonic() - began < LIMIT_S + GRACE_S
        assert outcome.is_success is (outcome.error is None and outcome.status is not None and outcome.status < 300)
        assert bool(outcome.sentence) is (outcome.error is not None)
        return outcome

    return answered


def first(head, rest):
    """Pieces for a `Raw`: one, then the others."""

    def pieces():
        yield head
        yield from rest() if callable(rest) else rest

    return pieces


ENDS_WITHOUT_STATUS = {
    "silence": (SILENCE, "timed_out"),
    "status line drip": (Raw(drip(b"HTTP/1.1 200 " + b"O" * 500), pause=0.02), "timed_out"),
    "header drip": (Raw(first(OK, drip(b"X-Drip: " + b"a" * 500)), pause=0.02), "timed_out"),
    "header drip by lines": (Raw(first(OK, endless(b"X: y\r\n")), pause=0.02), "timed_out"),
    "head without end": (Raw([OK, b"X: y\r\n"], then="silence"), "timed_out"),
    "slow 100s": (Raw(endless(b"HTTP/1.1 100 Continue\r\n\r\n"), pause=0.1), "timed_out"),
    "fast 100s": (Raw(endless(b"HTTP/1.1 100 Continue\r\n\r\n")), "response_too_large"),
    "fast 103s": (Raw(endless(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")), "response_too_large"),
    "nine interim answers": (Raw([b"HTTP/1.1 102 P\r\n\r\n" * 9, OK, b"\r\n"]), "response_too_large"),
    "too many header lines": (Raw([OK, b"X: y\r\n" * 101, b"\r\n"]), "response_too_large"),
    "endless header lines": (Raw(first(OK, endless(b"X: y\r\n" * 100))), "response_too_large"),
    "one huge header": (Raw([OK, b"X: " + b"y" * 70_000 + b"\r\n\r\n"]), "response_too_large"),
    "endless header": (Raw(first(OK + b"X: ", endless(b"y" * 10_000))), "response_too_large"),
    "endless status line": (Raw(first(b"HTTP/1.1 200 ", endless(b"y" * 10_000))), "response_too_large"),
    "banner": (Raw([b"SSH-2.0-OpenSSH_9.2\r\n"], then="silence"), "invalid_response"),
    "banner without a line": (Raw([b"\x00\x01\x02"], then="silence"), "invalid_response"),
    "endless garbage": (Raw(endless(b"\xff" * 10_000)), "invalid_response"),
    "HTTP/0.9": (Raw([b"<html>hello</html>"]), "invalid_response"),
    "HTTP/2": (Raw([b"HTTP/2 200\r\n\r\n"]), "invalid_response"),
    "blank lines first": (Raw([b"\r\n\r\n"]), "invalid_response"),
    "two lengths": (Raw([OK, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"]), "invalid_response"),
    "two lengths in a line": (Raw([OK, b"Content-Length: 2, 3\r\n\r\nabc"]), "invalid_response"),
    "close at once": (HANG_UP, "connection_lost"),
    "reset": (RESET, "connection_lost"),
    "half a status line": (Raw([b"HTTP/1.1 20"]), "connection_lost"),
    "half a protocol": (Raw([b"HTT"]), "invalid_response"),
    "half a head": (Raw([OK, b"X: y\r\nContent-Le"]), "connection_lost"),
    "half a head, then reset": (Raw([OK, b"X: y\r\n"], then="reset"), "connection_lost"),
    "interim answer, then nothing": (Raw([b"HTTP/1.1 100 Continue\r\n\r\n"]), "connection_lost"),
} | {
    f"status {code}": (Raw([b"HTTP/1.1 " + code.encode() + b" X\r\n\r\n"]), "invalid_response")
    for code in ("000", "099", "600", "999", "20", "2000", "abc", "+20", "-20", "2 0", "٢٠٠")
}


@pytest.mark.parametrize("kind", ENDS_WITHOUT_STATUS)
def test_an_answer_without_a_usable_head_is_a_failure_with_its_word(send, kind):
    """F36, F45, F46, F49, F50"""
    reply, word = ENDS_WITHOUT_STATUS[kind]

    outcome = send(reply)

    assert (outcome.error, outcome.status) == (word, None)


ENDS_WITH_STATUS = {
    # the reply, the status, the body or its length, and whether it is cut
    "eight interim answers": (Raw([b"HTTP/1.1 103 Hint\r\nX: y\r\n\r\n" * 8, OK, b"\r\nhi"]), 200, b"hi", False),
    "a hundred header lines": (Raw([OK, b"X: y\r\n" * 100, b"\r\n"]), 200, b"", False),
    "lines without returns": (Raw([b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"]), 200, b"hi", False),
    "no reason": (Raw([b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n"]), 500, b"", False),
    "until the end": (Raw([OK, b"\r\n", b"abc"]), 200, b"abc", False),
    "body drip": (Raw(first(OK + b"\r\n", endless(b"z")), pause=0.02), 200, None, True),
    "body that never comes": (Raw([OK, b"Content-Length: 9\r\n\r\n"], then="silence"), 200, b"", True),
    "endless body": (Raw(first(OK + b"\r\n", endless(b"z" * 9_000))), 200, KIB_64, True),
    "ten gigabytes": (Raw(first(OK + b"Content-Length: 9999999999\r\n\r\n", endless(b"z" * 9_000))), 200, KIB_64, True),
    "exactly 64 KiB": (Raw([OK, b"Content-Length: 65536\r\n\r\n", b"z" * KIB_64]), 200, KIB_64, False),
    "one more than 64 KiB": (Raw([OK, b"Content-Length: 65537\r\n\r\n", b"z" * 65_537]), 200, KIB_64, True),
    "endless body of a failure": (Raw(first(b"HTTP/1.1 500 X\r\n\r\n", endless(b"z" * 9_000))), 500, KIB_64, True),
    "chunks": (Raw([CHUNKED, b"2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n"]), 200, b"hi0123456789", False),
    "endless chunks": (Raw(first(CHUNKED, endless(b"1\r\na\r\n" * 1_000))), 200, KIB_64, True),
    "chunk drip": (Raw(first(CHUNKED, endless(b"1\r\na\r\n")), pause=0.02), 200, None, True),
    "endless chunk extension": (Raw(first(CHUNKED + b"1;", endless(b"a" * 9_000))), 200, b"", True),
    "chunk extension drip": (Raw(first(CHUNKED + b"1;", endless(b"a")), pause=0.02), 200, b"", True),
    "endless trailers": (Raw(first(CHUNKED + b"1\r\na\r\n0\r\n", endless(b"T: u\r\n"))), 200, b"a", True),
    "trailer drip": (Raw(first(CHUNKED + b"1\r\na\r\n0\r\n", endless(b"T")), pause=0.02), 200, b"a", True),
    "negative chunk": (Raw([CHUNKED, b"-1\r\nabc"]), 200, b"", True),
    "huge chunk": (Raw([CHUNKED, b"FFFFFFFFFFFFFFFFFFFF\r\nabc"]), 200, b"", True),
    "chunk without end": (Raw([CHUNKED, b"2\r\nhiXX0\r\n\r\n"]), 200, b"hi", True),
    "chunked and a length": (Raw([CHUNKED[:-2], b"Content-Length: 99\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]), 200, b"hi", False),
    "unknown encoding": (Raw([OK, b"Transfer-Encoding: gzip, chunked\r\n\r\nabc"]), 200, b"abc", False),
    "short body": (Raw([OK, b"Content-Length: 9\r\n\r\nabc"]), 200, b"abc", True),
    "short body, then reset": (Raw([OK, b"Content-Length: 9\r\n\r\nabc"], pause=0.05, then="reset"), 200, b"abc", True),
    "long body": (Raw([OK, b"Content-Length: 2\r\n\r\nabcdef"]), 200, b"ab", False),
    "negative length": (Raw([OK, b"Content-Length: -5\r\n\r\nabc"]), 200, b"abc", False),
    "length that is none": (Raw([OK, b"Content-Length: many\r\n\r\nabc"]), 200, b"abc", False),
    "length of 5,000 digits": (Raw([OK, b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nabc"]), 200, b"abc", False),
    "the same length twice": (Raw([OK, b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"]), 200, b"hi", False),
    "204 with a body": (Raw([b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc"]), 204, b"", False),
    "gzip that is none": (Raw([OK, b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"]), 200, b"abc", False),
    "a thousand encodings": (
        Raw([OK, b"Content-Encoding: " + b"gzip, " * 1_000 + b"br\r\n\r\nabc"]),
        200,
        b"abc",
        False,
    ),
    "lines without a colon": (
        Raw([OK, b"no colon\r\n: no name\r\nContent-Length: 2\r\n\r\nhi"]),
        200,
        b"hi",
        False,
    ),
}


@pytest.mark.parametrize("kind", ENDS_WITH_STATUS)
def test_a_complete_head_counts_whatever_the_body_does(send, kind):
    """F46, F47, F48, F50"""
    reply, status, body, is_cut = ENDS_WITH_STATUS[kind]

    outcome = send(reply)

    assert (outcome.error, outcome.status, outcome.is_cut) == (None, status, is_cut)
    if isinstance(body, bytes):
        assert outcome.body == body
    elif body:
        assert len(outcome.body) == body


def test_a_bomb_stays_packed(send):
    bomb = gzip.compress(bytes(50_000_000))
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()

    tracemalloc.start()
    outcome = send(Raw([OK, head, bomb]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert outcome.is_success
    assert outcome.body == bomb[:KIB_64]
    assert peak < 2_000_000


def test_strange_characters_in_headers_are_kept_as_text(send):
    folded = b"X-D: one\r\n two\r\n\tthree\r\n<b>: </script>\r\n\r\n"
    lines = b"X-A: \x1b[31mred\x07\r\nX-B: a\x00b\r\nX-C: gr\xfc\xdf\r\n"

    outcome = send(Raw([b"HTTP/1.1 200 O\x00K\xfc\r\n", lines, folded]))

    assert outcome.reason == "O␀Kü"
    assert outcome.headers == (
        ("X-A", "\x1b[31mred\x07"),
        ("X-B", "a␀b"),
        ("X-C", "grüß"),
        ("X-D", "one two three"),
        ("<b>", "</script>"),
    )


def test_a_cut_inside_the_head_is_never_a_success(send):
    """A32: the library would report 200."""
    for pause in (0.0, 0.01, 0.05):
        assert send(Raw([OK, b"X: y\r\n"], pause=pause, then="silence")).error == "timed_out"


ANSWERS = [
    OK + b"Content-Length: 2\r\n\r\nhi",
    CHUNKED + b"2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 100 C\r\n\r\n" + OK + b"\r\nhi",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ANSWERS), st.data())
def test_mutated_answers_never_raise(send, answer, data):
    """A33"""
    mutated = bytearray(answer)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    outcome = send(Raw([bytes(mutated)]))

    assert (outcome.error is None) is (outcome.status is not None) or outcome.status in {301, 302, 303, 307, 308}


def test_nothing_stays_open(receiver):
    """No thread and no file is left behind by fifty hostile answers at once."""
    policy = Policy.from_values(allow_http=False, allow_targets=[receiver.target])
    receiver.answers(Raw([OK, b"X"], then="silence"))
    wait_until(lambda: receiver.open_connections == 0)
    threads, files = threading.active_count(), open_files()

    sender = Sender(policy, timeout=timedelta(seconds=LIMIT_S))
    outgoing = Outgoing(receiver.url, (), b"{}")
    began = time.monotonic()
    senders = [threading.Thread(target=sender.send, args=(outgoing,)) for _ in range(50)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    took = time.monotonic() - began
    sender.close()

    assert took < LIMIT_S + 2 * GRACE_S
    wait_until(lambda: receiver.open_connections == 0)
    wait_until(lambda: (threading.active_count(), open_files()) <= (threads, files))


def open_files():
    return len(os.listdir("/dev/fd"))
