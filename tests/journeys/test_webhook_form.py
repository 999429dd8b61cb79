"""The form of a webhook with nothing but the keyboard; then its tabs: a filter, a test in place, a pasted signature."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chaos.installation import Installation
from tests.journeys.person import EMAIL, Person

pytestmark = pytest.mark.journey

# What htmx has put in answers to nothing for the moment in which it carries one of these classes.
SETTLING = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"

MOST_TABS = 250  # a long form; who needs more is lost in it


def go_to(page: Page, goal: Locator, key: str = "Tab") -> None:
    """Press the key until the focus is there."""
    for _ in range(MOST_TABS):
        if goal.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{goal} cannot be reached by {key}")


def press(page: Page, goal: Locator, key: str = "Enter") -> None:
    go_to(page, goal)
    page.keyboard.press(key)


def test_a_webhook_is_set_up_with_the_keyboard_alone(newcomer: Person) -> None:
    newcomer.set_up()
    page = newcomer.open("/settings/webhooks/new")
    button = page.get_by_role("button", name="Create webhook")
    name, url = page.get_by_label("Name").first, page.get_by_label("Payload URL")

    expect(name).to_be_focused()
    press(page, page.get_by_label("All events, future ones too"), "ArrowDown")
    press(page, button)
    expect(page.get_by_role("alert").filter(has_text="Please correct this:")).to_be_focused()
    press(page, page.get_by_role("link", name="Name", exact=True))
    expect(name).to_be_focused()
    page.keyboard.type("Orders")
    expect(page.get_by_label("Let me choose")).to_be_checked()
    secret = page.get_by_label("Generated secret").input_value()

    press(page, page.get_by_role("button", name="Use an inbox"))
    expect(url).to_have_value(re.compile(r"/inbox/[\w-]+$"))
    expect(page.get_by_label("Generated secret")).to_have_value(secret)
    press(page, page.get_by_role("button", name="New one"))
    expect(page.get_by_label("Generated secret")).not_to_have_value(secret)
    choose_events(page)
    choose_project(page)

    press(page, page.get_by_label("Send a ping after creating"), "Space")
    press(page, button)
    newcomer.arrive("Webhook created")
    expect(page.get_by_text("Ping delivered in")).to_be_visible()
    press(page, page.get_by_role("link", name="I stored it"))
    newcomer.arrive("Orders")
    expect(page.get_by_role("button", name="Send test ping")).to_be_visible()
    page.goto(f"{page.url}/settings")
    expect(page.locator("input[name=events]:checked")).to_have_count(4)
    assert [each for each in newcomer.errors if "422" not in each] == []


def choose_events(page: Page) -> None:
    """Search, tick a group in part and as a whole, and hear how many are found."""
    records, group = page.get_by_role("group", name="All of Records"), page.get_by_label("All of Records")
    go_to(page, page.get_by_label("Search events"))
    page.keyboard.type("due date of a record")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="3 events")).to_be_attached()
    expect(page.get_by_label("All of Comments")).to_be_hidden()
    press(page, group, "Space")
    expect(records.locator("output")).to_have_text("3 of 13")
    assert group.evaluate("box => box.indeterminate")
    go_to(page, page.get_by_label("Search events"), "Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    press(page, page.get_by_label("Comment added"), "Space")
    press(page, page.get_by_label("All of Tags"), "Space")
    page.keyboard.press("Space")
    expect(page.get_by_label("Tag created")).not_to_be_checked()


def choose_project(page: Page) -> None:
    """One of one's own."""
    press(page, page.get_by_label("All my projects, future ones too"), "ArrowDown")
    go_to(page, page.get_by_label("Search projects"))
    page.keyboard.type("nothing like it")
    expect(page.get_by_role("status").filter(has_text="0 projects")).to_be_attached()
    page.keyboard.press("Control+A")
    page.keyboard.type("light")
    press(page, page.get_by_label("Lighthouse"), "Space")


def test_a_filter_a_test_and_a_signature_are_tried_in_place(newcomer: Person) -> None:
    newcomer.set_up()
    newcomer.make_inbox("Workshop")
    newcomer.point_webhook_here("Orders")
    page = newcomer.page
    page.get_by_role("link", name="I stored it").click()
    publish(newcomer.installation, "Polish the lens")
    newcomer.open("/settings/webhooks")
    page.get_by_role("link", name="Orders").first.click()
    tabs = page.get_by_role("navigation", name="Pages of this webhook")

    tabs.get_by_role("link", name="Settings").click()
    leave_without_a_question(page, tabs)
    tabs.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Add rule").click()
    rule = page.get_by_role("group", name="Rule 1")
    for label, choice in (("What", "Title"), ("Operator", "contains")):
        expect(rule.get_by_label(label)).to_be_visible()
        expect(page.locator(SETTLING)).to_have_count(0)
        with page.expect_response("**/settings/webhooks/*"):
            rule.get_by_label(label).select_option(choice)
        expect(page.locator("#filter")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator(SETTLING)).to_have_count(0)
    rule.get_by_label("Value").fill("mirror")
    page.get_by_role("button", name="Test against the last event").click()
    expect(rule).to_contain_text("found “Polish the lens”")
    expect(page.locator("#filter-test")).to_be_focused()
    expect(page.locator("#filter-test")).to_contain_text("Would not be sent")
    page.get_by_role("button", name="Test against the last 500 events").click()
    expect(page.locator("#filter-test")).to_contain_text("0 of")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    tabs.get_by_role("link", name="Test").click()
    expect(page.get_by_role("heading", name="Send a test")).to_be_visible()
    assert asked == ["beforeunload"]  # the filter was not saved
    send_a_test(page)
    tabs.get_by_role("link", name="Signature").click()
    check_signatures(page)
    assert [each for each in newcomer.errors if "422" not in each] == []


def publish(installation: Installation, title: str) -> None:
    """A record was created, says another application."""
    token = installation.run("token", "create", "--user", EMAIL).strip()
    ((project_id,),) = installation.rows("SELECT id FROM project")
    event = {"event": "TODO_CREATED", "projectId": project_id, "currentValue": {"title": title}}
    assert installation.call("POST", "/events", token, event)["id"]


def leave_without_a_question(page: Page, tabs: Locator) -> None:
    """What is only looked at or searched for is nothing to save."""
    with page.expect_response("**/settings/webhooks/*"):
        page.get_by_label("Example of").select_option("TAG_CREATED")
    expect(page.locator("#example-compact")).to_contain_text("TAG_CREATED")
    tabs.get_by_role("link", name="Overview").click()
    expect(page).to_have_url(re.compile(r"/settings/webhooks/\w+$"))


def send_a_test(page: Page) -> None:
    """An example that was edited, first wrongly."""
    page.get_by_label("Event type").select_option("COMMENT_CREATED")
    expect(page.locator("#test-preview")).to_contain_text("COMMENT_CREATED")
    expect(page.locator(SETTLING)).to_have_count(0)
    page.get_by_text("Edit the values").click()
    value = page.get_by_label("currentValue")
    value.fill('{\n"text": "Hello"\n"html": ""}')
    expect(page.locator("#test-preview")).to_contain_text("This is not valid JSON (line 3).")
    page.get_by_role("button", name="Send test", exact=True).click()
    expect(page.locator(".field-error")).to_have_text("This is not valid JSON (line 3).")
    expect(page.locator(SETTLING)).to_have_count(0)
    value.fill('{"text": "Hello from the test"}')
    expect(page.locator("#test-preview")).to_contain_text("Hello from the test")
    page.get_by_role("button", name="Send test", exact=True).click()
    result = page.locator("#test-result")
    expect(result).to_contain_text("Delivered")
    expect(result).to_be_focused()
    expect(result).to_contain_text("X-Webhook-Test: true")
    expect(result).to_contain_text("200 OK")
    assert page.url.endswith("/test?event=COMMENT_CREATED")


def check_signatures(page: Page) -> None:
    """Right as it was sent; wrong when the body was printed anew, or the header carries more than the digits."""
    page.get_by_role("link", name="Fill with the last delivery").click()
    body = page.get_by_role("textbox", name="Body")
    expect(body).to_have_value(re.compile("Hello from the test"))
    page.get_by_role("button", name="Check", exact=True).click()
    verdict = page.locator("#check-result")
    expect(verdict.get_by_text("Right, with the current secret")).to_have_count(2)
    expect(verdict).to_be_focused()
    body.evaluate("field => { field.value = JSON.stringify(JSON.parse(field.value), null, 2); }")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(verdict.get_by_text("The body was formatted anew")).to_have_count(2)
    page.get_by_role("textbox", name="Headers").fill("X-Signature: sha256=00")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(verdict).to_contain_text("There is something like sha256= in front.")
    page.get_by_role("link", name="Bash and OpenSSL").click()
    expect(page.locator("#sample-plain")).to_contain_text("openssl dgst")
