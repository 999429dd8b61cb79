"""Slow, endless and broken clients at the real web server: everybody else is served as before."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos.installation import Installation, wait_until
from webapp.web.headers import PAGE_HEADERS

CLIENTS = 500
SOONER = """
from webapp import arriving, patience
patience.HEAD_WITHIN_S, patience.BODY_WITHIN_S, patience.ANSWER_WITHIN_S = 1.0, 2.0, 2.0
from webapp.cli import main
main()
"""
GIGABYTE = 1024**3
BAD = {
    b"GET / HTTP/9.9\r\n\r\n": 400,
    b"\x16\x03\x01\x02\x00\x01\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n": 414,
    b"GET / HTTP/1.1\r\nX: " + b"x" * 17_000 + b"\r\n\r\n": 431,
    b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n": 400,
    b"GET /" + b"evil<script>\x1b[2J" + b" HTTP/x\r\n\r\n": 400,
}


@dataclass
class Web:
    """A web server, and the process that its workers are children of."""

    here: Installation
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One person, so that the first-run page is behind us."""
    installation = Installation(tmp_path_factory.mktemp("installation"))
    installation.run("db", "upgrade")
    installation.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple")
    yield installation
    installation.close()


@pytest.fixture(scope="module")
def web(installed: Installation) -> Web:
    """A web server with its usual limits."""
    process = installed.start("web", "--port", str(installed.port))
    installed.wait_for_web()
    return Web(installed, process)


@pytest.fixture
def here(web: Web) -> Installation:
    """Where the web server runs."""
    return web.here


@pytest.fixture(scope="module")
def hasty(installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Another server of the same installation, in which seconds count tenfold."""
    here = Installation(tmp_path_factory.mktemp("hasty"), instance=str(installed.folder / "instance"))
    with here.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SOONER, "web", "--port", str(here.port)],
            cwd=here.folder, env=here.environment, stdout=log, stderr=log,
        )  # fmt: skip
    here.wait_for_web()
    yield here
    process.terminate()
    process.wait(30)


@contextlib.contextmanager
def connect(here: Installation, data: bytes = b"") -> Iterator[socket.socket]:
    """A client that has sent this."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=15) as client:
        client.sendall(data)
        yield client


def answer_of(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            received += piece
    return received


def status_of(client: socket.socket) -> int:
    found = re.match(rb"HTTP/1.1 (\d{3})", answer_of(client))
    return int(found[1]) if found else 0


def longest_wait(here: Installation, requests: int = 12) -> float:
    """How long somebody else waits for a page at most."""
    longest = 0.0
    for _ in range(requests):
        begun = time.monotonic()
        assert here.status("/login") == 200
        longest = max(longest, time.monotonic() - begun)
    return longest


def memory_kib(pid: int) -> int:
    """What a process and its children have in memory, what they share counted once for each."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [[int(field) for field in line.split()] for line in listed.splitlines()]
    return sum(rss for own, parent, rss in rows if pid in {own, parent})


FORM = b"POST %s HTTP/1.1\r\nHost: localhost\r\n"
SLOW = {
    "that say nothing": b"",
    "that send half a head": b"GET /login HTTP/1.1\r\nHost: loc",
    "that send blank lines": b"\r\n\r\n\r\n",
    "that send half a form": FORM % b"/login" + b"Content-Length: 60000\r\n\r\nemail=a",
    "that send half a large form": FORM % b"/settings/webhooks" + b"Content-Length: 900000\r\n\r\n",
    "that send half a chunk": FORM % b"/login" + b"Transfer-Encoding: chunked\r\n\r\nff\r\n",
    "that never read": b"GET /static/css/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.proves("W36", "A66")
def test_five_hundred_slow_clients_hold_up_nobody(web: Web) -> None:
    here, process = web.here, web.process
    longest_wait(here, 32)
    before = memory_kib(process.pid)
    waits = {}
    for words, data in SLOW.items():
        with contextlib.ExitStack() as clients:
            for _ in range(CLIENTS):
                clients.enter_context(connect(here, data))
            wait_until(lambda: here.status("/login") == 200, 15, "what they asked for is served")
            waits[words] = longest_wait(here)
    assert {words: wait for words, wait in waits.items() if wait > 1} == {}
    assert memory_kib(process.pid) - before < 20 * 1024
    assert "Traceback" not in here.printed()


@pytest.mark.proves("W35", "A66")
@pytest.mark.parametrize("path", ["/login", "/api/v1/events", "/nowhere", "/settings/webhooks"])
def test_a_gigabyte_is_refused_unread(web: Web, path: str) -> None:
    here, process = web.here, web.process
    longest_wait(here, 32)
    before = memory_kib(process.pid)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {GIGABYTE}\r\n\r\n"
    begun, sent = time.monotonic(), 0
    with contextlib.suppress(ConnectionError), connect(here, head.encode()) as client:
        while sent < GIGABYTE:
            client.sendall(b"x" * 65536)
            sent += 65536
    assert time.monotonic() - begun < 2
    assert sent < GIGABYTE
    assert memory_kib(process.pid) - before < 20 * 1024
    assert longest_wait(here) < 1


@pytest.mark.proves("W36")
def test_who_takes_too_long_is_told_and_put_out(hasty: Installation) -> None:
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        slow = {words: data for words, data in SLOW.items() if words != "that never read"}
        clients = {words: stack.enter_context(connect(hasty, data)) for words, data in slow.items()}
        statuses = {words: status_of(client) for words, client in clients.items()}
    assert time.monotonic() - begun < 6
    assert statuses == dict.fromkeys(statuses, 408) | {"that say nothing": 0, "that send blank lines": 0}


@pytest.mark.proves("W36")
def test_who_sends_a_byte_now_and_then_is_put_out_too(hasty: Installation) -> None:
    begun = time.monotonic()
    with connect(hasty, FORM % b"/login" + b"Content-Length: 1000\r\n\r\n") as client:
        client.settimeout(0.1)
        answered = b""
        while not answered and time.monotonic() < begun + 10:
            client.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                answered = client.recv(100)
    assert b" 408 " in answered
    assert time.monotonic() - begun < 6


@pytest.mark.proves("W36")
def test_who_does_not_read_is_put_out(hasty: Installation) -> None:
    large = Path(__file__).parents[2] / "static" / "vendor" / "bootstrap@5.3.9" / "bootstrap.min.css"
    asked = b"GET /static/vendor/bootstrap@5.3.9/bootstrap.min.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", hasty.port))
        client.sendall(asked * 8)
        wait_until(lambda: has_ended(client), 10, "the server gives up")
        assert len(answer_of(client)) < 8 * large.stat().st_size
    assert "Traceback" not in hasty.printed()


def has_ended(client: socket.socket) -> bool:
    """Whether the server takes nothing more on this connection."""
    try:
        client.sendall(b"\r\n")
    except OSError:
        return True
    return False


@pytest.mark.proves("W07")
def test_what_is_no_http_is_answered_with_the_headers_and_without_what_came(here: Installation) -> None:
    for data, status in BAD.items():
        with connect(here, data) as client:
            head, _, body = answer_of(client).decode().partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} "), data
        assert [name for name, value in PAGE_HEADERS.items() if f"\r\n{name}: {value}" not in head] == []
        assert "Cache-Control: no-store" in head
        assert "evil" not in body
    assert "evil" not in here.printed()
    assert "\x1b" not in here.printed()


def test_requests_in_pieces_and_one_after_the_other_are_served(here: Installation) -> None:
    request = b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connect(here) as client:
        for byte in request:
            client.sendall(bytes([byte]))
        client.sendall(request * 2 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert len(re.findall(rb"HTTP/1.1 200 OK", answer_of(client))) == 4
    form = b"email=ada%40example.com&password=wrong"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (form[:10], form[10:])) + b"0\r\n\r\n"
    for how, body in ((b"Content-Length: %d" % len(form), form), (b"Transfer-Encoding: chunked", chunks)):
        head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n" + how
        with connect(here, head + b"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n") as client:
            assert client.recv(25).startswith(b"HTTP/1.1 100 Continue\r\n")
            client.sendall(body)
            assert b"Your session ended" in answer_of(client)  # no CSRF token: it was read


def test_a_connection_is_kept_and_a_stop_answers_what_was_begun(installed: Installation, tmp_path: Path) -> None:
    here = Installation(tmp_path, instance=str(installed.folder / "instance"))
    process = here.start("web", "--port", str(here.port))
    here.wait_for_web()
    kept = http.client.HTTPConnection("127.0.0.1", here.port, timeout=10)
    ports = set()
    for _ in range(3):
        kept.request("GET", "/login")
        assert kept.getresponse().read()
        ports.add(kept.sock.getsockname()[1])
    assert len(ports) == 1
    kept.close()
    with connect(here, b"GET /login HTTP/1.1\r\nHost: localhost\r\n") as begun:
        wait_until(lambda: here.status("/healthz") == 200, 5, "it was accepted")
        process.terminate()
        begun.sendall(b"\r\n")
        assert status_of(begun) == 200
    assert process.wait(15) == 0
