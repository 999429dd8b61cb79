"""A delivery in the drawer beside the log and on its page: opened, watched, copied, sent again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.chaos.installation import Installation
from tests.journeys.person import EMAIL, Person
from tests.requirements import requires

pytestmark = pytest.mark.journey

CLOCK = re.compile(r"^\d{2}:\d{2}$|^1:\d{2}:\d{2}$")


@pytest.fixture
def watcher(newcomer: Person) -> Person:
    """Somebody whose receiver fails: the log shows one delivery that is retried in an hour."""
    newcomer.window.grant_permissions(["clipboard-read", "clipboard-write"], origin=newcomer.installation.url)
    newcomer.set_up()
    newcomer.make_inbox("Failing")
    inbox = newcomer.page.url
    newcomer.let_inbox_answer(500, newcomer.page)
    newcomer.point_webhook_here("Orders")
    publish(newcomer.installation)
    newcomer.open("/deliveries")
    expect(newcomer.row()).to_contain_text("Retrying 2 of 3")
    newcomer.inbox = inbox  # type: ignore[attr-defined]
    return newcomer


def publish(installation: Installation) -> None:
    """An event of a project of its own, as another application tells of it."""
    token = installation.run("token", "create", "--user", EMAIL)
    installation.call("PUT", "/companies/c1", token, {"name": "Bernoulli & Co"})
    installation.call("PUT", "/projects/p1", token, {"name": "Lighthouse", "companyId": "c1"})
    event = {"event": "TODO_CREATED", "projectId": "p1", "currentValue": {"id": "r1", "title": "It's Grace’s call"}}
    installation.call("POST", "/events", token, event)


def drawer(person: Person) -> Locator:
    return person.page.get_by_role("dialog")


def test_a_delivery_is_opened_watched_copied_and_sent_again(watcher: Person) -> None:
    page = watcher.page
    watcher.row().get_by_role("link", name="Record created").click()
    expect(drawer(watcher).get_by_role("heading", name="Record created")).to_be_focused()
    expect(page).to_have_url(re.compile("/deliveries/dlv_"))
    own_page = page.url

    countdown = page.locator("[data-countdown]")
    expect(countdown).to_have_text(CLOCK)
    seen = countdown.inner_text()
    expect(countdown).not_to_have_text(seen)

    drawer(watcher).get_by_text("Raw", exact=True).click()
    drawer(watcher).get_by_role("button", name="Copy as cURL").click()
    expect(page.locator("#status")).to_have_text("Copied")
    subprocess.run(
        [requires("bash")],
        capture_output=True,
        input=page.evaluate("navigator.clipboard.readText()").encode(),
        check=True,
    )
    tab = watcher.another_tab(watcher.inbox)  # type: ignore[attr-defined]
    expect(tab.get_by_text("Right")).to_have_count(2)
    expect(tab.get_by_text("Wrong")).to_have_count(0)

    watcher.let_inbox_answer(200, tab)
    page.bring_to_front()
    drawer(watcher).get_by_role("button", name="Retry").click()
    expect(drawer(watcher).get_by_text("Delivered").first).to_be_visible()
    expect(drawer(watcher).get_by_role("button", name="Send again")).to_be_enabled()
    expect(drawer(watcher).locator("#raw-details")).to_have_attribute("open", "")
    expect(drawer(watcher).get_by_text("by hand, by Grace Hopper").first).to_be_visible()

    page.keyboard.press("Escape")
    expect(drawer(watcher)).to_have_count(0)
    expect(page).to_have_url(re.compile("/deliveries$"))
    expect(watcher.row().get_by_role("link", name="Record created")).to_be_focused()
    watcher.row().get_by_role("link", name="Record created").click()
    expect(drawer(watcher)).to_be_visible()
    page.go_back()
    expect(drawer(watcher)).to_have_count(0)
    page.go_forward()
    expect(drawer(watcher)).to_be_visible()
    page.reload()
    expect(watcher.heading("Record created")).to_be_visible()
    expect(page).to_have_url(own_page)
    page.go_back()
    expect(watcher.heading("All deliveries")).to_be_visible()
    assert watcher.errors == []


def test_on_a_narrow_screen_a_row_leads_to_the_page(
    demo: Installation, new_window: Callable[..., BrowserContext]
) -> None:
    person = Person(demo, new_window(viewport={"width": 390, "height": 844}))
    person.sign_in("ada@example.com", demo.password())
    person.open("/deliveries")
    name = person.row().locator("[data-row-link]").inner_text()
    person.row().locator("[data-row-link]").click()
    expect(person.heading(name)).to_be_visible()
    expect(person.page.get_by_role("dialog")).to_have_count(0)


def test_keys_walk_through_the_log_in_the_drawer(demo: Installation, new_window: Callable[..., BrowserContext]) -> None:
    person = Person(demo, new_window())
    person.sign_in("ada@example.com", demo.password())
    person.open("/deliveries?state=failed")
    links = [each.get_attribute("href") for each in person.page.locator("#delivery-rows [data-row-link]").all()]
    person.row().locator("[data-row-link]").click()
    expect(person.page).to_have_url(demo.url + str(links[0]))
    expect(drawer(person)).to_be_visible()
    person.page.keyboard.press("j")
    expect(person.page).to_have_url(demo.url + str(links[1]))
    person.page.keyboard.press("k")
    expect(person.page).to_have_url(demo.url + str(links[0]))
    person.page.go_back()
    expect(drawer(person)).to_have_count(0)
    assert person.errors == []
