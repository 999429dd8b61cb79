"""The live delivery log as somebody watches it: what comes, what stays where it is, keys, files, and no server."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.chaos.installation import Installation
from tests.journeys.person import Person

pytestmark = pytest.mark.journey

ADA = "ada@example.com"
LONG_LOG = 20
numbers = itertools.count(1)


@dataclass
class Watched:
    """Somebody in front of the log of a webhook of its own."""

    person: Person
    token: str
    project: str
    webhook: str

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def rows(self) -> Locator:
        return self.page.locator("#delivery-rows tr")

    @property
    def state(self) -> Locator:
        return self.page.locator("[data-live-state]")

    def open(self, query: str = "") -> None:
        self.person.open(f"/settings/webhooks/{self.webhook}/deliveries{query}")

    def publish(self, count: int = 1) -> None:
        event = {"event": "TODO_CREATED", "projectId": self.project, "currentValue": {"id": "r1"}}
        self.person.installation.call("POST", "/events/batch", self.token, {"events": [event] * count})


@pytest.fixture
def watch(demo: Installation, new_window: Callable[..., BrowserContext]) -> Callable[..., Watched]:
    def begin(events: int, **options: object) -> Watched:
        token = demo.run("token", "create", "--user", ADA)
        name = f"live{next(numbers)}"
        demo.call("PUT", f"/companies/{name}", token, {"name": "Live"})
        demo.call("PUT", f"/projects/{name}", token, {"name": name, "companyId": name})
        inbox = next(
            each["url"] for each in demo.call("GET", "/webhooks", token)["items"] if each["name"] == "Warehouse"
        )
        made = demo.call("POST", "/webhooks", token, {"name": name, "url": inbox, "projectIds": [name]})
        person = Person(demo, new_window(**options))
        person.sign_in(ADA, demo.password())
        watched = Watched(person, token, name, made["id"])
        watched.open()
        for number in range(events):
            watched.publish()
            if options.get("java_script_enabled", True):
                expect(watched.rows).to_have_count(number + 1)
        return watched

    return begin


def test_new_rows_come_on_top_and_change_in_place(watch: Callable[..., Watched]) -> None:
    log = watch(1)
    expect(log.state).to_have_text(re.compile(r"Updated \d+ s ago"))
    first = log.rows.first.get_attribute("id")
    log.publish()
    expect(log.rows).to_have_count(2)
    expect(log.rows.first).to_contain_text("Delivered")
    expect(log.rows.last).to_have_id(first or "")
    expect(log.rows.first.locator("relative-time")).to_contain_text(re.compile("seconds? ago"))
    expect(log.page.locator("#status")).to_contain_text(re.compile("new deliver"))
    assert log.person.errors == []


def test_somebody_who_reads_further_down_is_told_by_a_button(watch: Callable[..., Watched]) -> None:
    log = watch(LONG_LOG)
    log.rows.last.scroll_into_view_if_needed()
    log.page.mouse.wheel(0, 5000)
    log.page.wait_for_function("document.getElementById('delivery-rows').getBoundingClientRect().top < 0")
    before = log.page.evaluate("scrollY")
    log.publish(2)
    button = log.page.get_by_role("button", name="2 new deliveries")
    expect(button).to_be_in_viewport()
    assert log.rows.count() == LONG_LOG
    assert log.page.evaluate("scrollY") == before
    button.click()
    expect(log.rows).to_have_count(LONG_LOG + 2)
    expect(log.rows.first).to_be_in_viewport()
    expect(button).to_have_count(0)


def test_live_can_be_switched_off_and_on(watch: Callable[..., Watched]) -> None:
    log = watch(1)
    switch = log.page.get_by_role("switch", name="Live")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(log.state).to_have_text("Live is off")
    asked: list[str] = []
    log.page.on("request", lambda request: asked.append(request.url) if "/news" in request.url else None)
    log.publish()
    log.page.wait_for_timeout(2500)
    assert asked == []
    assert log.rows.count() == 1
    switch.click()
    expect(log.rows).to_have_count(2)


def test_a_server_that_is_away_is_told_and_found_again(watch: Callable[..., Watched]) -> None:
    log = watch(1)
    log.person.window.set_offline(True)
    expect(log.state).to_have_text("Live paused: server not reachable. Trying again…")
    assert log.rows.count() == 1
    log.publish()
    log.person.window.set_offline(False)
    expect(log.rows).to_have_count(2)
    expect(log.state).to_contain_text("Updated")
    expect(log.page.locator("#toasts")).to_be_empty()


def test_a_session_that_ended_is_told_in_place(watch: Callable[..., Watched]) -> None:
    log = watch(1)
    address = log.page.url
    log.person.window.clear_cookies()
    expect(log.state).to_contain_text("Your session ended.")
    expect(log.state.get_by_role("link", name="Sign in")).to_be_visible()
    assert log.page.url == address
    assert log.rows.count() == 1


def test_filters_apply_when_they_change_and_stand_in_the_address(watch: Callable[..., Watched]) -> None:
    log = watch(1)
    log.page.get_by_label("State", exact=True).select_option("failed")
    expect(log.page.get_by_role("heading", name="No deliveries match")).to_be_visible()
    assert log.page.url.endswith("/deliveries?state=failed&limit=25")
    log.page.get_by_role("link", name="Clear filters").first.click()
    expect(log.rows).to_have_count(1)


def test_keys_move_between_rows_retry_and_open(watch: Callable[..., Watched]) -> None:
    log = watch(3)
    keyboard = log.page.keyboard
    keyboard.press("j")
    keyboard.press("j")
    expect(log.rows.nth(1).locator("[data-row-link]")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("k")
    expect(log.rows.nth(1).locator("[data-row-link]")).to_be_focused()
    keyboard.press("r")
    expect(log.rows.nth(1)).to_contain_text("2")
    expect(log.rows.nth(1).locator("[data-row-link]")).to_be_focused()
    log.page.get_by_label("Delivery, event or record id").press_sequentially("jr")
    expect(log.page.get_by_label("Delivery, event or record id")).to_have_value("jr")
    log.page.evaluate("document.body.dataset.shortcuts = 'off'; document.activeElement.blur()")
    keyboard.press("j")
    assert log.page.evaluate("document.activeElement === document.body")


def test_the_log_is_downloaded_as_a_file(watch: Callable[..., Watched]) -> None:
    log = watch(2)
    log.page.locator("summary", has_text="Export").click()
    with log.page.expect_download() as download:
        log.page.get_by_role("link", name="Export as CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 3
    with log.page.expect_download() as download:
        log.page.get_by_role("link", name="Export as JSON lines").click()
    objects = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert [len(each["attempts"]) for each in objects] == [1, 1]


def test_without_javascript_links_and_the_form_do(watch: Callable[..., Watched]) -> None:
    log = watch(0, java_script_enabled=False)
    log.publish()
    expect(log.page.get_by_role("switch")).to_have_count(0)
    log.page.get_by_role("link", name="Refresh").click()
    log.page.get_by_label("State", exact=True).select_option("failed")
    log.page.get_by_role("button", name="Filter").click()
    expect(log.page.get_by_role("heading", name="No deliveries match")).to_be_visible()
