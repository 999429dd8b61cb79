"""Every page that a person can reach by links, once for each kind of address."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Error, Page

MAX_PAGES = 100
# Pages that look different for each thing they show; of all others one is enough.
SAMPLES = {"/settings/webhooks/*": 4, "/settings/webhooks/*/deliveries/*": 3, "/inboxes/*": 2}
NO_PAGES = re.compile(r"^/(api|static|healthz|readyz|metrics)\b")


def shape_of(address: str) -> str:
    """The path with `*` for ids and codes: pages of one shape come from one template, whatever the query asks."""
    segments = urlsplit(address).path.split("/")
    return "/".join("*" if re.search(r"\d|[A-Z]_[A-Z]", segment) else segment for segment in segments)


def walk(page: Page, origin: str, first: str = "/projects") -> Iterator[str]:
    """Open one page after the other, the nearest first; each address is given while its page is open."""
    waiting = deque([first])
    seen = {first}
    counts: Counter[str] = Counter()
    while waiting:
        address = waiting.popleft()
        if counts[shape_of(address)] >= SAMPLES.get(shape_of(address), 1) or not _opens(page, origin + address):
            continue
        counts[shape_of(address)] += 1
        assert counts.total() <= MAX_PAGES, "the walk does not end"
        yield address
        for link in _links(page, origin):
            if link not in seen:
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
    own = [link.removeprefix(origin) for link in found if link.startswith(origin + "/")]
    return [link for link in own if not NO_PAGES.match(link)]
