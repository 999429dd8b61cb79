"""Two people: an invitation by link, a webhook that changes hands, and rights that are taken away."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.person import PASSWORD, PROJECT, Person

pytestmark = pytest.mark.journey

LIVE_LIMIT_MS = 4_000


def test_somebody_joins_takes_a_webhook_over_and_loses_the_rights(
    newcomer: Person, new_window: Callable[..., BrowserContext]
) -> None:
    newcomer.set_up()
    newcomer.make_inbox("Workshop")
    newcomer.point_webhook_here("Workshop orders")
    link = invite(newcomer, "ada@example.com")

    ada = Person(newcomer.installation, new_window())
    ada.page.goto(link)
    ada.page.get_by_label("Your name").fill("Ada Lovelace")
    ada.page.get_by_label("Password").fill(PASSWORD)
    ada.page.get_by_role("button", name="Sign up and join").click()
    ada.arrive(PROJECT)

    open_members(newcomer)
    row = newcomer.page.get_by_role("row").filter(has_text="Ada Lovelace")
    row.get_by_label("Role of Ada Lovelace").select_option("Administrator")
    row.get_by_role("button", name="Save").click()
    expect(newcomer.page.get_by_text("Saved.")).to_be_visible()

    newcomer.bar("Webhooks").click()
    newcomer.page.get_by_role("link", name="Workshop orders").first.click()
    newcomer.page.goto(newcomer.page.url.partition("?")[0] + "/handover")
    newcomer.page.get_by_role("button", name="Offer it").click()
    expect(newcomer.page.get_by_text("Offered to Ada Lovelace.")).to_be_visible()

    ada.open("/projects")
    ada.page.get_by_role("link", name="Accept or refuse").click()
    ada.page.get_by_role("button", name="Accept").click()
    ada.arrive("Workshop orders")
    board = ada.another_tab(ada.installation.url)
    ada.open_board(board)
    ada.add_record("Polish the lens", board)
    ada.page.get_by_role("navigation", name="Pages of this webhook").get_by_role("link", name="Deliveries").click()
    expect(ada.row()).to_contain_text("Delivered", timeout=LIVE_LIMIT_MS)

    open_members(newcomer)
    row = newcomer.page.get_by_role("row").filter(has_text="Ada Lovelace")
    row.get_by_label("Role of Ada Lovelace").select_option("Member")
    row.get_by_role("button", name="Save").click()
    expect(
        newcomer.page.get_by_text("A webhook of Ada Lovelace will stop getting events of this project.")
    ).to_be_visible()
    newcomer.page.get_by_role("button", name="Change the role").click()
    newcomer.arrive("Members")
    ada.add_record("Oil the gears", board)
    ada.page.reload()
    expect(ada.page.locator("#delivery-rows tr")).to_have_count(1)
    assert newcomer.errors == ada.errors == []


def open_members(person: Person) -> None:
    """From the projects, by the settings of the first one."""
    person.open_board(person.page)
    person.page.get_by_role("link", name="Settings", exact=True).click()
    person.page.get_by_role("link", name="Members", exact=True).click()
    person.arrive("Members")


def invite(person: Person, email: str) -> str:
    """An invitation's link, from the one page that shows it."""
    open_members(person)
    person.page.get_by_label("E-mail").fill(email)
    person.page.get_by_role("button", name="Add member").click()
    person.arrive("Invitation made")
    link = person.page.get_by_role("textbox", name="Link").input_value()
    assert re.search(r"/invitations/[\w-]{43}$", link)
    return link
