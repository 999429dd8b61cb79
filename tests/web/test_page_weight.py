"""What the first visit of a page ships, as the server really sends it. Seen with `pytest -s`.

Style sheets, scripts and the sprite come compressed. HTML does not, on purpose: it carries the CSRF token beside what
people typed, and a compressed answer would tell by its length how much of the two is alike (BREACH). So two
sums are kept small: with the HTML compressed, which says how much a page has to say, and as it is sent.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from flask import Flask

from tests.conftest import Browser
from tests.factories import Make
from tests.page_checker import check_page

MOST = 120_000  # bytes, were the HTML compressed too
MOST_SENT = 180_000  # bytes on the wire
MOST_IN_FILES = 95_000
PAGES = (
    "/projects",
    "/settings/webhooks",
    "/settings/webhooks/new",
    "/settings/webhooks/{webhook}",
    "/settings/webhooks/{webhook}/deliveries/{delivery}",
    "/deliveries",
    "/event-types",
    "/inboxes",
    "/docs",
    "/settings/profile",
    "/admin/system",
)
IMPORTED = re.compile(rb"@import url\(\"([^\"]+)\"\)")


@pytest.fixture
def visitor(make_app: Callable[..., Flask], make: Make) -> tuple[Browser, dict[str, str]]:
    """An operator with a webhook, and the ids of their things."""
    client = make_app().test_client()
    assert isinstance(client, Browser)
    person = make.user(is_operator=True)
    make.project(owner=person)
    webhook = make.webhook(by=person)
    deliveries = [make.delivery(webhook) for _ in range(30)]
    make.attempt(deliveries[-1])
    return client.sign_in(person), {"webhook": webhook.id, "delivery": deliveries[-1].id}


def linked(client: Browser, address: str) -> tuple[bytes, dict[str, int]]:
    """A page, and all files that a browser without a cache fetches for it, with their bytes on the wire."""
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    page = check_page(answer)
    assert "Content-Encoding" not in answer.headers
    found: dict[str, int] = {}
    wanted = [link.attrs["href"] for link in page.find_all("link")]
    wanted += [script.attrs["src"] for script in page.find_all("script")]
    wanted += [use.attrs["href"].partition("#")[0] for use in page.find_all("use")]
    while wanted:
        url = wanted.pop()
        if url in found:
            continue
        with client.get(url, headers={"Accept-Encoding": "gzip"}) as file:
            assert file.status_code == 200, url
            found[url] = len(file.data)
        with client.get(url) as plain:
            assert "immutable" in plain.headers["Cache-Control"] or plain.mimetype == "image/svg+xml", url
            wanted += [urljoin(url, name.decode()) for name in IMPORTED.findall(plain.data)]
    return answer.data, found


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_ships_little(visitor: tuple[Browser, dict[str, str]], path: str) -> None:
    client, ids = visitor
    html, files = linked(client, path.format(**ids))
    in_files = sum(files.values())
    print(f"\n{path}: {len(html) / 1000:.1f} KB HTML and {in_files / 1000:.1f} KB in {len(files)} files")
    heaviest = sorted(files.items(), key=lambda each: -each[1])[:6]
    assert in_files <= MOST_IN_FILES, heaviest
    assert len(gzip.compress(html)) + in_files <= MOST
    assert len(html) + in_files <= MOST_SENT


def test_a_second_visit_asks_for_the_page_alone(visitor: tuple[Browser, dict[str, str]]) -> None:
    client, _ = visitor
    _html, files = linked(client, "/projects")
    for url in files:
        with client.get(url) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", url


def test_a_browser_that_knows_no_gzip_gets_the_same_bytes(visitor: tuple[Browser, dict[str, str]]) -> None:
    client, _ = visitor
    _html, files = linked(client, "/projects")
    for url in files:
        with client.get(url) as plain, client.get(url, headers={"Accept-Encoding": "gzip"}) as small:
            assert "Content-Encoding" not in plain.headers
            assert small.headers["Content-Encoding"] == "gzip", url
            assert gzip.decompress(small.data) == plain.data
            assert small.mimetype == plain.mimetype
            assert "Accept-Encoding" in plain.headers["Vary"]
            assert small.headers["X-Content-Type-Options"] == "nosniff"
