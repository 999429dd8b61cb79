"""Security headers on every answer, and what is refused before a view sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, request

from tests.conftest import Browser
from tests.factories import Make
from webapp.web import headers

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": headers.CONTENT_SECURITY_POLICY,
}
PAGES = ["/nowhere", "/docs", "/login", "/api/v1/nowhere", "/settings/webhooks", "/healthz"]


@pytest.fixture(autouse=True)
def _somebody(make: Make) -> None:
    """There is a person, so that the first-run page is behind us."""
    make.user()


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(client: Browser, path: str) -> None:
    answer = client.get(path)
    for name, value in EVERYWHERE.items():
        assert answer.headers[name] == value
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert {"Cookie", "HX-Request"} <= set(answer.vary)
    assert answer.headers["X-Request-Id"]
    assert "Strict-Transport-Security" not in answer.headers


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = headers.CONTENT_SECURITY_POLICY
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "*" not in policy


def test_an_encrypted_installation_asks_to_stay_encrypted(make_app: Callable[..., Flask]) -> None:
    client = make_app(base_url="https://hooks.example.com").test_client()
    answer = client.get("/nowhere", base_url="https://hooks.example.com")
    assert answer.headers["Strict-Transport-Security"] == headers.HSTS


@pytest.mark.proves("W44")
def test_static_files_carry_the_headers_and_no_cookie(client: Browser) -> None:
    answer = client.get("/static/css/app.css", buffered=True)
    assert answer.status_code == 200
    for name, value in EVERYWHERE.items():
        assert answer.headers[name] == value
    assert "Set-Cookie" not in answer.headers
    assert "Set-Cookie" not in client.get("/static/nowhere.css", buffered=True).headers


def test_an_address_that_names_its_content_is_kept_for_good(app: Flask, client: Browser) -> None:
    with app.test_request_context():
        address = app.url_for("static", filename="css/app.css")
    assert "?v=" in address
    assert client.get(address, buffered=True).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/css/app.css", buffered=True).headers["Cache-Control"] == "no-cache"
    assert client.get("/static/css/app.css?v=other", buffered=True).headers["Cache-Control"] == "no-cache"


def test_vendored_files_are_kept_for_good_and_travel_compressed(client: Browser) -> None:
    path = "/static/vendor/bootstrap@5.3.9/bootstrap.min.css"
    answer = client.get(path, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert len(answer.data) < 40_000


@pytest.mark.proves("W37")
@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "web.localhost", "10.0.0.1:5000"]
)
def test_names_of_this_machine_and_plain_addresses_are_answered(client: Browser, host: str) -> None:
    assert client.get("/nowhere", headers={"Host": host}).status_code == 404


@pytest.mark.proves("W37")
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1.evil.example", "127.0.0.1.evil.example", "a b"]
)
def test_other_hosts_are_refused(client: Browser, host: str) -> None:
    assert client.get("/nowhere", headers={"Host": host}).status_code == 400


@pytest.mark.proves("W37")
def test_with_a_base_url_only_its_host_is_answered(make_app: Callable[..., Flask]) -> None:
    client = make_app(base_url="https://hooks.example.com").test_client()
    assert client.get("/nowhere", headers={"Host": "hooks.example.com"}).status_code == 404
    assert client.get("/nowhere", headers={"Host": "localhost"}).status_code == 400


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Referer": "https://evil.example/localhost"},
    {"Origin": "http://localhost.evil.example"},
]


@pytest.mark.parametrize("source", FOREIGN)
def test_a_form_of_another_site_is_refused(client: Browser, source: dict[str, str]) -> None:
    assert client.post("/preferences", data={"theme": "dark"}, headers=source).status_code == 400


@pytest.mark.parametrize("source", [{}, {"Origin": "http://localhost"}, {"Referer": "http://localhost/projects"}])
def test_a_form_of_ours_and_a_program_are_let_in(client: Browser, source: dict[str, str]) -> None:
    assert client.post("/preferences", data={"theme": "dark"}, headers=source).status_code == 303


def test_a_form_without_a_token_is_refused(app: Flask, client: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/preferences", data={"theme": "dark"})
    assert answer.status_code == 400
    assert "Your session ended" in answer.text
    assert answer.headers["X-Request-Id"]


def test_each_request_has_a_number_of_its_own(client: Browser) -> None:
    numbers = {client.get("/nowhere").headers["X-Request-Id"] for _ in range(3)}
    assert len(numbers) == 3


FORGED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=203.0.113.7;host=evil.example;proto=https",
    "X-Real-IP": "203.0.113.7",
}


def seen_by(app: Flask, forged: dict[str, str]) -> tuple[str | None, str, bool]:
    """Whom the application takes for the caller, for which host, and whether by https."""
    app.add_url_rule("/seen", "seen", lambda: f"{request.remote_addr} {request.host} {request.is_secure}")
    address, host, is_secure = app.test_client().get("/seen", headers=forged).text.split()
    return address, host, is_secure == "True"


@pytest.mark.proves("W37")
def test_without_trusted_proxies_nobody_speaks_for_others(app: Flask) -> None:
    assert seen_by(app, FORGED) == ("127.0.0.1", "localhost", False)


@pytest.mark.proves("W37")
def test_a_trusted_proxy_names_the_last_address_alone_and_no_host(make_app: Callable[..., Flask]) -> None:
    app = make_app(trusted_proxies=1)
    forged = FORGED | {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    assert seen_by(app, forged) == ("203.0.113.7", "localhost", True)


@pytest.mark.proves("W37")
def test_a_forged_address_does_not_lead_round_the_limit_of_guesses(client: Browser) -> None:
    statuses = set()
    for number in range(12):
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        answer = client.post("/login", data={"email": "who@example.com", "password": "wrong"}, headers=forged)
        statuses.add(answer.status_code)
    assert statuses == {422, 429}
