"""The list of webhooks while it refreshes itself: the switch, a ping in place, menus that stay open."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.person import Person

pytestmark = pytest.mark.journey

LIST = "/settings/webhooks"
REFRESH = "htmx.trigger(document.body, 'live:refresh')"


def refresh(page: Page) -> None:
    """Let the page ask now instead of within ten seconds."""
    with page.expect_response(lambda answer: answer.url.endswith(LIST) and answer.request.method == "GET") as caught:
        page.evaluate(REFRESH)
    assert caught.value.ok


def row(page: Page, name: str) -> Locator:
    return page.locator("#webhook-list tr", has_text=name)


def test_a_webhook_is_switched_pinged_and_watched_in_its_row(newcomer: Person) -> None:
    newcomer.set_up()
    inbox = newcomer.make_inbox("Parcels")
    newcomer.point_webhook_here("Orders")
    other = newcomer.another_tab(newcomer.installation.url + inbox)
    newcomer.let_inbox_answer(500, other)

    page = newcomer.open(LIST)
    switch = row(page, "Orders").get_by_role("switch")
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    switch.click()
    expect(row(page, "Orders").get_by_role("status")).to_contain_text("Still off: the health check failed.")
    expect(switch).not_to_be_checked()
    newcomer.let_inbox_answer(200, other)
    switch.click()
    expect(switch).to_be_checked()
    expect(switch).to_be_focused()

    menu = row(page, "Orders").locator("details.menu")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Send test ping").click()
    expect(page.locator("#ping-result")).to_contain_text("Orders: Ping delivered in")
    expect(menu.get_by_role("link", name="Edit")).to_be_hidden()
    assert newcomer.errors == []


def test_an_open_menu_and_the_focus_outlive_a_refresh(newcomer: Person) -> None:
    newcomer.set_up()
    newcomer.make_inbox("Parcels")
    newcomer.point_webhook_here("Orders")
    board = newcomer.another_tab(newcomer.installation.url)
    newcomer.open_board(board)

    page = newcomer.open(LIST)
    expect(row(page, "Orders")).to_contain_text("New")
    menu = row(page, "Orders").locator("details.menu")
    menu.locator("summary").click()
    newcomer.add_record("Call Ada", board)
    for _ in range(40):
        refresh(page)
        if row(page, "Orders").get_by_text("Healthy").count():
            break
    expect(row(page, "Orders")).to_contain_text("100 %")
    expect(menu.get_by_role("link", name="Edit")).to_be_visible()
    expect(menu.locator("summary")).to_be_focused()

    page.get_by_label("Name or URL").fill("half a wo")
    refresh(page)
    expect(page.get_by_label("Name or URL")).to_have_value("half a wo")
    assert newcomer.errors == []


def test_the_numbers_of_a_chart_stay_open_and_the_badge_changes(newcomer: Person) -> None:
    newcomer.set_up()
    newcomer.make_inbox("Parcels")
    newcomer.point_webhook_here("Orders")
    board = newcomer.another_tab(newcomer.installation.url)
    newcomer.open_board(board)
    page = newcomer.open(LIST)
    row(page, "Orders").get_by_role("link", name="Orders").click()
    expect(page.get_by_text("Nothing sent yet.")).to_be_visible()
    newcomer.add_record("Call Ada", board)
    figures = page.locator("#figures")
    for _ in range(40):
        page.evaluate(REFRESH)
        if figures.get_by_text("100 %").count():
            break
        page.wait_for_timeout(50)
    expect(figures).to_contain_text("100 %")
    expect(newcomer.heading("Orders")).to_contain_text("Healthy")
    page.locator("#chart-numbers summary").click()
    expect(page.locator("#chart-table")).to_be_visible()
    newcomer.add_record("Call Grace", board)
    with page.expect_response(lambda answer: "/settings/webhooks/" in answer.url):
        page.evaluate(REFRESH)
    expect(page.locator("#chart-table")).to_be_visible()
    assert newcomer.errors == []
