"""The first quarter of an hour with Blue Webhooks: everything happens live, no page is loaded anew."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.journeys.person import Person

pytestmark = pytest.mark.journey

LIVE_LIMIT_MS = 4_000  # the log asks every second; generous, since machines of tests are busy


def test_from_the_first_page_to_a_failed_delivery_that_was_sent_again(newcomer: Person) -> None:
    newcomer.set_up()
    newcomer.sign_out()
    newcomer.sign_in()

    inbox = newcomer.make_inbox("Workshop")
    secret = newcomer.point_webhook_here("Workshop orders")
    assert secret.startswith("whsec_")
    page = newcomer.page
    page.get_by_role("link", name="I stored it").click()
    expect(newcomer.heading("Workshop orders")).to_contain_text("New")
    assert secret not in page.content()
    page.get_by_role("navigation", name="Pages of this webhook").get_by_role("link", name="Deliveries").click()
    log = page.url
    page.evaluate("window.isSamePage = true")

    board = newcomer.another_tab(newcomer.installation.url)
    newcomer.open_board(board)
    before = time.monotonic()
    newcomer.add_record("Polish the lens", board)
    expect(newcomer.row()).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)
    print(f"\nfrom the click on Add to Delivered in the log: {time.monotonic() - before:.2f} s")
    expect(newcomer.row()).to_contain_text("TODO_CREATED")
    expect(newcomer.row().get_by_role("button")).to_have_text("Send again")

    answers = newcomer.another_tab(newcomer.installation.url + inbox)
    newcomer.let_inbox_answer(500, answers)
    newcomer.add_record("Oil the gears", board)
    expect(newcomer.row()).to_contain_text("Retrying 2 of 3", timeout=LIVE_LIMIT_MS)
    expect(newcomer.row()).to_contain_text("500")
    newcomer.let_inbox_answer(200, answers)
    newcomer.row().get_by_role("button", name="Retry").click()
    expect(newcomer.row()).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)
    expect(newcomer.row()).to_contain_text("2 of 3")

    page.get_by_role("button", name="Send test ping").click()
    expect(page.locator("#ping-result")).to_contain_text("Ping delivered", timeout=LIVE_LIMIT_MS)
    expect(newcomer.row()).to_contain_text("Ping", timeout=LIVE_LIMIT_MS)
    assert page.url == log
    assert page.evaluate("window.isSamePage") is True, "the page was never loaded anew"

    expect(answers.locator("[id^=request-]")).to_have_count(4, timeout=LIVE_LIMIT_MS)
    for request in answers.locator("[id^=request-]").all():
        expect(request).to_contain_text("Right")

    newcomer.row(1).get_by_role("link").first.click()
    expect(newcomer.heading("Record created")).to_contain_text("Delivered")
    expect(page.locator("#payload")).to_contain_text("Oil the gears")
    second = page.locator("#attempt-2")
    expect(second).to_contain_text("By hand")
    expect(second).to_contain_text(re.compile(r"X-Signature: [0-9a-f]{64}"))
    expect(second).to_contain_text("200 OK")
    expect(page.locator("#attempt-1")).to_contain_text("500")
    assert newcomer.errors == []
