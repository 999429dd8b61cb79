from __future__ import annotations

import re

import pytest

from tests.factories import PASSWORD, Make
from tests.page_checker import check_page


@pytest.fixture
def ada(make):
    return make.user(email="ada@example.com", name="Ada")


def sign_in(client, password=PASSWORD, email="ada@example.com", **values):
    return client.post("/login", data={"email": email, "password": password, **values})


def cookie_line(answer, name):
    return next((line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"{name}=")), "")


def test_the_right_password_opens_the_projects(client, ada):
    check_page(client.get("/login"))
    answer = sign_in(client)
    assert (answer.status_code, answer.location) == (303, "/projects")
    page = check_page(client.get("/projects"))
    assert "Ada" in page.text
    assert client.get("/login").location == "/projects"


@pytest.mark.parametrize(
    ("email", "password"), [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("", "")]
)
def test_what_is_not_right_gets_one_sentence_and_keeps_the_address(client, ada, email, password):
    page = check_page(sign_in(client, password, email), 422)
    assert "E-mail or password is not right." in page.text
    assert page.find("input", name="email").attrs.get("value", "") == email
    assert not page.find("input", name="password").attrs.get("value")
    assert client.get("/projects").status_code == 303


def test_too_many_tries_are_told_when_to_come_back(client, ada):
    for _ in range(10):
        sign_in(client, "wrong")
    answer = sign_in(client)
    assert 890 < int(answer.headers["Retry-After"]) <= 900
    assert "Try again in 15 minutes." in check_page(answer, 429).text


def test_the_owners_browser_still_opens_while_a_stranger_guesses(app, client, ada):
    sign_in(client)
    client.post("/logout")
    stranger = app.test_client()
    for _ in range(11):
        sign_in(stranger, "wrong")
    assert sign_in(stranger).status_code == 429
    assert sign_in(client).status_code == 303


@pytest.mark.parametrize("cookie", ["", "nonsense", "WyJhIiwiYiJd.x", "bnVsbA.x"])
def test_a_device_cookie_that_is_not_ours_changes_nothing(client, ada, cookie):
    client.set_cookie("device", cookie, path="/login")
    assert sign_in(client).status_code == 303


def test_signed_out_people_come_back_to_where_they_wanted_to_go(client, ada):
    wanted = client.get("/projects/new?x=1").location
    assert wanted == "/login?next=/projects/new%3Fx%3D1"
    page = check_page(client.get(wanted))
    target = page.find("form", action="/login").find("input", name="next").attrs["value"]
    assert sign_in(client, next=target).location == "/projects/new?x=1"


@pytest.mark.proves("W38")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "evil",
        "",
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_host(client, ada, target):
    assert sign_in(client, next=target).location == "/projects"


@pytest.mark.proves("W10")
def test_the_session_is_a_new_one_after_signing_in(client, ada):
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    before = client.get_cookie("session").value
    sign_in(client)
    assert client.get_cookie("session").value != before
    with client.session_transaction() as session:
        assert "planted" not in session


@pytest.mark.proves("W10")
def test_cookies_are_kept_from_scripts_and_from_other_sites(client, ada):
    line = cookie_line(sign_in(client), "session")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Secure" not in line


@pytest.mark.proves("W10")
def test_with_https_cookies_are_secure_and_bound_to_the_host(make_app):
    app = make_app(base_url="https://hooks.example.com")
    Make().user(email="ada@example.com")
    client = app.test_client()
    answer = client.post(
        "/login",
        data={"email": "ada@example.com", "password": PASSWORD, "remember": "y"},
        base_url="https://hooks.example.com",
    )
    for name in ("__Host-session", "__Host-remember"):
        line = cookie_line(answer, name)
        assert "Secure" in line
        assert "HttpOnly" in line
        assert "Path=/;" in line + ";"
        assert "Domain" not in line


@pytest.mark.proves("W10")
def test_signing_out_makes_copies_of_the_cookies_worthless(app, client, ada):
    sign_in(client, remember="y")
    copies = {name: client.get_cookie(name).value for name in ("session", "remember")}
    assert client.post("/logout").location == "/login"
    assert client.get("/projects").status_code == 303
    thief = app.test_client()
    for name, value in copies.items():
        thief.set_cookie(name, value)
        assert thief.get("/projects").status_code == 303


def test_another_browser_stays_signed_in_when_one_signs_out(app, client, ada):
    other = app.test_client()
    sign_in(client)
    sign_in(other)
    client.post("/logout")
    assert other.get("/projects").status_code == 200


@pytest.mark.proves("W10")
def test_who_stays_signed_in_needs_no_password_after_the_session_is_gone(client, ada):
    line = cookie_line(sign_in(client, remember="y"), "remember")
    assert re.search(r"Expires=|Max-Age=1209600", line)
    client.delete_cookie("session")
    assert client.get("/projects").status_code == 200
    client.post("/logout")
    client.delete_cookie("session")
    assert client.get("/projects").status_code == 303


def test_signing_out_twice_does_no_harm(client, ada):
    assert client.post("/logout").status_code == 303
    assert client.get("/logout").status_code == 405


def test_an_htmx_request_of_a_signed_out_person_leads_the_whole_page_to_the_sign_in(client, ada):
    answer = client.get("/projects", headers={"HX-Request": "true", "HX-Current-URL": "http://localhost/projects/new"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/projects/new")
