"""Strings that break other people's programs, on every parameter of every route: refused or taken as text."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from flask import Flask

from tests.access.pages import PARTS, THINGS
from tests.access.world import World, be, undo
from tests.conftest import Browser
from tests.factories import Make
from tests.test_access import routes
from webapp.request_extensions import limiter

HOSTILE = [
    "' OR 1=1 --",
    "1; DROP TABLE webhook; --",
    "%25'\"`\\",
    "\x00",
    "{{7*7}}${7*7}<%=7*7%>",
    "../../../../etc/passwd",
    "9" * 400,
    "-1e309",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") * 30,
    "\u202e\u2028\ufeff",
    "2026-02-30T25:61:61Z",
]
PARAMETERS = """
q name status event project project_id projectId webhook webhookId since until from to cursor after limit page sort
order tag assignee list kind next attempt format open number rules match path operator value token ids
""".split()  # noqa: SIM905
SLOWEST_S = 2.0
LEAKS = re.compile(r"sqlite3|psycopg|sqlalchemy|Traceback|syntax error|OperationalError", re.IGNORECASE)


@pytest.fixture
def world(make: Make, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limiter, "enabled", False)
    return World(make)


@pytest.mark.proves("W39", "W46")
def test_no_parameter_of_a_page_or_a_call_breaks_it(app: Flask, client: Browser, world: World, database: str) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    be(client, world.owner)
    wrong, read = [], 0
    with undo(database) as kept:
        for number, (method, rule) in enumerate(routes(app)):
            if method == "GET" and not rule.rule.startswith("/inbox/"):
                for place, text in enumerate(HOSTILE):
                    if (
                        number + place
                    ) % 3 == 0:  # each route meets a third of them, each of them a third of the routes
                        answer, took = _ask(client, world, rule, text)
                        read += 1
                        if answer.status_code >= 500 or LEAKS.search(answer.text) or took > SLOWEST_S:
                            wrong.append(f"{rule.rule} {text[:20]!r}: {answer.status_code} in {took:.1f} s")
        assert not kept.is_written
    assert wrong == []
    assert read > 150


def _ask(client: Browser, world: World, rule: Any, text: str) -> tuple[Any, float]:
    values = {name: world.ids[THINGS.get(rule.rule, {}).get(name, name)] for name in rule.arguments}
    headers = {"HX-Request": "true"} if rule.rule in PARTS else {}
    if rule.rule.startswith("/api/"):
        headers["Authorization"] = f"Bearer {world.tokens['OWNER']}"
    begun = time.monotonic()
    answer = client.get(
        rule.build(values, append_unknown=False)[1],
        query_string=dict.fromkeys(PARAMETERS, text),
        headers=headers,
        buffered=True,
    )
    return answer, time.monotonic() - begun


@pytest.mark.proves("W39")
def test_no_part_of_an_address_breaks_it(app: Flask, client: Browser, world: World, database: str) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    be(client, world.owner)
    wrong = []
    with undo(database) as kept:
        for number, (method, rule) in enumerate(routes(app)):
            if method == "GET" and rule.arguments and not rule.rule.startswith("/inbox/"):
                text = HOSTILE[number % len(HOSTILE)]
                texts = dict.fromkeys(rule.arguments, text.replace("/", "_"))
                path = rule.build(texts | {"number": 9}, append_unknown=False)
                bearer = {"Authorization": f"Bearer {world.tokens['OWNER']}"} if rule.rule.startswith("/api/") else {}
                answer = client.get(path[1], headers=bearer) if path else None
                if answer is not None and (answer.status_code not in {303, 400, 404, 422} or kept.is_written):
                    wrong.append(f"{rule.rule} {text[:20]!r}: {answer.status_code}")
    assert wrong == []
