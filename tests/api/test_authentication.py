"""One door for all calls: a bearer token, nothing else. And what is not yours is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.routing import Rule

from tests.api.conftest import Program
from tests.conftest import Browser, Cast
from tests.factories import SECRET, Make
from webapp.accounts import tokens
from webapp.api import pace
from webapp.extensions import db
from webapp.models import ApiToken, Base, Company, Event, Project, User, Webhook, transaction, utc_now
from webapp.webhooks import replays
from webapp.webhooks.replays import Chosen

Count = Callable[[type[Base]], int]
Programs = Callable[[User], Program]
PUBLIC = {"/api/v1/openapi.json"}


def calls(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and rule.rule not in PUBLIC:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule


def address(rule: Rule, ids: dict[str, str]) -> str:
    built = rule.build({name: ids.get(name, "missing") for name in rule.arguments}, append_unknown=False)
    assert built is not None
    return built[1]


def test_every_call_asks_for_a_token(app: Flask, client: Browser) -> None:
    seen = list(calls(app))
    assert len(seen) >= 20
    for method, rule in seen:
        answer = client.open(address(rule, {}), method=method, json={})
        assert answer.status_code == 401, (method, rule.rule)
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_openapi_alone_is_public(client: Browser) -> None:
    for path in PUBLIC:
        assert client.get(path).status_code == 200


NO_TOKENS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer pat_",
    "Bearer x",
    "Basic {token}",
    "{token}",
    "Bearer {token}x",
    "Bearer {token} {token}",
    "Bearer {unknown}",
    "Bearer ä\x01",
]


def test_anything_but_a_valid_bearer_token_is_refused(api: Program) -> None:
    unknown = api.token[:-4] + ("AAAA" if not api.token.endswith("AAAA") else "BBBB")
    for header in NO_TOKENS:
        text = header.format(token=api.token, unknown=unknown)
        answer = api.client.get("/api/v1/projects", headers={"Authorization": text} if text else {})
        assert answer.status_code == 401, header
        assert "Settings → API" in answer.json["detail"]


def test_the_scheme_is_read_in_any_case(api: Program) -> None:
    assert api.client.get("/api/v1/projects", headers={"Authorization": f"bearer {api.token}"}).status_code == 200


@pytest.mark.proves("W23")
def test_a_token_in_the_address_or_the_body_is_no_token(api: Program) -> None:
    for query in ("token", "access_token", "authorization"):
        assert api.client.get(f"/api/v1/projects?{query}={api.token}").status_code == 401
    assert api.client.post("/api/v1/events", data={"access_token": api.token}).status_code == 401


def test_a_revoked_and_an_expired_token_and_a_suspended_person_are_refused(
    api: Program, app: Flask, cast: Cast
) -> None:
    revoked, text = tokens.create(cast.admin, "old")
    tokens.revoke(revoked, by=cast.admin)
    assert Program(api.client, text).get("/projects").status_code == 401
    _, short = tokens.create(cast.admin, "short", expires_in_days=30)
    with time_machine.travel(utc_now() + timedelta(days=31), tick=True):
        assert Program(api.client, short).get("/projects").status_code == 401
    assert api.get("/projects").status_code == 200
    with transaction():
        cast.admin.suspended_at = utc_now()
    assert api.get("/projects").status_code == 401


def test_a_signed_in_browser_is_nobody_here_and_gets_no_cookie(client: Browser, api: Program, cast: Cast) -> None:
    client.sign_in(cast.admin)
    answer = client.get("/api/v1/projects")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    for signed_in in (client, api.client.sign_in(cast.stranger)):
        answer = signed_in.get("/api/v1/projects", headers={"Authorization": f"Bearer {api.token}"})
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert [item["id"] for item in answer.json["items"]] == [Make().project_of(cast.admin).id]


def test_no_form_of_another_site_can_call(app: Flask, api: Program) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    body = {"name": "Acme"}
    assert api.put("/companies/acme", body, headers={"Origin": "https://evil.example"}).status_code == 200
    assert api.client.put("/api/v1/companies/evil", json=body).status_code == 401
    preflight = api.client.open(
        "/api/v1/events",
        method="OPTIONS",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert not [name for name, _ in preflight.headers if name.startswith("Access-Control-")]


def test_the_use_of_a_token_is_noted(api: Program) -> None:
    api.get("/projects")
    token = db.session.get(ApiToken, api.token.split("_")[1])
    assert token
    assert token.last_used_at is not None


@pytest.mark.proves("W34")
def test_too_many_calls_of_one_token_are_told_when_to_come_back(
    minute_begins: None, api: Program, program: Programs, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "CALLS_A_MINUTE", 3)
    answers = [api.get(path) for path in ("/projects", "/companies", "/webhooks", "/projects")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].mimetype == "application/problem+json"
    assert 2 <= int(answers[3].headers["Retry-After"]) <= 61
    assert "Retry-After" not in answers[0].headers
    assert program(cast.admin).get("/projects").status_code == 200


@pytest.mark.proves("W34")
def test_an_honest_publisher_is_never_stopped(api: Program) -> None:
    assert pace.CALLS_A_MINUTE / 60 >= 2 * 100


@pytest.fixture
def belongings(cast: Cast, make: Make) -> dict[str, str]:
    """One of each kind of thing of `cast.admin`."""
    project = make.project_of(cast.admin)
    webhook = make.webhook(by=cast.admin)
    event = make.event(project, fanned_out_at=utc_now())
    item = make.item(make.checklist(make.record(make.list(project))))
    return {
        "company_id": project.company_id,
        "project_id": project.id,
        "record_id": item.checklist.record_id,
        "comment_id": make.comment(item.checklist.record, by=cast.admin).id,
        "user_id": cast.teammate.id,
        "list_id": item.checklist.record.list_id,
        "tag_id": make.tag(project).id,
        "field_id": make.field(project).id,
        "checklist_id": item.checklist_id,
        "item_id": item.id,
        "webhook_id": webhook.id,
        "event_id": event.id,
        "delivery_id": make.delivery(webhook, event).id,
        "replay_id": replays.start(webhook, Chosen(utc_now()), by=cast.admin).id,
        "code": "TODO_CREATED",  # these two are everybody's
        "payload_format": "full",
    }


BODIES: dict[str, Any] = {
    "/api/v1/companies/<company_id>": {"name": "Mine now"},
    "/api/v1/projects/<project_id>": {"name": "Mine now", "companyId": "acme"},
    "/api/v1/projects/<project_id>/members": {"email": "me@example.com", "role": "OWNER"},
    "/api/v1/projects/<project_id>/members/<user_id>": {"role": "OWNER"},
    "/api/v1/projects/<project_id>/lists": {"title": "Mine now"},
    "/api/v1/projects/<project_id>/tags": {"title": "Mine now"},
    "/api/v1/projects/<project_id>/custom-fields": {"name": "Mine now", "kind": "NUMBER"},
    "/api/v1/lists/<list_id>": {"title": "Mine now"},
    "/api/v1/lists/<list_id>/records": {"title": "Mine now"},
    "/api/v1/records/<record_id>": {"title": "Mine now"},
    "/api/v1/records/<record_id>/moves": {"listId": "mine"},
    "/api/v1/records/<record_id>/assignees": {"assigneeIds": []},
    "/api/v1/records/<record_id>/tags": {"tagTitles": ["Mine now"]},
    "/api/v1/records/<record_id>/field-values/<field_id>": {"value": "Mine now"},
    "/api/v1/tags/<tag_id>": {"title": "Mine now"},
    "/api/v1/custom-fields/<field_id>": {"name": "Mine now"},
    "/api/v1/records/<record_id>/comments": {"text": "Mine now"},
    "/api/v1/records/<record_id>/checklists": {"title": "Mine now"},
    "/api/v1/comments/<comment_id>": {"text": "Mine now"},
    "/api/v1/checklists/<checklist_id>": {"title": "Mine now"},
    "/api/v1/checklists/<checklist_id>/items": {"title": "Mine now"},
    "/api/v1/checklist-items/<item_id>": {"title": "Mine now"},
    "/api/v1/checklist-items/<item_id>/assignees": {"assigneeIds": []},
    "/api/v1/webhooks/<webhook_id>": {"name": "Mine now", "enabled": False},
    "/api/v1/webhooks/<webhook_id>/releases": {"mode": "discard"},
    "/api/v1/webhooks/<webhook_id>/replays": {"since": "2026-05-04T12:00:00Z"},
}


def test_what_is_not_yours_is_not_there(
    app: Flask, program: Programs, cast: Cast, belongings: dict[str, str], count: Count
) -> None:
    """Each call with an id, by a stranger: 404, the same as for an id that does not exist, and nothing changes."""
    stranger = program(cast.stranger)
    before = {table: count(table) for table in (Company, Project, Webhook, Event)}
    with_ids = [(method, rule) for method, rule in calls(app) if rule.arguments - {"code", "payload_format"}]
    assert len(with_ids) >= 10
    for method, rule in with_ids:
        body = BODIES.get(rule.rule) if method in {"PUT", "PATCH", "POST"} else None
        foreign = stranger(method, address(rule, belongings).removeprefix("/api/v1"), body)
        assert foreign.status_code == 404, (method, rule.rule)
        if method != "PUT":
            missing = stranger(method, address(rule, {}).removeprefix("/api/v1"), body)
            assert missing.json["detail"] == foreign.json["detail"]
    assert {table: count(table) for table in before} == before
    assert db.session.get_one(Webhook, belongings["webhook_id"]).name == "Orders"


def test_a_teammate_sees_the_project_and_not_the_webhooks(
    program: Programs, cast: Cast, belongings: dict[str, str]
) -> None:
    teammate = program(cast.teammate)
    assert teammate.get("/projects/" + belongings["project_id"]).status_code == 200
    assert teammate.get("/events/" + belongings["event_id"]).json["verdicts"] == []
    assert teammate.get("/webhooks/" + belongings["webhook_id"]).status_code == 404
    assert teammate.get("/deliveries/" + belongings["delivery_id"]).status_code == 404
    assert teammate.get("/deliveries").json["items"] == []
    renamed = teammate.put(
        "/projects/" + belongings["project_id"], {"name": "Mine", "companyId": belongings["company_id"]}
    )
    assert renamed.status_code == 404


def test_no_answer_to_a_read_holds_a_secret(app: Flask, api: Program, belongings: dict[str, str]) -> None:
    for method, rule in calls(app):
        if method == "GET":
            answer = api.get(address(rule, belongings).removeprefix("/api/v1"))
            assert answer.status_code == 200, rule.rule
            assert SECRET not in answer.text
            assert api.token not in answer.text
