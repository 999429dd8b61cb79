"""Pages travel compressed where that is safe, and say so to caches."""

from __future__ import annotations

import gzip
import zlib

import pytest
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Browser, Cast
from tests.factories import PASSWORD, Make
from tests.page_checker import Page, check_page
from tests.web.test_deliveries import HTMX
from webapp.web import compression
from webapp.web.compression import _gzip

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@given(st.binary(max_size=5000))
def test_what_is_compressed_comes_back(body: bytes) -> None:
    assert gzip.decompress(_gzip(body)) == body
    assert zlib.decompress(_gzip(body), 31) == body


def test_the_same_page_is_each_time_as_long_as_chance_wants() -> None:
    lengths = {len(_gzip(b"a page" * 1000)) for _ in range(200)}
    assert len(lengths) > 20
    assert max(lengths) - min(lengths) <= compression.MOST_RANDOM_BYTES


def test_a_page_is_compressed_for_who_understands_it(signed_in: Browser) -> None:
    answer = signed_in.get("/settings/webhooks/new", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert Page(gzip.decompress(answer.data).decode()).find("h1")
    assert {"Accept-Encoding", "HX-Request", "Cookie", "Accept-Language"} <= set(answer.vary)


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0, *", "identity;q=1, gzip;q=0.5"])
def test_who_does_not_want_gzip_gets_the_page_as_it_is(signed_in: Browser, accepted: str) -> None:
    answer = signed_in.get("/docs", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.vary
    check_page(answer)


def test_a_form_that_comes_back_is_compressed(signed_in: Browser) -> None:
    answer = signed_in.post("/settings/webhooks", data={"name": "Mine", "url": "nonsense"}, headers=GZIP)
    assert answer.status_code == 422
    assert answer.headers["Content-Encoding"] == "gzip"
    assert Page(gzip.decompress(answer.data).decode()).errors()


def test_head_says_what_get_would(signed_in: Browser) -> None:
    answer = signed_in.head("/docs", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.data == b""


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/nowhere", "/settings/webhooks/preferences"])
def test_short_answers_stay_as_they_are(signed_in: Browser, path: str) -> None:
    answer = signed_in.get(path, headers=GZIP | HTMX)
    assert len(answer.data) < compression.LEAST_BYTES
    assert "Content-Encoding" not in answer.headers


def test_a_large_answer_of_the_api_is_compressed(client: Browser) -> None:
    answer = client.get("/api/v1/openapi.json", headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"openapi" in gzip.decompress(answer.data)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Range": "bytes=0-9"}]
)
def test_what_another_site_asks_for_and_parts_are_not_compressed(signed_in: Browser, headers: dict[str, str]) -> None:
    answer = signed_in.get("/docs", headers=GZIP | headers)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_somebody_opens_themselves_is_compressed(signed_in: Browser, site: str) -> None:
    assert "Content-Encoding" in signed_in.get("/docs", headers=GZIP | {"Sec-Fetch-Site": site}).headers


@pytest.mark.parametrize("header", [("ETag", '"1"'), ("Content-Encoding", "br"), ("Content-Disposition", "attachment")])
def test_what_has_its_own_form_keeps_it(app: Flask, header: tuple[str, str]) -> None:
    response = Response("words " * 1000, mimetype="text/html", headers=[header])
    with app.test_request_context(headers=GZIP):
        assert app.process_response(response).get_data() == b"words " * 1000


def test_what_is_made_bit_by_bit_is_sent_bit_by_bit(app: Flask) -> None:
    with app.test_request_context(headers=GZIP):
        sent = app.process_response(Response(iter(["words " * 1000] * 2), mimetype="text/html"))
        assert sent.is_streamed
        assert "Content-Encoding" not in sent.headers


@pytest.mark.parametrize(
    ("method", "kind", "status"),
    [("POST", "text/html", 201), ("POST", "application/json", 200), ("PATCH", "application/json", 200)],
)
def test_where_new_secrets_stand_nothing_is_compressed(app: Flask, method: str, kind: str, status: int) -> None:
    with app.test_request_context(method=method, headers=GZIP):
        answer = app.process_response(Response("words " * 1000, status, mimetype=kind))
    assert answer.get_data() == b"words " * 1000


def shown(client: Browser, secret: str, method: str, path: str, **data: str) -> str:
    """An answer that shows a secret, asked for as a browser does; it comes as it is."""
    answer = client.open(path, method=method, data=data, headers=GZIP, follow_redirects=True)
    assert answer.status_code in {200, 201}
    assert "Content-Encoding" not in answer.headers
    assert secret in answer.text
    return str(answer.text)


def test_answers_that_show_a_secret_are_never_compressed(signed_in: Browser, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    project = make.project_of(cast.admin)
    home = f"/settings/webhooks/{webhook.id}"
    new = {"name": "Mine", "url": "https://example.com/hooks", "which_events": "all", "which_secret": "generated"}
    shown(signed_in, "whsec_", "POST", "/settings/webhooks", **new)
    shown(signed_in, "whsec_", "POST", f"{home}/rotations", which_secret="generated", overlap_hours="24")
    shown(signed_in, "whsec_", "POST", f"{home}/reveals", password=PASSWORD)
    shown(signed_in, "pat_", "POST", "/settings/api", name="CI", expires_in_days="90")
    page = shown(
        signed_in, "/invitations/", "POST", f"/projects/{project.id}/members", email="new@example.com", role="MEMBER"
    )
    invitation = page.partition("/invitations/")[2].partition('"')[0]
    shown(signed_in, invitation, "GET", f"/invitations/{invitation}")


def test_links_of_operators_are_never_compressed(client: Browser, make: Make) -> None:
    operator = make.user(is_operator=True)
    client.sign_in(operator)
    page = shown(client, "/password-resets/", "POST", "/admin/users", name="New", email="new@example.com")
    token = page.partition("/password-resets/")[2].partition('"')[0]
    shown(client, token, "GET", f"/password-resets/{token}")


def test_the_page_after_a_new_secret_is_compressed_again(signed_in: Browser, cast: Cast, make: Make) -> None:
    home = f"/settings/webhooks/{make.webhook(by=cast.admin).id}"
    signed_in.post(f"{home}/rotations", data={"which_secret": "generated", "overlap_hours": "24"})
    assert "Content-Encoding" not in signed_in.get(f"{home}/signature", headers=GZIP).headers
    assert "Content-Encoding" in signed_in.get(f"{home}/signature", headers=GZIP).headers
