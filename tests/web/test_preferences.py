"""Theme and language from the menu."""

from __future__ import annotations

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
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
