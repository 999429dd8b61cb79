"""The list of keys: as a page, and as the part that `?` opens."""

from __future__ import annotations

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.web import frame


def test_the_page_lists_all_keys_and_stands_in_the_menu(client: Browser, cast: Cast) -> None:
    page = check_page(client.sign_in(cast.admin).get("/shortcuts"))
    assert page.links["Keyboard shortcuts"] == "/shortcuts"
    assert {key.text for key in page.find_all("kbd")} >= {"?", "n", "/", "r", "j", "k", "g", "p", "w", "d"}
    assert "System" not in [term.text for term in page.find_all("dd")]


def test_an_operator_has_the_keys_of_their_pages_too(client: Browser, make: Make) -> None:
    page = check_page(client.sign_in(make.user(is_operator=True)).get("/shortcuts"))
    assert "System" in [term.text for term in page.find_all("dd")]


def test_each_key_leads_to_one_page_and_its_link_carries_it(client: Browser, make: Make) -> None:
    keys = [entry.key for entry in (*frame.BAR, *frame.MENU) if entry.key]
    assert len(keys) == len(set(keys))
    page = check_page(client.sign_in(make.user(is_operator=True)).get("/shortcuts"))
    listed = {key.text for key in page.find_all("kbd")}
    linked = {link.attrs["data-key"] for link in page.find_all("a") if "data-key" in link.attrs}
    assert linked
    assert linked <= listed


def test_the_dialog_gets_the_list_alone(client: Browser, cast: Cast) -> None:
    part = check_part(client.sign_in(cast.admin).get("/shortcuts", headers={"HX-Request": "true"}))
    assert part.find(id="shortcuts-title").text == "Keyboard shortcuts"


def test_nobody_signed_out_gets_the_page(client: Browser, cast: Cast) -> None:
    assert client.get("/shortcuts").location == "/login?next=/shortcuts"
