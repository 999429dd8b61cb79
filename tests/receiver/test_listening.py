"""`webapp listen` shows what arrives, lets nothing speak to the terminal, and answers as it was told."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.factories import SECRET
from tests.receiver import wait_until
from webapp.delivery import signing
from webapp.receiver import listening
from webapp.receiver.listening import Orders, Receiver, escaped

BODY = '{"event":"TODO_CREATED","currentValue":{"title":"Größe – 100 €"}}'.encode()


class Listening:
    """A receiver that runs, and what it said."""

    def __init__(self, orders: Orders) -> None:
        self.said: list[str] = []
        self.receiver = Receiver(0, orders, self.said.append)
        self.port = self.receiver.server_port

    @property
    def text(self) -> str:
        return "".join(self.said)

    def send(self, body: bytes = BODY, headers: dict[str, str] | None = None, method: str = "POST") -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, "/hooks?a=1", body, headers or {})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def send_raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(4096), b""))


@contextmanager
def listening_with(*secrets: str, **orders: float) -> Iterator[Listening]:
    running = Listening(Orders(secrets=secrets, **orders))  # type: ignore[arg-type]
    thread = threading.Thread(target=running.receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        running.receiver.shutdown()
        running.receiver.server_close()
        thread.join()


def signed(body: bytes = BODY, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    return dict(
        signing.headers(
            delivery_id="dlv_a",
            event_word="TODO_CREATED",
            event_id="evt_a",
            attempt_number=2,
            body=body,
            timestamp=int(time.time()) - age_s,
            keys=[signing.Keys.of(secret)],
        )
    )


def test_a_request_is_shown_in_readable_lines() -> None:
    with listening_with(SECRET) as running:
        answer = running.send(headers=signed())

    assert answer.status == 200
    lines = running.text.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  POST /hooks\?a=1  TODO_CREATED", lines[0])
    assert lines[1:5] == [
        "  webhook-id  dlv_a  attempt 2",
        f"  size        {len(BODY)} bytes",
        "  signature   right",
        "  answer      200",
    ]
    assert '      "title": "Größe – 100 €"' in lines


def test_the_same_webhook_id_again_is_marked() -> None:
    with listening_with() as running:
        running.send(headers=signed())
        running.send(headers=signed())
        running.send()
        running.send()

    assert running.text.count("(came before)") == 1


@pytest.mark.parametrize(
    ("secrets", "headers", "words"),
    [
        ([SECRET], signed, "right\n"),
        (["whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", SECRET], signed, "right, with the old secret\n"),
        (["another secret of sixteen"], signed, "WRONG\n"),
        ([SECRET], lambda: signed(age_s=3600), "more than 5 minutes old"),
        ([SECRET], dict, "not signed\n"),
        ([], signed, "no secret to check with"),
        ([], dict, "not signed\n"),
    ],
)
def test_the_verdict_on_the_signature_is_told(
    secrets: list[str], headers: Callable[[], dict[str, str]], words: str
) -> None:
    with listening_with(*secrets) as running:
        running.send(headers=headers())

    assert words in running.text
    assert SECRET not in running.text


@pytest.mark.proves("W06")
def test_nothing_foreign_reaches_the_terminal_as_it_is() -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eevil\u2028"
    body = f'{{"event":"{hostile[1:2]}","title":"\\u001b[2J\x7f\x9b\u202e"}}'.encode()
    with listening_with() as running:
        running.send_raw(
            b"POST /\x1b[2J\x9b HTTP/1.1\r\nX-Webhook-Event: a\x1b[31m\r\nwebhook-id: \xc2\x9b1m\x07\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        running.send(b"\x1b[2J\r\nplain \xff text", {"X-Webhook-Attempt": "1\x1b[0m"})

    assert {each for each in running.text if not each.isprintable()} == {"\n"}
    assert escaped(hostile).isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"\x1b[2J\r\n",
    ],
)
def test_what_is_no_request_is_a_line_and_ends_nothing(data: bytes) -> None:
    with listening_with() as running:
        running.send_raw(data)
        answer = running.send()

    assert answer.status == 200
    assert "not a usable request" in running.text
    assert {each for each in running.text if not each.isprintable()} == {"\n"}


def test_it_answers_as_it_was_told() -> None:
    with listening_with(status=503, delay_s=0.1, retry_after_s=7) as running:
        before = time.monotonic()
        answer = running.send()

    assert time.monotonic() - before >= 0.1
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
    assert "answer      503, after 0.1 s, Retry-After 7" in running.text


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, "0"), (299, "3"), (410, "3")])
def test_an_answer_without_a_body_has_none(status: int, length: str | None) -> None:
    with listening_with(status=status) as running:
        answer = running.send()
        again = running.send(b"", method="HEAD")

    assert (answer.status, answer.headers["Content-Length"]) == (status, length)
    assert again.status == status


def test_a_long_body_is_cut_and_its_signature_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MAX_BODY_BYTES", 1000)
    monkeypatch.setattr(listening, "MAX_SHOWN", 100)
    with listening_with(SECRET) as running:
        running.send(b"x" * 1001, signed())

    assert "1,000 bytes (the rest was not read)" in running.text
    assert "not checked" in running.text
    assert "900 more characters" in running.text


@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked", "Content-Length: -1", "Content-Length: 9" + "9" * 30])
def test_a_body_of_unknown_length_is_not_waited_for(head: str) -> None:
    with listening_with() as running:
        answer = running.send_raw(f"POST / HTTP/1.1\r\n{head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_deep_body_is_shown_as_it_is() -> None:
    with listening_with() as running:
        answer = running.send(b"[" * 100_000)

    assert answer.status == 200
    assert "[[[[" in running.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_command_at_once(number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "listen", "--port", "0", "--delay", "60"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
    assert found, said
    assert f"WEBAPP_ALLOW_TARGETS=127.0.0.1:{found[1]}" in process.stdout.readline()
    with socket.create_connection(("127.0.0.1", int(found[1]))) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert "GET /" in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(timeout=10) == 0
    assert "Traceback" not in process.stdout.read()
    process.stdout.close()


def test_a_port_that_is_taken_is_told() -> None:
    with Receiver(0, Orders(), lambda _: None) as other:
        done = subprocess.run(
            [sys.executable, "-m", "webapp", "listen", "--port", str(other.server_port)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert "Choose another with --port" in done.stderr


def test_a_sender_that_goes_away_is_a_line() -> None:
    with listening_with(delay_s=0.05) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wait_until(lambda: "answer" in running.text or "ended early" in running.text)
        assert running.send().status == 200
