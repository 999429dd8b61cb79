"""What holds for every route: no change without a token of the session, none by reading, headers on every answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from tests.access.calls import BODIES
from tests.access.pages import FORM, PARTS, QUERIES, THINGS
from tests.access.world import Undo, World, be, undo
from tests.conftest import Browser
from tests.factories import Make
from tests.test_access import routes
from webapp.accounts import tokens
from webapp.models import Project
from webapp.request_extensions import limiter
from webapp.web import headers

API, INBOX = "/api/", "/inbox/"
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
FOREIGN = "https://evil.example"
DATA = {"Cache-Control": re.compile("no-store"), "X-Request-Id": re.compile(r"[0-9a-f]{16}")}
POLICY = re.escape(headers.CONTENT_SECURITY_POLICY)
Send = Callable[..., Any]


@pytest.fixture
def world(make: Make, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limiter, "enabled", False)
    return World(make)


@pytest.fixture
def kept(database: str, world: World) -> Iterator[Undo]:
    """Whether anything was written since the world was made."""
    with undo(database) as kept:
        yield kept


@pytest.fixture
def send(client: Browser, world: World) -> Send:
    """Send one request to a route as its owner: `send(method, rule)`."""

    def request(method: str, rule: Any, *, person: str | None = "OWNER", given: Any = None, **extra: str) -> Any:
        values = {name: world.ids[THINGS.get(rule.rule, {}).get(name, name)] for name in rule.arguments}
        path = rule.build(values, append_unknown=False)[1]
        is_call = path.startswith(API)
        sent: dict[str, Any] = {}
        if is_call and method in UNSAFE:
            sent["json"] = world.filled(BODIES.get(rule.rule, {}))
        elif method in UNSAFE:
            sent["data"] = world.filled(FORM) | (given or {})
        else:
            sent["query_string"] = QUERIES.get(rule.rule)
        if is_call and person:
            extra["Authorization"] = f"Bearer {world.tokens[person]}"
        if rule.rule in PARTS:
            extra["HX-Request"] = "true"
        return client.open(path, method=method, headers=extra, **sent)

    return request


def pages(app: Flask, *, unsafe: bool) -> Iterator[tuple[str, Any]]:
    """Methods and rules of what a browser uses."""
    for method, rule in routes(app):
        if (method in UNSAFE) is unsafe and not rule.rule.startswith((API, INBOX)):
            yield method, rule


def token_of(client: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/docs").text)
    assert found
    return found[1]


@pytest.mark.proves("W01", "A61")
def test_no_form_is_taken_without_a_token_with_anothers_or_from_another_site(
    app: Flask, client: Browser, world: World, kept: Undo, send: Send
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    other = app.test_client()
    be(other, world.people["ADMIN"])
    be(client, world.owner)
    own, anothers = token_of(client), token_of(other)
    tried = 0
    wrong = []
    for method, rule in pages(app, unsafe=True):
        for how, given, extra in (
            ("without a token", {}, {}),
            ("with another's token", {"csrf_token": anothers}, {}),
            ("from another site", {"csrf_token": own}, {"Origin": FOREIGN}),
            ("from a page of another site", {"csrf_token": own}, {"Referer": FOREIGN + "/localhost"}),
        ):
            answer = send(method, rule, given=given, **extra)
            tried += 1
            if answer.status_code not in {400, 403} or kept.is_written:
                wrong.append(f"{method} {rule.rule} {how}: {answer.status_code}, written: {kept.is_written}")
                kept.restore()
    assert wrong == []
    assert tried > 400


@pytest.mark.proves("W01", "A61")
def test_no_call_of_the_api_is_taken_by_cookie(
    app: Flask, client: Browser, world: World, kept: Undo, send: Send
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    be(client, world.owner)
    own, wrong = token_of(client), []
    for method, rule in routes(app):
        if rule.rule.startswith(API) and rule.endpoint != "document.show" and not rule.rule.endswith("openapi.json"):
            answer = send(method, rule, person=None, **{"X-CSRFToken": own})
            if answer.status_code != 401 or kept.is_written or "Set-Cookie" in answer.headers:
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")
    assert wrong == []


@pytest.mark.proves("W02")
def test_reading_changes_nothing(app: Flask, client: Browser, world: World, kept: Undo, send: Send) -> None:
    be(client, world.owner)
    client.get("/api/v1/projects", headers={"Authorization": f"Bearer {world.tokens['OWNER']}"})
    before, written, read = kept.now(), [], 0
    for method, rule in routes(app):
        if method == "GET" and not rule.rule.startswith(INBOX):
            for verb in ("GET", "HEAD"):
                read += send(verb, rule).status_code == 200
                if kept.now() != before:
                    written.append(f"{verb} {rule.rule}")
                    before = kept.now()
    assert written == []
    assert read > 200


def missing(answer: Any) -> list[str]:
    """Which headers an answer lacks."""
    expected = {name: re.compile(re.escape(value)) for name, value in headers.PAGE_HEADERS.items()} | DATA
    if "attachment" in answer.headers.get("Content-Disposition", ""):
        expected["Content-Security-Policy"] = re.compile("sandbox; default-src 'none'$|" + POLICY)
    found = [name for name, value in expected.items() if not value.match(answer.headers.get(name, ""))]
    if not {"Cookie", "HX-Request"} <= set(answer.vary):
        found.append("Vary")
    return found + [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.proves("A63", "W07", "W08", "W09", "W43", "W44")
@pytest.mark.parametrize(("person", "statuses"), [("OWNER", {200, 201, 303, 422}), (None, {200, 303, 401, 404})])
def test_every_route_answers_with_the_headers(
    app: Flask, client: Browser, world: World, kept: Undo, send: Send, person: str | None, statuses: set[int]
) -> None:
    wrong, met = [], set()
    for method, rule in routes(app):
        be(client, world.people.get(person or ""))
        preflight = {"Origin": FOREIGN, "Access-Control-Request-Method": method}
        for verb, extra in ((method, {}),) if person else ((method, {}), ("OPTIONS", preflight)):
            answer = send(verb, rule, person=person, **extra)
            met.add(answer.status_code)
            faults = missing(answer)
            if faults and not rule.rule.startswith(INBOX):  # which answers only what it was told to
                wrong.append(f"{verb} {rule.rule}: {answer.status_code} {faults}")
        kept.restore()
    assert wrong == []
    assert statuses <= met


@pytest.mark.proves("A63", "W07", "W09", "W32")
def test_every_error_answers_with_the_headers_and_no_inside(
    app: Flask, client: Browser, make: Make, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    client.sign_in(project.members[0].user)

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("SELECT secret FROM somewhere")

    def busy(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT secret", {}, Exception("database is locked"))

    large = {"data": {"name": "x" * 70_000}}
    place = f"/projects/{project.id}"
    answers = {
        400: [client.post("/preferences", headers={"Origin": FOREIGN}), client.get("/docs", headers={"Host": "evil"})],
        401: [client.get("/api/v1/projects"), app.test_client().get("/projects", headers={"HX-Request": "true"})],
        404: [client.get("/nowhere"), client.get("/api/v1/nowhere"), client.get("/static/nowhere.css")],
        405: [client.delete("/docs"), client.get("/logout"), client.delete("/api/v1/events")],
        413: [client.post("/projects", **large), client.post("/login", **large)],
        422: [client.post("/projects", data={"name": ""})],
        429: [_too_many(client), _too_many_calls(client, make, project)],
    }
    monkeypatch.setitem(app.view_functions, "docs.show", broken)
    monkeypatch.setitem(app.view_functions, "projects.index", busy)
    answers |= {500: [client.get("/docs")], 503: [client.get("/projects")]}
    monkeypatch.undo()
    wrong = [
        (status, answer.request.path, answer.status_code, missing(answer))
        for status, met in answers.items()
        for answer in met
        if answer.status_code != status or (missing(answer) and not answer.request.path.startswith("/static"))
    ]
    assert wrong == []
    for answer in answers[500] + answers[503]:
        assert not re.search(r"SELECT|Traceback|ZeroDivision|locked|\.py", answer.text)
    assert answers[500][0].headers["X-Request-Id"] in answers[500][0].text
    assert client.get(place).status_code == 200


def _too_many(client: Browser) -> Any:
    for _ in range(11):
        answer = client.post("/login", data={"email": "who@example.com", "password": "wrong"})
    assert int(answer.headers["Retry-After"]) > 0
    return answer


def _too_many_calls(client: Browser, make: Make, project: Project) -> Any:
    owner = project.members[0].user
    bearer = {"Authorization": f"Bearer {tokens.create(owner, 'a program')[1]}"}
    webhook = make.webhook(by=owner)
    for _ in range(11):
        answer = client.post(f"/api/v1/webhooks/{webhook.id}/pings", headers=bearer)
    assert int(answer.headers["Retry-After"]) > 0
    return answer


@pytest.fixture
def project(make: Make) -> Project:
    return make.project(owner=make.user())


@pytest.mark.proves("W09")
def test_behind_https_every_answer_asks_to_stay_encrypted(make_app: Callable[..., Flask]) -> None:
    app = make_app(base_url="https://hooks.example.com")
    Make().user()
    for path in ("/docs", "/nowhere", "/api/v1/projects", "/login", "/static/css/app.css"):
        answer = app.test_client().get(path, base_url="https://hooks.example.com", buffered=True)
        if not path.startswith("/static"):
            assert answer.headers["Strict-Transport-Security"] == headers.HSTS, path
        assert "Access-Control-Allow-Origin" not in answer.headers
