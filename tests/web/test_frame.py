"""The frame round every page: navigation, language, theme, time zone, errors, and the blocks that pages fill."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask, abort, flash, render_template_string
from sqlalchemy.exc import OperationalError

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.models.errors import Conflict, Forbidden, NotFound, TooMany
from webapp.web import frame

SAMPLE = """
{% extends layout %}
{% from "macros/parts.html" import crumbs %}
{% block title %}Sample{% endblock %}
{% block breadcrumb %}{{ crumbs([("Home", "/"), ("Sample", none)]) }}{% endblock %}
{% block heading %}Sample{% endblock %}
{% block content %}<p>words</p>{% endblock %}
"""


@pytest.fixture(autouse=True)
def _somebody(make: Make) -> None:
    """There is a person, so that the first-run page is behind us."""
    make.user()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application with a few pages to stand in the frame, and without letting errors through to the test."""
    app = make_app()
    pages = Blueprint("samples", __name__)
    pages.add_url_rule("/", "home", lambda: "")
    pages.add_url_rule("/sample", "sample", lambda: render_template_string(SAMPLE, layout="base.html"))
    pages.add_url_rule("/sample/settings", "settings", lambda: render_template_string(SAMPLE, layout="settings.html"))
    pages.add_url_rule("/sample/flash", "flash", _flashing)
    pages.add_url_rule("/sample/<what>", "breaks", _breaking)
    app.register_blueprint(pages)
    app.testing = False
    return app


def _flashing() -> str:
    flash("<b>Saved</b>", "success")
    return render_template_string(SAMPLE, layout="base.html")


def _breaking(what: str) -> str:
    errors: dict[str, Exception] = {
        "broken": RuntimeError("secret detail"),
        "locked": OperationalError("SELECT secret", {}, Exception("database is locked")),
        "mine": NotFound("A secret sentence."),
        "role": Forbidden("Only administrators change this."),
        "state": Conflict("The webhook is disabled."),
        "often": TooMany("Too many pings. Try again in %(seconds)s s.", retry_after_s=60),
    }
    if what in errors:
        raise errors[what]
    abort(int(what))


def test_a_page_has_all_that_every_page_must_have(client: Browser) -> None:
    page = check_page(client.get("/sample"))
    assert page.h1 == "Sample"
    assert page.title == "Sample - Blue Webhooks"


def test_a_settings_page_has_the_column(client: Browser, cast: Cast) -> None:
    page = check_page(client.sign_in(cast.admin).get("/sample/settings"))
    columns = page.find_all("nav", class_="column")
    assert len(columns) == 2  # one beside the page, one as a menu on narrow screens
    assert all("Back" in column.text for column in columns)


def test_a_german_browser_gets_german_texts(client: Browser) -> None:
    page = check_page(client.get("/nowhere", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}), 404)
    assert page.find("html").attrs["lang"] == "de"
    assert page.h1 == "Hier ist nichts"
    assert "Zum Inhalt springen" in page.links


def test_an_unknown_language_gets_english(client: Browser) -> None:
    page = check_page(client.get("/nowhere", headers={"Accept-Language": "tlh"}), 404)
    assert page.h1 == "Nothing here"


def test_the_account_decides_over_the_cookie_and_the_cookie_over_the_browser(client: Browser, make: Make) -> None:
    english = {"Accept-Language": "en"}
    client.set_cookie("lang", "de")
    assert check_page(client.get("/sample", headers=english)).find("html").attrs["lang"] == "de"
    client.sign_in(make.user(locale="en"))
    assert check_page(client.get("/sample", headers=english)).find("html").attrs["lang"] == "en"


def test_nobody_sees_entries_that_need_a_sign_in(client: Browser, cast: Cast) -> None:
    names = {str(entry.label) for entry in frame.BAR if not entry.is_public}
    assert not names & set(check_page(client.get("/sample")).links)


def test_the_navigation_shows_only_pages_that_exist(app: Flask, client: Browser, cast: Cast) -> None:
    links = check_page(client.sign_in(cast.admin).get("/sample")).links
    for entry in frame.BAR:
        assert (str(entry.label) in links) == (entry.endpoint in app.view_functions)


def test_only_operators_see_the_system_page(app: Flask, client: Browser, make: Make) -> None:
    if "system.show" not in app.view_functions:
        app.add_url_rule("/admin/system", "system.show", lambda: "")
    assert "System" not in check_page(client.sign_in(make.user()).get("/sample")).links
    assert "System" in check_page(client.sign_in(make.user(is_operator=True)).get("/sample")).links


def test_the_theme_stands_in_the_page_before_the_first_paint(client: Browser, make: Make) -> None:
    assert check_page(client.get("/sample")).find("html").attrs["data-theme"] == "auto"
    client.set_cookie("theme", "dark")
    assert check_page(client.get("/sample")).find("html").attrs["data-bs-theme"] == "dark"
    client.sign_in(make.user(theme="light"))
    assert check_page(client.get("/sample")).find("html").attrs["data-bs-theme"] == "light"


@pytest.mark.parametrize(
    ("cookie", "shown"), [("Europe%2FBerlin", "Europe/Berlin"), ("Nowhere/Land", "UTC"), ("../etc", "UTC")]
)
def test_the_time_zone_comes_from_the_browser_when_it_is_one(client: Browser, cookie: str, shown: str) -> None:
    client.set_cookie("tz", cookie)
    assert check_page(client.get("/sample")).find("html").attrs["time-zone"] == shown


def test_a_message_is_shown_once_and_as_text(client: Browser) -> None:
    page = check_page(client.get("/sample/flash"))
    assert page.find(class_="alert-success").text == "<b>Saved</b>"
    assert not check_page(client.get("/sample")).find_all(class_="alert")


def test_banners_of_all_sources_stand_on_every_page_of_a_person(app: Flask, client: Browser, cast: Cast) -> None:
    frame.add_banner_source(app, lambda: [frame.Banner("warning", "Deliveries are waiting.", "/sample", "Look")])
    assert "Deliveries are waiting." not in check_page(client.get("/sample")).text
    page = check_page(client.sign_in(cast.admin).get("/sample"))
    assert page.find(id="banners").text == "Deliveries are waiting. Look"


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 422, 429, 500, 503])
def test_every_error_has_a_page_with_a_way_back(client: Browser, cast: Cast, status: int) -> None:
    page = check_page(client.sign_in(cast.admin).get(f"/sample/{status}"), status)
    assert "To the start page" in page.links


def test_a_crash_names_the_request_and_no_detail(client: Browser) -> None:
    response = client.get("/sample/broken")
    page = check_page(response, 500)
    assert page.find("code").text == response.headers["X-Request-Id"]
    assert "secret" not in response.text


def test_a_locked_database_is_said_to_pass(client: Browser) -> None:
    response = client.get("/sample/locked")
    check_page(response, 503)
    assert response.headers["Retry-After"] == "5"
    assert "secret" not in response.text


def test_named_errors_become_pages_in_words(client: Browser) -> None:
    assert "Only administrators change this." in check_page(client.get("/sample/role"), 403).text
    assert "The webhook is disabled." in check_page(client.get("/sample/state"), 409).text
    often = client.get("/sample/often")
    assert "Too many pings. Try again in 60 s." in check_page(often, 429).text
    assert often.headers["Retry-After"] == "60"


def test_what_belongs_to_others_looks_as_if_it_were_not_there(client: Browser) -> None:
    foreign, missing = client.get("/sample/mine"), client.get("/sample/404")
    assert check_page(foreign, 404).text == check_page(missing, 404).text


def test_a_part_of_a_page_gets_a_part_as_its_error(client: Browser) -> None:
    part = check_part(client.get("/sample/404", headers={"HX-Request": "true"}), 404)
    assert not part.find_all("h1")


def test_a_signed_out_request_of_htmx_is_led_to_the_sign_in_page(client: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/settings/webhooks?status=new"}
    response = client.get("/sample/401", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"].startswith("/login?next=/settings/webhooks")


def test_a_signed_out_page_leads_to_the_sign_in_page_and_back(client: Browser) -> None:
    response = client.get("/sample/401")
    assert response.status_code == 303
    assert response.headers["Location"] == "/login?next=/sample/401"


def test_the_api_gets_a_problem_document(client: Browser) -> None:
    response = client.get("/api/v1/nowhere")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.get_json()["status"] == 404
