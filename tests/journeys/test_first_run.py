"""The first quarter of an hour with Blue Webhooks: everything happens live, no page is loaded anew."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.person import Person

pytestmark = pytest.mark.journey

LIVE_LIMIT_MS = 6_000  # the log asks every second; generous, since machines of tests are busy


def test_somebody_new_adds_a_webhook_breaks_the_receiver_finds_out_why_and_sends_again(beginner: Person) -> None:
    page = beginner.page
    beginner.set_up()
    beginner.sign_out()
    beginner.sign_in()

    # A webhook, to an inbox that the form itself makes, and a ping.
    beginner.bar("Webhooks").click()
    secret = add_webhook(beginner, "Workshop orders")
    beginner.arrive("Workshop orders")
    expect(beginner.heading("Workshop orders")).to_contain_text("New")
    assert secret not in page.content()
    page.get_by_role("button", name="Send test ping").first.click()
    expect(page.locator("#ping-result")).to_contain_text("Ping delivered", timeout=LIVE_LIMIT_MS)
    expect(page.locator("#latest")).to_contain_text("Test ping", timeout=LIVE_LIMIT_MS)

    # A first change arrives while one looks.
    beginner.tab("Deliveries").click()
    expect(page).to_have_url(re.compile("/deliveries$"))
    page.wait_for_load_state("domcontentloaded")
    log = page.url
    page.evaluate("window.isSamePage = true")
    board = beginner.another_tab(beginner.installation.url)
    beginner.open_board(board)
    before = time.monotonic()
    beginner.add_record("Polish the lens", board)
    expect(beginner.row()).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)
    print(f"\nfrom the click on Add to Delivered in the log: {time.monotonic() - before:.2f} s")
    expect(beginner.row()).to_contain_text("TODO_CREATED")
    expect(beginner.row().get_by_role("button")).to_have_text("Send again")

    # The receiver breaks: two deliveries fail.
    receiver = beginner.another_tab(beginner.installation.url)
    receiver.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox").click()
    receiver.get_by_role("link", name="Workshop orders").click()
    beginner.let_inbox_answer(500, receiver)
    failed = page.locator("#delivery-rows tr", has_text="Failed")
    for count, title in enumerate(("Oil the gears", "Trim the wick"), 1):
        beginner.add_record(title, board)
        expect(failed).to_have_count(count, timeout=LIVE_LIMIT_MS)
    page.bring_to_front()
    understand(beginner)
    expect(page).to_have_url(log)
    assert page.evaluate("window.isSamePage") is True, "the page was never loaded anew"

    # It is mended: one is sent again by its button, what still failed all at once.
    receiver.get_by_role("button", name="Back to 200").click()
    expect(receiver.locator("summary", has_text="Answers with")).to_contain_text("200")
    beginner.row().get_by_role("button", name="Retry").click()
    expect(beginner.row()).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)
    replay_the_failed(page)
    page.goto(log)
    expect(page.locator("#delivery-rows tr", has_text="Delivered")).to_have_count(4)

    # The receiver got all of it, signed, and what came twice had the same id.
    requests = receiver.locator("[id^=request-]")
    expect(requests.filter(has_text="Right")).to_have_count(8, timeout=LIVE_LIMIT_MS)
    expect(requests).to_have_count(8)
    the_delivery_tells_its_story(beginner)
    assert beginner.errors == []


def add_webhook(person: Person, name: str) -> str:
    """From the empty list, to an inbox that the form makes; its secret."""
    page = person.page
    page.get_by_role("link", name="Add webhook").first.click()
    person.arrive("New webhook")
    page.get_by_role("textbox", name="Name").first.fill(name)
    page.get_by_role("button", name="Use an inbox").click()
    expect(page.get_by_label("Payload URL")).to_have_value(re.compile("/inbox/"))
    page.get_by_role("button", name="Create webhook").click()
    person.arrive("Webhook created")
    secret: str = page.locator("#secret").inner_text()
    assert secret.startswith("whsec_")
    page.get_by_role("link", name="I stored it").click()
    return secret


def understand(person: Person) -> None:
    """A click on the newest row says what happened, what to do, and for which record."""
    person.row().get_by_role("link", name="Record created").click()
    drawer = person.page.get_by_role("dialog")
    summary = drawer.locator("#delivery-summary")
    expect(summary).to_contain_text("Trim the wick")
    expect(summary).to_contain_text("Error at the receiver. Look into its log.")
    expect(summary.get_by_text("Error at the receiver.")).to_be_in_viewport()
    expect(drawer.locator("#delivery-attempts")).to_contain_text("500 INTERNAL SERVER ERROR")
    person.page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def replay_the_failed(page: Page) -> None:
    """All that failed at once; how many is told before anything is sent."""
    page.get_by_role("link", name="Replay…").click()
    page.get_by_role("button", name="How many?").click()
    expect(page.get_by_role("heading", name="1 delivery matches")).to_be_visible()
    page.get_by_role("button", name="Replay 1").click()
    progress = page.locator("#replay-progress")
    expect(progress).to_contain_text("Done", timeout=LIVE_LIMIT_MS)
    expect(progress.locator("dd").nth(1)).to_have_text("1")


def the_delivery_tells_its_story(person: Person) -> None:
    """Two attempts that failed and the third by hand, each with what went out and what came back."""
    page = person.page
    person.row().get_by_role("link", name="Record created").click()
    attempts = page.get_by_role("dialog").locator("#delivery-attempts")
    expect(attempts.locator("#attempt-3")).to_contain_text("By hand, by Grace Hopper")
    expect(attempts.locator("#attempt-3")).to_contain_text("200 OK")
    expect(header(attempts, "X-Signature")).to_have_text(re.compile(r"^[0-9a-f]{64}\s*$"))
    attempts.locator("#attempt-tab-1").click()
    expect(attempts.locator("#attempt-1")).to_contain_text("500")
    expect(page.locator("#payload")).to_contain_text("Trim the wick")


def header(attempts: Locator, name: str) -> Locator:
    """The value of one header of the request that is shown."""
    return attempts.get_by_role("row", name=name).first.locator("td, dd").last
