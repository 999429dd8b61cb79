"""The address that inboxes receive at takes whatever comes, from anybody, and stays bounded."""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import SECRET
from webapp.delivery import signing
from webapp.extensions import db
from webapp.models import Inbox, InboxRequest, utc_now
from webapp.receiver import arrivals, inboxes
from webapp.receiver.answers import Answer
from webapp.receiver.checking import Choice, Source
from webapp.web import receiving

GIGABYTE = 1024**3
SERVE = """
import sys
from webapp import config, create_app
from webapp.server import Server
Server(lambda: create_app(config.load()), host="127.0.0.1", port=int(sys.argv[1])).run()
"""


@pytest.fixture
def inbox(cast: Cast) -> Inbox:
    return inboxes.create("", by=cast.admin)


def arrived(inbox: Inbox) -> list[InboxRequest]:
    return [arrivals.load(inbox, row.request.id) for row in arrivals.requests(inbox)]


def value(request: InboxRequest, name: str) -> str:
    return arrivals.header(request, name)


class Endless(io.RawIOBase):
    """A body that is as long as one reads, and counts that."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self.read_bytes += len(buffer)
        buffer[:] = b"x" * len(buffer)
        return len(buffer)


@pytest.mark.parametrize("method", [*receiving.METHODS, "PURGE", "PROPFIND", "FROBNICATE"])
def test_every_method_is_taken_from_anybody(make_app: Callable[..., Flask], inbox: Inbox, method: str) -> None:
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = True

    response = app.test_client().open(f"/inbox/{inbox.token}", method=method, data=b"a=1")

    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert [request.method for request in arrived(inbox)] == [method]


def test_path_query_headers_and_body_are_kept_as_they_came(client: Browser, inbox: Inbox) -> None:
    client.post(
        f"/inbox/{inbox.token}/deep%20er?b=%00&a=1",
        data=b"a=1&b=\xff",
        content_type="application/x-www-form-urlencoded",
        headers={"X-Ümlaut": "nobody", "X-Name": "Größe", "webhook-id": "dlv_a", "X-B": "<script>"},
    )

    (request,) = arrived(inbox)
    assert request.path == f"/inbox/{inbox.token}/deep%20er?b=%00&a=1"
    assert request.body == b"a=1&b=\xff"
    assert value(request, "X-Name") == "Größe"
    assert ["webhook-id", "dlv_a"] in request.headers
    assert value(request, "Content-Type") == "application/x-www-form-urlencoded"
    assert (request.delivery_id, request.address) == ("dlv_a", "127.0.0.1")


def test_a_signed_request_is_right(client: Browser, cast: Cast, inbox: Inbox) -> None:
    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=SECRET), by=cast.admin)
    body = '{"title":"Größe – 100 €"}'.encode()
    headers = signing.headers(
        delivery_id="dlv_a",
        event_word="TODO_CREATED",
        event_id="evt_a",
        attempt_number=1,
        body=body,
        timestamp=int(utc_now().timestamp()),
        keys=[signing.Keys.of(SECRET)],
    )

    client.post(f"/inbox/{inbox.token}", data=body, headers=list(headers))
    client.post(f"/inbox/{inbox.token}", data=body + b"\n", headers=list(headers))

    assert [request.verdict for request in arrived(inbox)] == ["wrong", "right"]


@pytest.mark.parametrize("path", ["missing", "missing/deeper", "..", "%00", "x" * 4000])
def test_an_unknown_address_answers_the_same_plain_404(client: Browser, path: str) -> None:
    response = client.post(f"/inbox/{path}", data=b"{}")

    assert response.status_code == 404
    assert response.text == receiving.NO_INBOX
    assert response.mimetype == "text/plain"


def test_an_inbox_answers_what_it_was_told_and_nothing_else(client: Browser, cast: Cast, inbox: Inbox) -> None:
    plain = client.post(f"/inbox/{inbox.token}")
    inboxes.answer_with(inbox.id, Answer(429, 0, 7, "<b>slow</b>"), by=cast.admin)

    response = client.post(f"/inbox/{inbox.token}")

    assert (plain.status_code, plain.text) == (200, "")
    assert "Retry-After" not in plain.headers
    assert (response.status_code, response.text) == (429, "<b>slow</b>")
    assert response.headers["Retry-After"] == "7"
    assert response.mimetype == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_an_inbox_that_hangs_up_closes_where_it_can(client: Browser, cast: Cast, inbox: Inbox) -> None:
    inboxes.answer_with(inbox.id, Answer(hangs_up=True), by=cast.admin)
    ours, theirs = socket.socketpair()

    with ours, theirs:
        client.post(f"/inbox/{inbox.token}", environ_overrides={"gunicorn.socket": ours})
        closed = theirs.recv(1)
    plain = client.post(f"/inbox/{inbox.token}")

    assert closed == b""
    assert (plain.status_code, plain.text, plain.headers["Connection"]) == (500, "", "close")
    assert [request.answered_status for request in arrived(inbox)] == [None, None]


def test_hanging_up_sends_not_a_byte_and_ends_no_server(
    cast: Cast, inbox: Inbox, database: str, tmp_path: Path
) -> None:
    inboxes.answer_with(inbox.id, Answer(hangs_up=True), by=cast.admin)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port)], env={**os.environ, "WEBAPP_DATABASE_URL": database}, stderr=log
        )
    try:
        answers = [_sent_to(port, f"/inbox/{inbox.token}") for _ in range(3)]
        other = _sent_to(port, "/inbox/nobody")
    finally:
        server.terminate()
        server.wait(timeout=30)

    db.session.rollback()  # what the server wrote is read anew
    assert answers == [b""] * 3
    assert other.startswith(b"HTTP/1.1 404")
    assert len(arrived(inbox)) == 3
    assert "Traceback" not in (tmp_path / "log").read_text()


def _sent_to(port: int, path: str) -> bytes:
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
                )
                return connection.recv(4096)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_limited_inbox_still_answers_only_what_it_was_told(make_app: Callable[..., Flask], inbox: Inbox) -> None:
    response = make_app().test_client().post(f"/inbox/{inbox.token}")

    assert response.status_code == 200
    assert not {"Retry-After", "X-RateLimit-Limit"} & {*response.headers.keys()}


def test_each_inbox_has_a_rate_of_its_own(
    minute_begins: None, make_app: Callable[..., Flask], cast: Cast, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = inboxes.create("", by=cast.admin)
    client = make_app().test_client()
    monkeypatch.setattr(receiving, "_limit", receiving.limiter.limit("2 per minute", key_func=receiving._token))
    statuses = [client.post(f"/inbox/{inbox.token}").status_code for _ in range(2)]
    refused = client.post(f"/inbox/{inbox.token}")
    odd = client.open(f"/inbox/{inbox.token}", method="PURGE")
    neighbour = client.post(f"/inbox/{other.token}")

    assert statuses == [200, 200]
    assert (refused.status_code, refused.text, refused.headers["Retry-After"]) == (429, receiving.TOO_FAST, "60")
    assert odd.status_code == 429
    assert neighbour.status_code == 200
    assert len(arrived(inbox)) == 2


@pytest.mark.parametrize("length", [GIGABYTE, None])
def test_of_a_huge_body_no_more_is_read_than_is_kept(client: Browser, inbox: Inbox, length: int | None) -> None:
    body = Endless()

    response = client.post(
        f"/inbox/{inbox.token}",
        content_length=length,
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
    )

    assert response.status_code == 200
    assert body.read_bytes <= arrivals.MAX_BODY_BYTES + receiving.CHUNK_BYTES
    (request,) = arrived(inbox)
    assert request.is_cut
    assert len(request.body) == arrivals.MAX_BODY_BYTES


def test_the_browser_of_a_signed_in_person_gets_no_cookie(client: Browser, cast: Cast, inbox: Inbox) -> None:
    client.sign_in(cast.admin)
    with client.session_transaction() as session:
        session.permanent = True

    response = client.get(f"/inbox/{inbox.token}")

    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_a_form_of_another_site_is_taken_too(client: Browser, inbox: Inbox) -> None:
    response = client.post(f"/inbox/{inbox.token}", headers={"Origin": "https://evil.example"})

    assert response.status_code == 200
