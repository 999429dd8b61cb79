from __future__ import annotations

from datetime import UTC, datetime

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
    values = {"name": "Grace", "locale": "de", "time_zone": "Europe/Berlin", "theme": "dark", "date_format": ""}
    assert client.post("/settings/profile", data=values).location == "/settings/profile"
    page = check_page(client.get("/settings/profile"))
    assert page.find("html").attrs["lang"] == "de"
    assert page.find("html").attrs["data-theme"] == "dark"
    assert (ada.name, ada.time_zone) == ("Grace", "Europe/Berlin")


def test_a_wrong_profile_comes_back_with_its_values(client, ada):
    page = check_page(
        client.post(
            "/settings/profile", data={"name": "", "locale": "de", "time_zone": "", "theme": "dark", "date_format": ""}
        ),
        422,
    )
    assert page.errors() == ["Enter your name."]
    assert ada.locale == ""
    assert client.post("/settings/profile", data={"name": "Ada", "locale": "xx", "theme": "pink"}).status_code == 422


@pytest.mark.proves("W10")
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


def test_another_address_is_for_signing_in_from_then_on(app, client, ada):
    url = "/settings/profile/address"
    page = check_page(client.post(url, data={"email": "new@example.com", "password": "wrong"}), 422)
    assert page.errors() == ["This is not your password."]
    assert page.find("input", name="email").attrs["value"] == "new@example.com"
    assert client.post(url, data={"email": "new@example.com", "password": PASSWORD}).location == "/settings/profile"
    assert "From now on you sign in with new@example.com." in check_page(client.get("/settings/profile")).text
    other = app.test_client()
    assert other.post("/login", data={"email": "new@example.com", "password": PASSWORD}).status_code == 303


@pytest.mark.proves("W10")
def test_signing_out_everywhere_ends_all_sessions(app, client, ada):
    other = app.test_client()
    other.post("/login", data={"email": ada.email, "password": PASSWORD})
    assert client.post("/settings/profile/sessions").location == "/login"
    for browser in (client, other):
        assert browser.get("/settings/profile").status_code == 303


VALUES = {"name": "Ada", "locale": "en", "time_zone": "Europe/Berlin", "theme": "auto", "date_format": ""}


def test_dates_are_written_as_somebody_chose(client, ada, make):
    make.delivery(make.webhook(by=ada), created_at=datetime(2026, 11, 5, 13, 4, 5, tzinfo=UTC))
    client.set_cookie("times", "absolute")
    written = {
        "": "Nov 5, 2026, 2:04:05 PM",
        "year_first": "2026-11-05, 2:04:05 PM",
        "day_first": "05.11.2026, 2:04:05 PM",
        "month_first": "11/05/2026, 2:04:05 PM",
    }
    for chosen, shown in written.items():
        assert client.post("/settings/profile", data={**VALUES, "date_format": chosen}).status_code == 303
        assert shown in check_page(client.get("/deliveries")).text.replace("\u202f", " ")
    assert client.post("/settings/profile", data={**VALUES, "date_format": "stardate"}).status_code == 422


def test_shortcuts_can_be_turned_off(client, ada):
    page = check_page(client.get("/settings/profile"))
    assert page.find("body").attrs["data-shortcuts"] == "on"
    assert "checked" in page.find("input", name="has_shortcuts").attrs
    client.post("/settings/profile", data=VALUES)
    page = check_page(client.get("/shortcuts"))
    assert page.find("body").attrs["data-shortcuts"] == "off"
    assert "They are turned off." in page.text
    client.post("/settings/profile", data={**VALUES, "has_shortcuts": "y"})
    assert check_page(client.get("/shortcuts")).find("body").attrs["data-shortcuts"] == "on"


def test_the_time_zone_of_the_browser_is_offered_and_taken(client, ada):
    client.post("/settings/profile", data={**VALUES, "time_zone": "America/Lima"})
    assert "Your browser says" not in check_page(client.get("/settings/profile")).text
    client.set_cookie("tz", "Europe%2FBerlin")
    assert "Your browser says Europe/Berlin." in check_page(client.get("/settings/profile")).text
    assert client.post("/settings/profile/time-zone").location == "/settings/profile"
    page = check_page(client.get("/settings/profile"))
    assert page.find("html").attrs["time-zone"] == "Europe/Berlin"
    assert "Your browser says" not in page.text


def test_a_browser_that_says_nonsense_changes_no_time_zone(client, ada):
    client.post("/settings/profile", data=VALUES)
    client.set_cookie("tz", "Nowhere/Land")
    assert "Your browser says" not in check_page(client.get("/settings/profile")).text
    client.post("/settings/profile/time-zone")
    assert check_page(client.get("/settings/profile")).find("html").attrs["time-zone"] == "Europe/Berlin"


def test_the_time_zones_are_those_of_places(client, ada):
    page = check_page(client.get("/settings/profile"))
    offered = {option.attrs["value"] for option in page.find("select", id="time_zone").find_all("option")}
    assert {"", "Europe/Berlin", "Asia/Kolkata", "UTC"} <= offered
    assert not offered & {"localtime", "Factory", "Etc/UTC"}
