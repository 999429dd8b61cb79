"""Whatever others write is shown as text: every page is opened in a real browser with script in all that people and
receivers can fill in; no script runs, no policy is breached, and nobody else's server is asked for anything."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page
from werkzeug.serving import make_server

from tests.access.pages import QUERIES, THINGS
from tests.access.world import World
from tests.chaos.installation import wait_until
from tests.factories import Make
from tests.test_access import routes
from webapp.accounts.sign_in import ticket
from webapp.models import audit, transaction
from webapp.request_extensions import limiter

pytestmark = pytest.mark.journey

PATIENCE_S = 240
NO_PAGES = ("/api/", "/inbox/", "/healthz", "/readyz", "/metrics")
# Answers that are files to keep, and parts that only a page asks for.
NOT_OPENED = ("/body", "/payload", "/answer", "/refused", "<ending>", "/news", "/requests", "/sent")
TEXTS = {
    "company": ["name", "description"],
    "project": ["name", "description"],
    "list": ["title"],
    "record": ["title", "text", "html"],
    "comment": ["text", "html"],
    "checklist": ["title"],
    "checklist_item": ["title"],
    "custom_field": ["name", "description"],
    "tag": ["title"],
    "user": ["name"],
    "api_token": ["name"],
    "inbox": ["name", "answer_body"],
    "inbox_request": ["path", "event_type", "method", "address"],
    "invitation": ["email"],
    "attempt": ["url", "sentence", "phrase", "worker", "peer"],
    "webhook": ["name"],
    "record_import": ["list_title", "file_name", "text"],
    "worker": ["host", "version"],
}
HEADERS = {"attempt": ["request_headers", "response_headers"], "inbox_request": ["headers"]}
BODIES = {"attempt": ["response_body"], "inbox_request": ["body"]}
VALUES = {"event": ["current_value", "previous_value"]}
# What a link, an image or a form of the page leads to, by another scheme than those of the web.
LEADS_AWAY = """() => [...document.querySelectorAll('[href],[src],[action],[formaction],[data]')].flatMap(one =>
  ['href', 'src', 'action', 'formaction', 'data'].map(name => one.getAttribute(name)).filter(Boolean)
).filter(address => {
  const url = new URL(address, 'http://localhost');
  return !['http:', 'https:'].includes(url.protocol);
})"""


def payload(canary: str) -> str:
    """Script in every way that a page could let it in, and requests that tell on it."""
    return (
        f"\"'><script>alert(1)</script><img src={canary}/img onerror=alert(2)><svg onload=alert(3)><b>"
        f"</textarea></title></style></pre><iframe src={canary}/frame></iframe><link rel=stylesheet href={canary}/css>"
        f"<a href=javascript:alert(4) autofocus onfocus=alert(5)>x</a><form action={canary}/form><input name=q></form>"
        f"<meta http-equiv=refresh content='0;url={canary}/meta'><base href={canary}/>{{{{7*7}}}}${{alert(6)}}<!--"
        f"\u2028\u202e\x00 javascript:alert(7) <div hx-get={canary}/hx hx-trigger=load></div>"
    )


class Canary:
    """Listens, and counts who comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._listener.settimeout(0)

    def visits(self) -> int:
        """How many have come since it was asked last."""
        count = 0
        while True:
            try:
                self._listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    with closing(Canary()) as canary:
        yield canary


@pytest.fixture
def world(make: Make, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limiter, "enabled", False)
    return World(make)


@pytest.fixture
def cookies(app: Flask, world: World) -> dict[str, str]:
    """A session of each person."""
    sign = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return {name: sign.dumps({"_user_id": ticket(user), "_fresh": True}) for name, user in world.people.items()}


@pytest.fixture
def poisoned(world: World, cookies: dict[str, str], database: str, canary: Canary) -> World:
    """The world with script in each text."""
    text = payload(canary.url)
    with transaction():
        audit.note(
            "webhook.edited", f"webhook:{world.ids['webhook_id']}", world.owner, name=[text, text], url=[text, text]
        )
    headers, body = json.dumps([[text, text], ["Content-Type", "text/html"]]), text.encode()
    value = json.dumps({"id": text, "title": text, "todo": {"id": text, "title": text}, text: [text]}).encode()
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection, connection:
        for table, columns, filling in (
            *((table, columns, text) for table, columns in TEXTS.items()),
            *((table, columns, headers) for table, columns in HEADERS.items()),
            *((table, columns, body) for table, columns in BODIES.items()),
            *((table, columns, value) for table, columns in VALUES.items()),
        ):
            for column in columns:
                changed = connection.execute(f'UPDATE "{table}" SET "{column}" = ?', [filling]).rowcount
                assert changed, table
        connection.execute("UPDATE webhook SET url = ?", [f"https://evil.example/{text[:60]}"])
    return world


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The address of a server of this application."""
    running = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join(timeout=5)
    running.server_close()


def addresses(app: Flask, world: World) -> Iterator[tuple[str, str]]:
    """Each page of the installation: its rule, and its address in this world."""
    for method, rule in routes(app):
        if method == "GET" and not rule.rule.startswith(NO_PAGES) and not rule.rule.endswith(NOT_OPENED):
            values = {name: world.ids[THINGS.get(rule.rule, {}).get(name, name)] for name in rule.arguments}
            built = rule.build(values, append_unknown=False)
            assert built is not None
            yield rule.rule, f"{built[1]}?{QUERIES.get(rule.rule, '')}"


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.proves("A62", "W03", "W05")
@pytest.mark.parametrize("person", ["OWNER", "OPERATOR"])
def test_no_page_runs_what_others_wrote(
    app: Flask,
    cookies: dict[str, str],
    poisoned: World,
    served: str,
    canary: Canary,
    new_window: Callable[..., BrowserContext],
    person: str,
) -> None:
    window = new_window()
    window.add_cookies([{"name": "session", "value": cookies[person], "url": served}])
    page, met = window.new_page(), Met(window)
    faults, opened = [], 0
    for rule, address in addresses(app, poisoned):
        if person == "OPERATOR" and not rule.startswith("/admin"):
            continue
        answer = page.goto(served + address)
        assert answer
        opened += answer.ok
        if answer.status >= 500:
            faults.append(f"{rule}: {answer.status}")
        faults += [f"{rule}: {what}" for what in (*met.now(), *_led_away(page))]
    assert faults == []
    assert canary.visits() == 0
    assert opened > (2 if person == "OPERATOR" else 60)


class Met:
    """What a browser met that no page of ours causes: dialogs, breaches of the policy, errors of scripts."""

    def __init__(self, window: BrowserContext) -> None:
        self._met: list[str] = []
        window.on("dialog", self._dialog)
        window.on("console", lambda told: self._met.append(told.text[:300]) if _is_breach(told.text) else None)
        window.on("weberror", lambda error: self._met.append(str(error.error)[:300]))

    def _dialog(self, dialog: Any) -> None:
        self._met.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def now(self) -> list[str]:
        """What was met since it was asked last."""
        met, self._met = self._met, []
        return met


def _is_breach(text: str) -> bool:
    return "Content Security Policy" in text or "violates" in text or "Refused to" in text


def _led_away(page: Page) -> list[str]:
    found: list[str] = page.evaluate(LEADS_AWAY)
    return [f"leads to {address[:80]}" for address in found if not address.startswith("data:image/svg+xml")]


def test_the_browser_and_the_canary_would_tell(canary: Canary, new_window: Callable[..., BrowserContext]) -> None:
    window = new_window()
    met, page = Met(window), window.new_page()
    page.set_content("<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>x</a>")
    page.wait_for_function("document.images[0].complete")
    assert met.now() == ["a dialog: 1", "a dialog: 2"]
    assert _led_away(page) == ["leads to javascript:alert(3)"]
    page.set_content(f"<img src={canary.url}/img>", wait_until="commit")
    assert wait_until(canary.visits, 5, "the canary is visited")
