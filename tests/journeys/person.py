"""What a person does in the pages: with the words that stand on them, never with ids or addresses."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.chaos.installation import Installation

NAME = "Grace Hopper"
EMAIL = "grace@example.com"
PASSWORD = "correct horse battery staple"
PROJECT = "Lighthouse"


class Person:
    """Somebody with a browser window in front of an installation. Each step begins where the one before ended.

    `errors` is what the browser's console complained of, breaches of the content security policy among it.
    """

    def __init__(self, installation: Installation, window: BrowserContext) -> None:
        self.installation = installation
        self.window = window
        self.errors: list[str] = []
        window.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        window.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.page = window.new_page()

    def open(self, path: str, page: Page | None = None) -> Page:
        """Go to an address."""
        page = page or self.page
        page.goto(self.installation.url + path)
        return page

    def another_tab(self, url: str) -> Page:
        """The same person in a second tab."""
        tab = self.window.new_page()
        tab.goto(url)
        return tab

    def set_up(self) -> None:
        """The first run."""
        self.open("/")
        expect(self.page).to_have_url(re.compile("/setup$"))
        self.page.get_by_label("Your name").fill(NAME)
        self.page.get_by_label("E-mail").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("First project").fill(PROJECT)
        self.page.get_by_role("button", name="Create").click()
        self.arrive("Webhooks")

    def sign_out(self) -> None:
        """By the menu."""
        self.page.locator("summary", has_text=NAME).click()
        self.page.get_by_role("button", name="Sign out").click()
        self.page.wait_for_url(re.compile("/login"))

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        """By the form."""
        self.open("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.arrive("Projects")

    def make_inbox(self, name: str) -> str:
        """An inbox; its page is open then, and its path is returned."""
        self.bar("Inbox").click()
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Create an inbox").click()
        self.arrive(name)
        return self.page.url.removeprefix(self.installation.url)

    def point_webhook_here(self, name: str) -> str:
        """From an inbox's page: a webhook to it. Its secret is on the page then, and is returned."""
        self.page.get_by_role("link", name="Use in a new webhook").click()
        expect(self.page.get_by_label("Payload URL")).to_have_value(re.compile("/inbox/"))
        self.page.get_by_role("textbox", name="Name").first.fill(name)
        self.page.get_by_role("button", name="Create webhook").click()
        self.arrive("Webhook created")
        secret: str = self.page.locator("#secret").inner_text()
        return secret

    def open_board(self, page: Page) -> None:
        """The board of the first project."""
        self.open("/", page)
        page.get_by_role("link", name=PROJECT).first.click()
        self.arrive(PROJECT, page)

    def add_record(self, title: str, page: Page) -> None:
        """On the board, at the foot of the first list."""
        column = page.locator(".board-list").first
        field = column.get_by_label("Title of the new record")
        if not field.is_visible():
            column.locator("summary", has_text="Add record").click()
        field.fill(title)
        column.get_by_role("button", name="Add", exact=True).click()
        expect(column.get_by_role("link", name=title, exact=True)).to_be_visible()

    def let_inbox_answer(self, status: int, page: Page) -> None:
        """On an inbox's page."""
        page.locator("summary", has_text="Answers with").click()
        page.get_by_label("Status").fill(str(status))
        page.get_by_role("button", name="Save").first.click()
        expect(page.locator("summary", has_text="Answers with")).to_contain_text(str(status))

    def arrive(self, heading: str, page: Page | None = None) -> None:
        """Wait for the page and for its scripts: until those run, a click does what it does without JavaScript."""
        expect(self.heading(heading, page)).to_be_visible()
        (page or self.page).wait_for_load_state("domcontentloaded")

    def heading(self, text: str, page: Page | None = None) -> Locator:
        """The one h1."""
        return (page or self.page).get_by_role("heading", level=1, name=text)

    def bar(self, text: str) -> Locator:
        """A link of the bar on top."""
        return self.page.get_by_role("navigation", name="Main").get_by_role("link", name=text, exact=True)

    def tab(self, text: str) -> Locator:
        """One of the pages of the webhook that is open."""
        return self.page.get_by_role("navigation", name="Pages of this webhook").get_by_role("link", name=text)

    def row(self, number: int = 0, page: Page | None = None) -> Locator:
        """A row of the delivery log; 0 is the newest."""
        return (page or self.page).locator("#delivery-rows tr").nth(number)
