"""Every page in two looks, or in all eight: by axe's rules, no wider than the window, no complaint, one h1."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.chaos.installation import Installation, wait_until
from tests.journeys.person import Person
from tests.journeys.walk import Kinds, walk

pytestmark = pytest.mark.journey

SCREENSHOTS = "JOURNEY_SCREENSHOTS"  # the environment variable that names a folder for them
WALK_LIMIT_S = 300
AREAS = {"webhooks": "/settings/webhooks", "projects": "/projects", "others": "/deliveries"}  # and where each begins
OTHERS = ("/admin", "/settings", "/inboxes", "/docs", "/event", "/deliveries", "/shortcuts", "/login", "/setup")
FRAGMENTS = {"deliveries.news", "inboxes.requests", "records.sent", "pings.show", "tests.show"}
FILES = {"exports.show", "deliveries.payload", "deliveries.answer", "imports.refused", "inboxes.body"}
# No link leads there, only an act or a mail: other journeys open them.
OF_A_MOMENT = {
    "handovers.show",
    "imports.show",
    "invitations.show",
    "password_resets.edit",
    "password_resets.new",
    "projects.root",
    "session.new",
    "setup.new",
    "webhooks.created",
}
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
MENUS_OUT_OF_SIGHT = """
[...document.querySelectorAll('details.menu')].filter(menu => menu.checkVisibility()).filter(menu => {
  menu.open = true;
  const { left, right } = menu.querySelector('.menu-body').getBoundingClientRect();
  menu.open = false;
  return left < 0 || right > innerWidth;
}).map(menu => menu.querySelector('summary').textContent.trim())
"""
TEXT_UNDER_BUTTONS = """
[...document.querySelectorAll('.code > .btn-icon')].filter(button => button.checkVisibility()).flatMap(button => {
  const lines = document.createRange(), corner = button.getBoundingClientRect();
  lines.selectNodeContents(button.parentElement.querySelector('pre'));
  return [...lines.getClientRects()].filter(line => line.bottom > corner.top && line.top < corner.bottom
    && line.right > corner.left && line.left < corner.right).slice(0, 1).map(() => lines.toString().slice(0, 40));
})
"""
MORE_LOOKS = "JOURNEY_LOOKS"  # the environment variable that is `all` for every combination instead of these two
SCHEMES, WIDTHS, LANGUAGES = ("light", "dark"), {"1280": 800, "390": 844}, {"en": "en-GB", "de": "de-DE"}
USUAL_LOOKS = ("light-1280-en", "dark-390-de")
ALL_LOOKS = tuple("-".join(parts) for parts in itertools.product(SCHEMES, WIDTHS, LANGUAGES))
LOOKS = ALL_LOOKS if os.environ.get(MORE_LOOKS) == "all" else USUAL_LOOKS


def window_of(look: str) -> dict[str, Any]:
    """The browser window of a look such as `dark-390-de`."""
    scheme, width, language = look.split("-")
    size = {"width": int(width), "height": WIDTHS[width]}
    return {"locale": LANGUAGES[language], "viewport": size, "color_scheme": scheme}


class Complaints:
    """What a browser finds wrong with a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._heard: list[str] = []
        self._axe = Axe()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))

    def _hear(self, kind: str, text: str) -> None:
        """Breaches of the content security policy are errors of the console too."""
        if kind in {"error", "warning"}:
            self._heard.append(f"console: {text}")

    def forget(self) -> None:
        """Start anew: what axe and a screenshot caused themselves is no fault of the page."""
        self._heard.clear()

    def now(self) -> Iterator[str]:
        """What is wrong with the page that is open, and what was heard since `forget()`."""
        yield from tuple(self._heard)
        headings = self._page.locator("h1").count()
        if headings != 1:
            yield f"{headings} h1"
        yield from self._too_wide("as it opens")
        for violation in self._axe.run(self._page, options=AXE_OPTIONS).response["violations"]:
            places = "; ".join(str(node["html"])[:160] for node in violation["nodes"][:3])
            yield f"axe {violation['id']} ({violation['help']}) at {len(violation['nodes'])} places: {places}"
        self._page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(one => { one.open = true; })")
        yield from self._too_wide("with all details open")
        for word in self._page.evaluate(MENUS_OUT_OF_SIGHT):
            yield f"the menu “{word}” opens outside of the window"
        for text in self._page.evaluate(TEXT_UNDER_BUTTONS):
            yield f"a button lies over the text of “{text}”"

    def _too_wide(self, when: str) -> Iterator[str]:
        content, window = self._page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if content > window:
            yield f"{content} px wide in a window of {window} px, {when}"


def area_of(address: str) -> str:
    """The pages are walked through in parts, side by side."""
    if address.startswith(AREAS["webhooks"]):
        return "webhooks"
    return "others" if address.startswith(OTHERS) else "projects"


@pytest.mark.timeout(WALK_LIMIT_S)
@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_whole(
    demo: Installation,
    furnished: dict[str, list[str]],
    app: Flask,
    new_window: Callable[..., BrowserContext],
    look: str,
    area: str,
) -> None:
    person = Person(demo, new_window(**window_of(look)))
    page, kinds = person.page, Kinds(app)
    complaints = Complaints(page)
    report: list[str] = []

    def look_at(address: str, name: str) -> None:
        report.extend(f"{address}: {one}" for one in complaints.now())
        _keep_picture(page, look, name)
        complaints.forget()

    sign_in_to_demo(person)
    complaints.forget()
    reached = set()
    for address, kind in walk(page, demo.url, kinds, furnished[area], lambda link: area_of(link) == area):
        look_at(address, kind)
        reached.add(kind)
    print(f"\n{look}, {area}: {len(reached)} kinds of pages")
    assert not report, "\n".join(report)
    ours = {kind for kind, rule in kinds.all.items() if area_of(rule) == area}
    assert ours - reached - FRAGMENTS - FILES - OF_A_MOMENT == set(), "no link leads there"


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_strangers_are_whole(demo: Installation, new_window: Callable[..., BrowserContext], look: str) -> None:
    person = Person(demo, new_window(**window_of(look)))
    complaints = Complaints(person.page)
    person.open("/login")
    assert list(complaints.now()) == []
    person.open("/docs")
    assert list(complaints.now()) == []
    complaints.forget()
    sign_in_to_demo(person)
    complaints.forget()
    person.open("/nowhere")
    assert [each for each in complaints.now() if "404 (NOT FOUND)" not in each] == []


@pytest.fixture(scope="session")
def furnished(demo: Installation) -> dict[str, list[str]]:
    """Where the walk through each area begins in the demo: also at what only a form or a program leads to."""
    token = demo.run("token", "create", "--user", "ada@example.com")
    webhook = next(each["id"] for each in demo.call("GET", "/webhooks", token)["items"] if each["name"] == "Warehouse")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    replay = demo.call("POST", f"/webhooks/{webhook}/replays", token, {"status": ["succeeded"], "since": yesterday})
    ((record, project),) = demo.rows(
        "SELECT record.id, list.project_id FROM record JOIN list ON list.id = record.list_id"
        " WHERE record.id IN (SELECT record_id FROM comment) AND record.id IN (SELECT record_id FROM checklist_item"
        " JOIN checklist ON checklist.id = checklist_item.checklist_id) LIMIT 1"
    )
    ((holding,),) = demo.rows(
        "SELECT webhook_id FROM delivery WHERE state = 'held' GROUP BY 1 ORDER BY count(*) LIMIT 1"
    )
    webhooks = AREAS["webhooks"]
    return {
        "webhooks": [webhooks, f"{webhooks}/{webhook}/replays/{replay['id']}", f"{webhooks}/{holding}/held/discard"],
        "projects": [AREAS["projects"], f"/records/{record}", f"/projects/{project}/fields/new?kind=NUMBER"],
        "others": [AREAS["others"]],
    }


def sign_in_to_demo(person: Person) -> None:
    """As the demo says, once its first deliveries are done."""
    settled = "SELECT count(*) FROM delivery WHERE state = 'succeeded'"
    wait_until(lambda: person.installation.rows(settled)[0][0] > 20, 30, "the demo has sent its first deliveries")
    person.open("/login")
    person.page.locator("[name=email]").fill("ada@example.com")
    person.page.locator("[name=password]").fill(person.installation.password())
    person.page.locator("main [type=submit]").click()
    expect(person.page).to_have_url(re.compile("/projects$"))
    person.page.wait_for_load_state("domcontentloaded")


def _keep_picture(page: Page, look: str, name: str) -> None:
    if folder := os.environ.get(SCREENSHOTS):
        number = len(list(Path(folder).glob(f"{look}-*")))
        file = re.sub(r"\W+", "-", name)
        page.screenshot(path=Path(folder) / f"{look}-{number:02}-{file[:60]}.png", full_page=True)
