"""The board as people use it: dragging, the keyboard alone, two windows, the filter, and without JavaScript."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.chaos.installation import Installation
from tests.journeys.person import Person
from tests.journeys.test_pages import AXE_OPTIONS, window_of

pytestmark = pytest.mark.journey

ADA = "ada@example.com"
numbers = itertools.count(1)


@dataclass
class Board:
    """Somebody before a board of the lists To do, Doing and Done."""

    person: Person
    path: str
    project: str
    cards: dict[str, list[str]] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    def list(self, title: str) -> Locator:
        return self.page.locator(".board-list").filter(has=self.page.get_by_role("heading", name=title, exact=True))

    def titles(self, list_: str) -> Locator:
        return self.list(list_).locator(".board-card-title")

    def card(self, title: str) -> Locator:
        return self.page.locator(".board-card").filter(has_text=title)

    def drag(self, title: str, to: Locator, *, above: bool = True) -> None:
        """Take a card with the mouse, and hold it over another thing."""
        begin, end = self.card(title).bounding_box(), to.bounding_box()
        assert begin
        assert end
        mouse = self.page.mouse
        mouse.move(begin["x"] + 60, begin["y"] + 15)
        mouse.down()
        mouse.move(begin["x"] + 80, begin["y"] + 25, steps=3)
        mouse.move(end["x"] + 60, end["y"] + (4 if above else end["height"] - 4), steps=8)
        expect(self.page.locator(".board-ghost")).to_have_count(1)


@pytest.fixture
def open_board(demo: Installation, new_window: Callable[..., BrowserContext]) -> Callable[..., Board]:
    def sit_down(of: Board | None = None, **options: object) -> Board:
        person = Person(demo, new_window(**options))
        person.sign_in(ADA, demo.password())
        if of:
            board = Board(person, of.path, of.project)
            person.open(board.path)
            return board
        token = demo.run("token", "create", "--user", ADA)
        project = f"board{next(numbers)}"
        demo.call("PUT", f"/companies/{project}", token, {"name": "Boards"})
        demo.call("PUT", f"/projects/{project}", token, {"name": project, "companyId": project})
        for title, records in {"To do": ["Alpha", "Beta", "Gamma"], "Doing": ["Delta"], "Done": []}.items():
            made = demo.call("POST", f"/projects/{project}/lists", token, {"title": title})
            for record in records:
                demo.call("POST", f"/lists/{made['id']}/records", token, {"title": record})
        board = Board(person, f"/projects/{project}", project)
        person.open(board.path)
        expect(board.titles("To do")).to_have_text(["Alpha", "Beta", "Gamma"])
        return board

    return sit_down


def test_a_card_is_dragged_to_another_list_and_within_its_own(open_board: Callable[..., Board]) -> None:
    board = open_board()
    board.drag("Beta", board.card("Delta"))
    board.page.mouse.up()
    expect(board.status).to_have_text("Moved to Doing, place 1 of 2")
    expect(board.titles("Doing")).to_have_text(["Beta", "Delta"])
    board.drag("Gamma", board.card("Alpha"))
    board.page.mouse.up()
    expect(board.status).to_have_text("Moved to To do, place 1 of 2")
    board.drag("Delta", board.list("Done").locator(".board-none"))
    board.page.mouse.up()
    expect(board.status).to_have_text("Moved to Done, place 1 of 1")
    board.page.reload()
    expect(board.titles("To do")).to_have_text(["Gamma", "Alpha"])
    expect(board.titles("Doing")).to_have_text(["Beta"])
    events = "SELECT type FROM event WHERE project_id = ? AND type = 'TODO_MOVED'"
    assert len(board.person.installation.rows(events, board.project)) == 2
    assert board.person.errors == []


def test_escape_puts_a_dragged_card_back_and_a_click_still_opens_it(open_board: Callable[..., Board]) -> None:
    board = open_board()
    board.drag("Alpha", board.card("Delta"))
    board.page.keyboard.press("Escape")
    board.page.mouse.up()
    expect(board.titles("To do")).to_have_text(["Alpha", "Beta", "Gamma"])
    expect(board.page.locator(".board-ghost")).to_have_count(0)
    board.page.get_by_role("link", name="Alpha", exact=True).click()
    expect(board.person.heading("Alpha")).to_be_visible()


def test_a_refused_card_goes_back_and_a_note_says_so(open_board: Callable[..., Board]) -> None:
    board = open_board()
    board.page.route("**/place", lambda route: route.fulfill(status=409, body="No"))
    board.drag("Alpha", board.card("Delta"))
    board.page.mouse.up()
    expect(board.page.locator(".note")).to_contain_text("Not saved")
    expect(board.titles("To do")).to_have_text(["Alpha", "Beta", "Gamma"])
    board.page.unroute("**/place")
    board.page.locator(".note").get_by_role("button", name="Try again").click()
    expect(board.titles("Doing")).to_have_text(["Alpha", "Delta"])


def test_the_keyboard_alone_moves_a_card(open_board: Callable[..., Board]) -> None:
    board = open_board()
    keys = board.page.keyboard
    button = board.card("Alpha").locator("[data-card-menu]")
    button.focus()
    keys.press("Enter")
    expect(board.page.locator("#card-menu").get_by_role("link", name="Open")).to_be_focused()
    keys.press("Escape")
    expect(button).to_be_focused()
    keys.press("Enter")
    choice = board.page.get_by_label("Move to…")
    expect(choice).to_be_visible()
    for _ in range(4):
        keys.press("Tab")
    expect(choice).to_be_focused()
    keys.type("Doing")
    keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")
    expect(board.status).to_have_text("Moved to Doing, place 2 of 2")
    expect(board.titles("Doing")).to_have_text(["Delta", "Alpha"])
    expect(button).to_be_focused()


def test_two_people_see_what_the_other_does_and_lose_nothing(open_board: Callable[..., Board]) -> None:
    one = open_board()
    two = open_board(one)
    two.list("Done").locator("summary", has_text="Add record").click()
    field = two.list("Done").get_by_label("Title of the new record")
    field.fill("Half a ti")
    two.list("Doing").locator(".menu > summary").click()
    one.card("Alpha").get_by_role("checkbox").click()
    one.drag("Beta", one.card("Delta"))
    one.page.mouse.up()
    expect(two.titles("Doing")).to_have_text(["Beta", "Delta"])
    expect(two.card("Alpha").get_by_role("checkbox")).to_have_attribute("aria-checked", "true")
    expect(field).to_have_value("Half a ti")
    expect(two.list("Doing").get_by_role("link", name="Rename")).to_be_visible()
    two.card("Gamma").get_by_role("checkbox").click()
    expect(one.card("Gamma").get_by_role("checkbox")).to_have_attribute("aria-checked", "true")
    assert one.person.errors + two.person.errors == []


def test_three_records_are_added_without_waiting(open_board: Callable[..., Board]) -> None:
    board = open_board()
    board.list("Done").locator("summary", has_text="Add record").click()
    expect(board.list("Done").get_by_label("Title of the new record")).to_be_focused()
    for title in ("One", "Two", "Three"):
        board.page.keyboard.type(title)
        board.page.keyboard.press("Enter")
    expect(board.titles("Done")).to_have_text(["One", "Two", "Three"])
    expect(board.list("Done").get_by_label("Title of the new record")).to_be_focused()
    expect(board.list("Done").get_by_label("Title of the new record")).to_have_value("")


def test_the_filter_applies_at_once_and_stands_in_the_address(open_board: Callable[..., Board]) -> None:
    board = open_board()
    board.page.get_by_label("Title", exact=True).fill("al")
    expect(board.page.locator(".board-card-title")).to_have_text(["Alpha"])
    expect(board.page).to_have_url(re.compile(r"\?q=al$"))
    board.page.locator("#filter-done").select_option("1")
    expect(board.page.get_by_text("0 records fit")).to_be_visible()
    expect(board.page).to_have_url(re.compile(r"\?q=al&done=1$"))
    board.page.go_back()
    expect(board.page.locator(".board-card-title")).to_have_text(["Alpha"])
    board.page.get_by_role("link", name="Clear filters").click()
    expect(board.titles("To do")).to_have_text(["Alpha", "Beta", "Gamma"])


def test_a_board_works_without_javascript(open_board: Callable[..., Board]) -> None:
    board = open_board(java_script_enabled=False)
    board.page.get_by_label("Title", exact=True).fill("alp")
    board.page.get_by_role("button", name="Filter").click()
    expect(board.titles("To do")).to_have_text(["Alpha"])
    board.card("Alpha").get_by_role("checkbox").click()
    expect(board.card("Alpha").get_by_role("checkbox")).to_have_attribute("aria-checked", "true")
    expect(board.page).to_have_url(re.compile(r"\?q=alp$"))
    board.card("Alpha").locator("[data-card-menu]").click()
    expect(board.person.heading("Alpha")).to_be_visible()
    board.page.get_by_label("Move to…").select_option(label="Done")
    board.page.get_by_role("button", name="Top").click()
    expect(board.titles("Done")).to_have_text(["Alpha"])
    board.list("Done").locator("summary", has_text="Add record").click()
    board.list("Done").get_by_label("Title of the new record").fill("Epsilon")
    board.page.keyboard.press("Enter")
    expect(board.titles("Done")).to_have_text(["Alpha", "Epsilon"])


@pytest.mark.parametrize("look", ["light-1280-en", "dark-1280-en", "light-390-en", "dark-390-en"])
def test_a_board_is_good_for_everybody(open_board: Callable[..., Board], look: str) -> None:
    board = open_board(**window_of(look))
    board.page.locator(".board-add > summary").first.click()
    board.page.locator(".board-new > summary").click()
    found = [each["id"] for each in Axe().run(board.page, options=AXE_OPTIONS).response["violations"]]
    board.page.locator("[data-card-menu]").first.click()
    expect(board.page.locator("#card-menu")).to_be_visible()
    found += [each["id"] for each in Axe().run(board.page, options=AXE_OPTIONS).response["violations"]]
    assert found == []
    assert board.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
