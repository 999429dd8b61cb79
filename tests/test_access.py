"""Every route, tried by everybody: each role of its project, another company, an operator, suspended, signed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.access.calls import BODIES, CALLS
from tests.access.outcomes import IN, NONE, ROLE, SIGN_IN, TOLD
from tests.access.pages import FORM, PAGES, PARTS, QUERIES, THINGS
from tests.access.world import PEOPLE, World, be, undo
from tests.conftest import Browser
from tests.factories import Make
from webapp.request_extensions import limiter

TABLE = PAGES | CALLS
API = "/api/"
# Pages that are there to be read, and have a form for those who may more.
READ_TOO = {
    "/companies/<company_id>",
    "/projects/<project_id>/fields",
    "/projects/<project_id>/members",
    "/projects/<project_id>/settings",
    "/projects/<project_id>/tags",
    "/settings/webhooks",
}
OUTCOMES = {401: SIGN_IN, 403: ROLE, 404: NONE, 409: IN, 422: IN}

Try = Callable[[str, str, Rule], Any]


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Method and rule of each, static files left out."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule


@pytest.mark.proves("A60", "W11")
def test_every_route_says_who_is_let_in(app: Flask) -> None:
    known = {f"{method} {rule.rule}" for method, rule in routes(app)}
    assert sorted(known - TABLE.keys()) == [], "a route without an entry in tests/access/pages.py or calls.py"
    assert sorted(TABLE.keys() - known) == [], "an entry without a route"


def test_what_is_sent_belongs_to_a_route(app: Flask) -> None:
    rules = {rule.rule for _method, rule in routes(app)}
    assert {*THINGS, *PARTS, *QUERIES, *BODIES} <= rules


def test_who_may_not_send_a_form_does_not_get_it_either() -> None:
    for path in {path for path in (name.removeprefix("POST ") for name in PAGES) if f"GET {path}" in PAGES}:
        given, taken = PAGES[f"GET {path}"], PAGES.get(f"POST {path}", {})
        if path not in READ_TOO:
            assert [person for person in PEOPLE if given[person] == IN != taken.get(person, IN)] == [], path


@pytest.fixture
def world(make: Make) -> World:
    return World(make)


@pytest.fixture
def try_as(app: Flask, client: Browser, world: World, monkeypatch: pytest.MonkeyPatch) -> Try:
    """Ask for a route as this person; rates are not counted."""
    monkeypatch.setattr(limiter, "enabled", False)

    def attempt(person: str, method: str, rule: Rule) -> Any:
        address = _address(rule, world.ids)
        if address.startswith(API):
            return be(client, None).open(address, method=method, **_call(person, method, rule, world))
        sent = {"query_string": QUERIES.get(rule.rule)} if method == "GET" else {"data": world.filled(FORM)}
        headers = {"HX-Request": "true"} if rule.rule in PARTS else {}
        return be(client, world.people.get(person)).open(address, method=method, headers=headers, **sent)

    return attempt


def _address(rule: Rule, ids: dict[str, Any]) -> str:
    things = THINGS.get(rule.rule, {})
    values = {name: ids[things.get(name, name)] for name in rule.arguments}
    built = rule.build(values, append_unknown=False)
    assert built is not None, rule.rule
    return built[1]


def _call(person: str, method: str, rule: Rule, world: World) -> dict[str, Any]:
    token = world.tokens.get(person)
    sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"} if token else {}}
    return sent | {"json": world.filled(BODIES.get(rule.rule, {}))} if method in {"PATCH", "POST", "PUT"} else sent


@pytest.mark.proves("W11", "W12")
@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_is_let_in_where_the_table_says_and_nobody_else_changes_anything(
    app: Flask, database: str, try_as: Try, person: str
) -> None:
    wrong = []
    with undo(database) as kept:
        for method, rule in routes(app):
            name = f"{method} {rule.rule}"
            expected, answer = TABLE.get(name, {}).get(person), try_as(person, method, rule)
            met = TOLD if expected == TOLD and answer.status_code in {303, 422} else _met(answer)
            if met != expected:
                wrong.append(f"{name}: {met}, not {expected} ({answer.status_code})")
            elif expected != IN and kept.is_written:
                wrong.append(f"{name}: {met}, but something was written")
            kept.restore()
    assert wrong == []


def _met(answer: Any) -> str:
    """What somebody meets by this answer; of one that no table expects the status."""
    if (answer.location or "").startswith("/login?next=") or "HX-Redirect" in answer.headers:
        return SIGN_IN
    return IN if answer.status_code < 400 else OUTCOMES.get(answer.status_code, str(answer.status_code))
