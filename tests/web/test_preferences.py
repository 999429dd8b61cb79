"""Theme and language from the menu."""

from __future__ import annotations

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page
from webapp.extensions import db


@pytest.fixture(autouse=True)
def _somebody(make: Make) -> None:
    """There is a person, so that the first-run page is behind us."""
    make.user()


def test_a_choice_is_kept_in_the_browser_and_leads_back(client: Browser) -> None:
    answer = client.post("/preferences", data={"theme": "dark", "next": "/docs?x=1"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/docs?x=1")
    cookie = client.get_cookie("theme")
    assert cookie is not None
    assert (cookie.value, cookie.http_only, cookie.same_site) == ("dark", True, "Lax")


def test_a_choice_of_a_signed_in_person_is_kept_with_the_account(client: Browser, cast: Cast) -> None:
    client.sign_in(cast.admin).post("/preferences", data={"locale": "de"})
    db.session.refresh(cast.admin)
    assert (cast.admin.locale, cast.admin.theme) == ("de", "")


def test_an_unknown_choice_changes_nothing(client: Browser) -> None:
    answer = client.post("/preferences", data={"theme": "pink", "locale": "tlh", "next": "//evil.example"})
    assert answer.headers["Location"] == "/"
    assert client.get_cookie("theme") is None
    assert client.get_cookie("lang") is None


def test_a_log_can_show_exact_times_and_goes_back(client: Browser, cast: Cast, make: Make) -> None:
    make.delivery(make.webhook(by=cast.admin))
    client.sign_in(cast.admin)
    page = check_page(client.get("/deliveries"))
    assert page.find_all("relative-time")
    assert page.find(id="times-switch").find("button").attrs["aria-pressed"] == "false"
    client.post("/preferences", data={"times": "absolute", "next": "/deliveries"})
    page = check_page(client.get("/deliveries"))
    assert not page.find_all("relative-time")
    assert page.find(id="times-switch").find("button").attrs["aria-pressed"] == "true"
    client.post("/preferences", data={"times": "relative"})
    assert check_page(client.get("/deliveries")).find_all("relative-time")
