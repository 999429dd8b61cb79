"""What stands round every page: keys, menus, the theme, exact times, and what is said when the server is away."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from tests.chaos.installation import Installation
from tests.journeys.person import NAME, PASSWORD, Person
from tests.journeys.test_pages import sign_in_to_demo

pytestmark = pytest.mark.journey

NARROW = {"width": 390, "height": 844}
AT_200_PERCENT = {"width": 640, "height": 400}  # what 200 % leaves of a window of 1280


@pytest.fixture
def ada(demo: Installation, new_window: Callable[..., BrowserContext]) -> Person:
    """The operator of the demo, signed in."""
    person = Person(demo, new_window())
    sign_in_to_demo(person)
    return person


def test_keys_open_the_list_go_to_pages_search_and_begin_something_new(ada: Person) -> None:
    page = ada.page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog.get_by_text("This list")).to_be_visible()
    page.keyboard.press("n")  # rests in a dialog
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(ada.heading("Deliveries")).to_be_visible()
    search = page.locator("[role=search] input[name=q]")
    expect(search).to_be_visible()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("gw?n")
    expect(search).to_have_value("gw?n")
    expect(page.get_by_role("dialog")).to_have_count(0)

    ada.open("/settings/webhooks")
    page.keyboard.press("Control+n")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/settings/webhooks/new$"))
    assert ada.errors == []


def test_keys_are_heeded_as_soon_as_a_page_can_be_read(ada: Person) -> None:
    page, held = ada.page, list[Route]()

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/htmx*.js", hold)  # and so all deferred scripts, which run in order
    page.goto(ada.installation.url + "/deliveries", wait_until="commit")
    expect(page.locator("[role=search] input[name=q]")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("[role=search] input[name=q]")).to_be_focused()
    ada.heading("Deliveries").click()
    page.keyboard.press("j")
    expect(page.locator("[data-row-link]").first).to_be_focused()
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_load_state()
    assert ada.errors == []


def test_the_list_of_keys_is_a_page_too_and_needs_no_javascript(
    demo: Installation, new_window: Callable[..., BrowserContext]
) -> None:
    person = Person(demo, new_window(java_script_enabled=False))
    sign_in_to_demo(person)
    person.page.locator("summary", has_text="Ada Lovelace").click()
    person.page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(person.page.get_by_text("Something new")).to_be_visible()


def test_keys_do_nothing_once_they_are_turned_off(newcomer: Person) -> None:
    newcomer.set_up()
    page = newcomer.page
    newcomer.open("/settings/profile")
    page.get_by_label("Keyboard shortcuts").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-shortcuts", "off")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.keyboard.press("?")
    page.get_by_label("Keyboard shortcuts").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-shortcuts", "on")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(newcomer.heading("Projects")).to_be_visible()


def test_menus_open_and_close_by_the_keyboard(ada: Person) -> None:
    page = ada.page
    summary = page.locator("summary", has_text="Ada Lovelace")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Profile settings")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".menu-item:focus")).to_have_count(1)
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Profile settings")).to_be_hidden()
    expect(summary).to_be_focused()


@pytest.mark.parametrize("viewport", [NARROW, AT_200_PERCENT], ids=["390 px", "200 %"])
def test_the_bar_fits_and_its_menu_leads_everywhere(
    demo: Installation, new_window: Callable[..., BrowserContext], viewport: dict[str, int]
) -> None:
    person = Person(demo, new_window(viewport=viewport))
    sign_in_to_demo(person)
    page = person.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("summary", has_text="Menu").first.click()
    person.bar("Deliveries").click()
    expect(person.heading("Deliveries")).to_be_visible()
    page.locator(".bar-end > details").last.locator("summary").click()
    box = page.get_by_role("button", name="Sign out").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]


def test_a_chosen_theme_stands_from_the_first_paint(ada: Person) -> None:
    page = ada.page
    page.locator("summary", has_text="Ada Lovelace").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    themes = page.evaluate(
        "fetch('/projects').then(answer => answer.text()).then(html => html.match(/data-bs-theme=\"(\\w+)\"/)[1])"
    )
    assert themes == "dark", "the page as the server sends it is dark already"
    page.locator("summary", has_text="Ada Lovelace").click()
    page.get_by_role("button", name="Auto").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_who_wants_less_motion_gets_none_and_high_contrast_shows_where_one_is(ada: Person) -> None:
    page = ada.page
    page.emulate_media(reduced_motion="reduce", forced_colors="active")
    current = page.locator(".bar-nav [aria-current]")
    assert current.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_the_log_shows_exact_times_and_goes_back(ada: Person) -> None:
    page = ada.open("/deliveries")
    expect(page.locator("#delivery-rows relative-time").first).to_be_visible()
    page.get_by_role("button", name="Exact times").click()
    expect(page.locator("#delivery-rows relative-time")).to_have_count(0)
    expect(page.locator("#delivery-rows time").first).to_contain_text(re.compile(r"\d{2}:\d{2}|\d:\d{2}:\d{2}"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Exact times").click()
    expect(page.locator("#delivery-rows relative-time").first).to_be_visible()


def test_what_could_not_be_saved_is_said_and_can_be_tried_again(newcomer: Person) -> None:
    newcomer.set_up()
    page = newcomer.page
    newcomer.open_board(page)
    newcomer.window.set_offline(True)
    column = page.locator(".board-list").first
    column.locator("summary", has_text="Add record").click()
    column.get_by_label("Title of the new record").fill("Trim the wick")
    column.get_by_role("button", name="Add", exact=True).click()
    note = page.locator("#toasts")
    expect(note).to_contain_text("Not saved: the server cannot be reached.")
    expect(column.get_by_label("Title of the new record")).to_have_value("Trim the wick")
    newcomer.window.set_offline(False)
    note.get_by_role("button", name="Try again").click()
    expect(column.get_by_role("link", name="Trim the wick", exact=True)).to_be_visible()
    expect(note).to_be_empty()


def test_who_was_signed_out_meanwhile_is_led_to_the_sign_in_and_back(newcomer: Person) -> None:
    newcomer.set_up()
    page = newcomer.page
    newcomer.open_board(page)
    board = page.url
    newcomer.window.clear_cookies(name="session")
    column = page.locator(".board-list").first
    column.locator("summary", has_text="Add record").click()
    column.get_by_label("Title of the new record").fill("Trim the wick")
    column.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile("/login|/projects/"))
    if "/login" not in page.url:
        expect(page.locator("#toasts")).to_contain_text("Your session ended.")
        page.reload()
    page.get_by_label("E-mail").fill("grace@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(board)
    expect(page.locator("summary", has_text=NAME)).to_be_visible()
