from __future__ import annotations

import pytest

from tests.factories import PASSWORD
from tests.page_checker import check_page

NEW = "four other unrelated words"


@pytest.fixture
def ada(make, client):
    person = make.user(email="ada@example.com", name="Ada")
    client.post("/login", data={"email": person.email, "password": PASSWORD})
    return person


def test_the_profile_shows_and_keeps_what_one_says_about_oneself(client, ada):
    page = check_page(client.get("/settings/profile"))
    assert page.find("input", name="name").attrs["value"] == "Ada"
    assert "ada@example.com" in page.text
    values = {"name": "Grace", "locale": "de", "time_zone": "Europe/Berlin", "theme": "dark"}
    assert client.post("/settings/profile", data=values).location == "/settings/profile"
    page = check_page(client.get("/settings/profile"))
    assert page.find("html").attrs["lang"] == "de"
    assert page.find("html").attrs["data-theme"] == "dark"
    assert (ada.name, ada.time_zone) == ("Grace", "Europe/Berlin")


def test_a_wrong_profile_comes_back_with_its_values(client, ada):
    page = check_page(
        client.post("/settings/profile", data={"name": "", "locale": "de", "time_zone": "", "theme": "dark"}), 422
    )
    assert page.errors() == ["Enter your name."]
    assert ada.locale == ""
    assert client.post("/settings/profile", data={"name": "Ada", "locale": "xx", "theme": "pink"}).status_code == 422


def test_a_new_password_signs_out_everywhere_but_here(app, client, ada):
    other = app.test_client()
    other.post("/login", data={"email": ada.email, "password": PASSWORD, "remember": "y"})
    page = check_page(client.post("/settings/profile/password", data={"old": "wrong", "new": NEW}), 422)
    assert page.errors() == ["This is not your password."]
    page = check_page(client.post("/settings/profile/password", data={"old": PASSWORD, "new": "short"}), 422)
    assert page.errors() == ["Use at least 12 characters."]
    assert client.post("/settings/profile/password", data={"old": PASSWORD, "new": NEW}).status_code == 303
    assert check_page(client.get("/settings/profile"))
    assert other.get("/settings/profile").status_code == 303
    assert other.post("/login", data={"email": ada.email, "password": PASSWORD}).status_code == 422
    assert other.post("/login", data={"email": ada.email, "password": NEW}).status_code == 303


def test_who_stays_signed_in_does_so_after_a_new_password(client, ada):
    client.post("/logout")
    client.post("/login", data={"email": ada.email, "password": PASSWORD, "remember": "y"})
    client.post("/settings/profile/password", data={"old": PASSWORD, "new": NEW})
    client.delete_cookie("session")
    assert client.get("/settings/profile").status_code == 200


def test_signing_out_everywhere_ends_all_sessions(app, client, ada):
    other = app.test_client()
    other.post("/login", data={"email": ada.email, "password": PASSWORD})
    assert client.post("/settings/profile/sessions").location == "/login"
    for browser in (client, other):
        assert browser.get("/settings/profile").status_code == 303
