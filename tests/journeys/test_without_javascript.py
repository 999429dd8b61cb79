"""The same way with scripts switched off: every action is a form, and what is new comes with the next page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.chaos.installation import Installation, wait_until
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

SENT_LIMIT_S = 10.0


def test_everything_works_without_javascript(
    impatient: Installation, new_window: Callable[..., BrowserContext]
) -> None:
    person = Person(impatient, new_window(java_script_enabled=False))
    page = person.page
    person.set_up()
    person.sign_out()
    person.sign_in()

    # A webhook and a ping.
    inbox = person.make_inbox("Workshop")
    assert person.point_webhook_here("Workshop orders").startswith("whsec_")
    page.get_by_role("link", name="I stored it").click()
    page.get_by_role("button", name="Send test ping").first.click()
    expect(page.get_by_text("The test ping is on its way.")).to_be_visible()
    person.tab("Deliveries").click()
    log = page.url
    comes_to_show(page, log, "Delivered", "Ping")

    # The receiver breaks: two deliveries fail, and a click on the newest says why.
    answers = person.another_tab(impatient.url + inbox)
    board = person.another_tab(impatient.url)
    person.let_inbox_answer(500, answers)
    person.open_board(board)
    for count, title in enumerate(("Polish the lens", "Oil the gears"), 1):
        person.add_record(title, board)
        comes_to_show(page, log, "Failed", count=count)
    expect(person.row()).to_contain_text("TODO_CREATED")
    person.row().get_by_role("link", name="Record created").click()
    expect(page.locator("#delivery-summary")).to_contain_text("Error at the receiver. Look into its log.")
    expect(page.locator("#attempt-2")).to_contain_text("500 INTERNAL SERVER ERROR")

    # It is mended: one is sent again from its page, what still failed all at once.
    answers.get_by_role("button", name="Back to 200").click()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("It is being sent again.")).to_be_visible()
    comes_to_show(page, log, "Delivered", count=2)
    replay_the_failed(page)
    comes_to_show(page, log, "Delivered", count=3)

    answers.reload()
    expect(answers.locator("[id^=request-]")).to_have_count(7)
    expect(answers.locator("[id^=request-]").filter(has_text="Right")).to_have_count(7)


def comes_to_show(page: Page, log: str, *texts: str, count: int = 1) -> None:
    """Load the log until so many rows say that."""

    def says_so() -> bool:
        page.goto(log)
        rows = page.locator("#delivery-rows tr").all_inner_texts()
        return sum(all(text in row for text in texts) for row in rows) == count

    wait_until(says_so, SENT_LIMIT_S, f"{count} rows say {', '.join(texts)}")


def replay_the_failed(page: Page) -> None:
    """All that failed at once, without a script to count them first."""
    page.get_by_role("link", name="Replay…").click()
    page.get_by_role("button", name="How many?").click()
    expect(page.get_by_role("heading", name="1 delivery matches")).to_be_visible()
    page.get_by_role("button", name="Replay 1").click()
    expect(page.get_by_role("heading", level=1, name="Replay of 1 delivery")).to_be_visible()
