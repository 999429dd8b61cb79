"""What the first visit of a page ships, in bytes on the wire, for a browser that takes gzip. Seen with `pytest -s`."""

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

MOST_BYTES = 120_000
RECORDS = 30  # on the board
DELIVERIES = 30
COMMENTS = 10
PAGES = (
    "/login",
    "/projects",
    "/projects/{project}",
    "/records/{record}",
    "/settings/webhooks",
    "/settings/webhooks/new",
    "/settings/webhooks/{webhook}",
    "/settings/webhooks/{webhook}/settings",
    "/settings/webhooks/{webhook}/test",
    "/settings/webhooks/{webhook}/signature",
    "/settings/webhooks/{webhook}/deliveries/{delivery}",
    "/deliveries",
    "/events",
    "/events/{event}",
    "/event-types",
    "/inboxes",
    "/docs",
    "/settings/profile",
    "/admin/system",
)
IMPORTED = re.compile(rb"@import url\(\"([^\"]+)\"\)")


@pytest.fixture
def visitor(make_app: Callable[..., Flask], make: Make) -> tuple[Browser, dict[str, str]]:
    """An operator with a busy project and a webhook, and the ids of their things."""
    client = make_app().test_client()
    assert isinstance(client, Browser)
    person = make.user(is_operator=True)
    project = make.project(owner=person)
    board = make.list(project)
    record = [make.record(board) for _ in range(RECORDS)][-1]
    for _ in range(COMMENTS):
        make.comment(record, by=person)
    make.item(make.checklist(record))
    webhook = make.webhook(by=person)
    event = make.event(project)
    deliveries = [make.delivery(webhook, event if number == 0 else None) for number in range(DELIVERIES)]
    make.attempt(deliveries[0])
    return client.sign_in(person), {
        "project": project.id,
        "record": record.id,
        "webhook": webhook.id,
        "event": event.id,
        "delivery": deliveries[0].id,
    }


def fetch(client: Browser, address: str) -> tuple[int, dict[str, int]]:
    """The bytes of a page on the wire, and those of all files that a browser without a cache fetches for it."""
    sent = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert sent.headers["Content-Encoding"] == "gzip"
    page = check_page(client.get(address))
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
    return len(sent.data), found


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_ships_little(visitor: tuple[Browser, dict[str, str]], path: str) -> None:
    client, ids = visitor
    if path == "/login":
        client.delete_cookie("session")
    html, files = fetch(client, path.format(**ids))
    in_files = sum(files.values())
    told = f"{html / 1000:6.1f} KB HTML {in_files / 1000:6.1f} KB in {len(files)} files"
    print(f"\n{path:52}{told} {(html + in_files) / 1000:6.1f} KB")
    assert html + in_files <= MOST_BYTES, sorted(files.items(), key=lambda each: -each[1])[:8]


def test_a_second_visit_asks_for_the_page_alone(visitor: tuple[Browser, dict[str, str]]) -> None:
    client, _ = visitor
    _html, files = fetch(client, "/projects")
    for url in files:
        with client.get(url) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", url


def test_a_browser_that_knows_no_gzip_gets_the_same_bytes(visitor: tuple[Browser, dict[str, str]]) -> None:
    client, _ = visitor
    _html, files = fetch(client, "/projects")
    for url in files:
        with client.get(url) as plain, client.get(url, headers={"Accept-Encoding": "gzip"}) as small:
            assert "Content-Encoding" not in plain.headers
            assert small.headers["Content-Encoding"] == "gzip", url
            assert gzip.decompress(small.data) == plain.data
            assert small.mimetype == plain.mimetype
            assert "Accept-Encoding" in plain.headers["Vary"]
            assert small.headers["X-Content-Type-Options"] == "nosniff"
