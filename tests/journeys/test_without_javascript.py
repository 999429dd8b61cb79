"""The same way with scripts switched off: every action is a form, and what is new comes with the next page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.chaos.installation import Installation, wait_until
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

SENT_LIMIT_S = 10.0


def test_everything_works_without_javascript(empty: Installation, new_window: Callable[..., BrowserContext]) -> None:
    person = Person(empty, new_window(java_script_enabled=False))
    person.set_up()
    person.sign_out()
    person.sign_in()

    inbox = person.make_inbox("Workshop")
    assert person.point_webhook_here("Workshop orders").startswith("whsec_")
    page = person.page
    page.get_by_role("link", name="I stored it").click()
    page.get_by_role("navigation", name="Pages of this webhook").get_by_role("link", name="Deliveries").click()
    log = page.url

    board = person.another_tab(empty.url)
    person.open_board(board)
    person.add_record("Polish the lens", board)
    comes_to_show(page, log, "Delivered")
    expect(person.row()).to_contain_text("TODO_CREATED")

    answers = person.another_tab(empty.url + inbox)
    person.let_inbox_answer(500, answers)
    person.add_record("Oil the gears", board)
    comes_to_show(page, log, "Retrying 2 of 3")
    person.let_inbox_answer(200, answers)
    person.row().get_by_role("button", name="Retry").click()
    expect(page.get_by_text("It is being sent again.")).to_be_visible()
    assert page.url == log
    comes_to_show(page, log, "Delivered")

    page.get_by_role("button", name="Send test ping").click()
    comes_to_show(page, log, "Ping")
    comes_to_show(page, log, "Delivered")

    person.row(1).get_by_role("link").first.click()
    expect(person.heading("Record created")).to_contain_text("Delivered")
    expect(page.locator("#attempt-2")).to_contain_text("X-Signature:")

    answers.reload()
    expect(answers.locator("[id^=request-]")).to_have_count(4)
    for request in answers.locator("[id^=request-]").all():
        expect(request).to_contain_text("Right")


def comes_to_show(page: Page, log: str, text: str) -> None:
    """Load the log until its newest row says so."""

    def says_so() -> bool:
        page.goto(log)
        return text in page.locator("#delivery-rows tr").first.inner_text()

    wait_until(says_so, SENT_LIMIT_S, f"the newest row says {text}")
