"""No call takes a field that it does not name: what only the system sets cannot be slipped in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.access.calls import BODIES
from tests.access.pages import THINGS
from tests.access.world import World, undo
from tests.conftest import Browser
from tests.factories import Make
from tests.test_access import routes
from webapp.request_extensions import limiter

# What somebody would like to set: columns of the tables, and read-only fields of the answers, in both spellings.
WISHED = [
    "id", "uid", "createdAt", "created_at", "updatedAt", "createdById", "created_by_id", "ownerId", "owner", "userUid",
    "isOperator", "is_operator", "status", "health", "state", "secretCiphertext", "secret_ciphertext", "sessionKey",
    "passwordHash", "attemptsMade", "disabledAt", "deletedAt", "snapshotSeq", "seq", "token", "__class__", "$where",
]  # fmt: skip


@pytest.fixture
def world(make: Make, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(limiter, "enabled", False)
    return World(make)


def calls_with_a_body(app: Flask) -> Iterator[tuple[str, Any]]:
    for method, rule in routes(app):
        if rule.rule.startswith("/api/") and method in {"POST", "PUT", "PATCH"} and rule.rule in BODIES:
            yield method, rule


@pytest.mark.proves("W13")
def test_a_field_that_a_call_does_not_name_is_refused_and_nothing_changes(
    app: Flask, client: Browser, world: World, database: str
) -> None:
    document = client.get("/api/v1/openapi.json").json
    bearer = {"Authorization": f"Bearer {world.tokens['OWNER']}"}
    wrong, tried = [], 0
    with undo(database) as kept:
        for method, rule in calls_with_a_body(app):
            named = _named(document, method, rule.rule)
            assert named, rule.rule
            address = rule.build({name: world.ids[_thing(rule.rule, name)] for name in rule.arguments})[1]
            for name in (each for each in WISHED if each not in named):
                body = world.filled(BODIES[rule.rule]) | {name: "slipped in"}
                answer = client.open(address, method=method, json=body, headers=bearer)
                tried += 1
                told = [error["field"] for error in answer.json.get("errors", [])] if answer.is_json else []
                if answer.status_code != 422 or told != [name] or kept.is_written:
                    wrong.append(f"{method} {rule.rule} {name}: {answer.status_code} {told} {kept.is_written}")
                    kept.restore()
    assert wrong == []
    assert tried > 500


def _thing(rule: str, name: str) -> str:
    return THINGS.get(rule, {}).get(name, name)


def _named(document: Any, method: str, rule: str) -> set[str]:
    """The fields that the OpenAPI document names for a call."""
    path = rule.replace("<", "{").replace(">", "}")
    content = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return set(_resolved(document, content)["properties"])


def _resolved(document: Any, schema: Any) -> Any:
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


@pytest.mark.proves("W13")
def test_no_form_sets_what_only_the_system_sets(client: Browser, world: World, database: str) -> None:
    client.sign_in(world.owner)
    slipped = {"is_operator": "1", "created_by_id": world.people["STRANGER"].id, "status": "HEALTHY", "id": "slipped"}
    place = f"/settings/webhooks/{world.ids['webhook_id']}"
    form = {"name": "Mine", "url": "https://example.com/hooks", "payload_format": "full", "enabled": "1"}
    assert client.post(place, data=form | slipped).status_code == 303
    profile = {"name": "Me", "locale": "", "time_zone": "", "theme": "auto", "date_format": ""}
    assert client.post("/settings/profile", data=profile | slipped).status_code == 303
    assert client.get(place).status_code == 200
    assert client.get("/admin/users").status_code == 404
    assert client.sign_in(world.people["STRANGER"]).get(place).status_code == 404
