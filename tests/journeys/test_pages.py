"""Every page in two looks, or in all eight: by axe's rules, no wider than the window, no complaint, one h1."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.chaos.installation import Installation, wait_until
from tests.journeys.person import Person
from tests.journeys.walk import shape_of, walk

pytestmark = pytest.mark.journey

SCREENSHOTS = "JOURNEY_SCREENSHOTS"  # the environment variable that names a folder for them
FEWEST_PAGES = 25
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
MENUS_OUT_OF_SIGHT = """
[...document.querySelectorAll('details.menu')].filter(menu => menu.checkVisibility()).filter(menu => {
  menu.open = true;
  const { left, right } = menu.querySelector('.menu-body').getBoundingClientRect();
  menu.open = false;
  return left < 0 || right > innerWidth;
}).map(menu => menu.querySelector('summary').textContent.trim())
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

    def _too_wide(self, when: str) -> Iterator[str]:
        content, window = self._page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if content > window:
            yield f"{content} px wide in a window of {window} px, {when}"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_whole(demo: Installation, new_window: Callable[..., BrowserContext], look: str) -> None:
    person = Person(demo, new_window(**window_of(look)))
    page = person.page
    complaints = Complaints(page)
    wrong: dict[str, list[str]] = {}

    def look_at(address: str, name: str) -> None:
        wrong[address] = list(complaints.now())
        _keep_picture(page, look, name)
        complaints.forget()

    person.open("/login")
    look_at("/login", "login")
    sign_in_to_demo(person)
    complaints.forget()
    for address in walk(page, demo.url):
        look_at(address, shape_of(address))
    person.open("/nowhere")
    wrong["/nowhere"] = [each for each in complaints.now() if "404 (NOT FOUND)" not in each]
    print(f"\n{look}: {len(wrong)} pages")
    report = [f"{address}: {one}" for address, found in wrong.items() for one in found]
    assert not report, "\n".join(report)
    assert len(wrong) > FEWEST_PAGES


def sign_in_to_demo(person: Person) -> None:
    """As the demo says, once its first deliveries are done."""
    settled = "SELECT count(*) FROM delivery WHERE state = 'succeeded'"
    wait_until(lambda: person.installation.rows(settled)[0][0] > 20, 30, "the demo has sent its first deliveries")
    person.open("/login")
    person.page.locator("[name=email]").fill("ada@example.com")
    person.page.locator("[name=password]").fill(person.installation.password())
    person.page.locator("main [type=submit]").click()
    expect(person.page).to_have_url(re.compile("/projects$"))


def _keep_picture(page: Page, look: str, name: str) -> None:
    if folder := os.environ.get(SCREENSHOTS):
        number = len(list(Path(folder).glob(f"{look}-*")))
        file = re.sub(r"[^\w*?,-]+", "-", name).strip("-").replace("*", "x") or "start"
        page.screenshot(path=Path(folder) / f"{look}-{number:02}-{file[:60]}.png", full_page=True)
