"""Every page that a person can reach by links, once for each kind of page."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Error, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

MAX_PAGES = 100
# Pages that look different for each thing they show; of all others one is enough.
SAMPLES = {"webhooks.show": 4, "deliveries.show": 3, "inboxes.show": 2}
FOR_PROGRAMS = ("/api/", "/static/", "/healthz", "/readyz", "/metrics", "/inbox/")


class Kinds:
    """The kinds of pages that an application has: its endpoints."""

    def __init__(self, app: Flask) -> None:
        self._urls = app.url_map.bind("localhost")
        self.all = {
            rule.endpoint: rule.rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.rule.startswith(FOR_PROGRAMS)
        }

    def of(self, address: str) -> str:
        """The endpoint behind an address; empty when it is no page."""
        path = urlsplit(address).path
        try:
            endpoint, _ = self._urls.match(path)
        except (HTTPException, RequestRedirect):
            return ""
        return endpoint if endpoint in self.all else ""


def walk(
    page: Page, origin: str, kinds: Kinds, starts: Sequence[str], belongs: Callable[[str], bool]
) -> Iterator[tuple[str, str]]:
    """Open one page after the other, the nearest first, of those that belong; yields the open one and its kind."""
    waiting = deque(starts)
    seen = set(starts)
    counts: Counter[str] = Counter()
    while waiting:
        address = waiting.popleft()
        kind = kinds.of(address)
        if not kind or counts[kind] >= SAMPLES.get(kind, 1) or not _opens(page, origin + address):
            continue
        counts[kind] += 1
        assert counts.total() <= MAX_PAGES, "the walk does not end"
        yield address, kind
        for link in _links(page, origin):
            if link not in seen and belongs(link):
                seen.add(link)
                waiting.append(link)


def _opens(page: Page, url: str) -> bool:
    """Whether it is a page; a download is none."""
    try:
        page.goto(url)
    except Error as error:
        if "Download is starting" in error.message:
            return False
        raise
    return True


def _links(page: Page, origin: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href.split('#')[0])")
    return [link.removeprefix(origin) for link in found if link.startswith(origin + "/")]
