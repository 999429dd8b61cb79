"""Record filters over REST: set, read, changed, removed, refused with the place; and what events tell of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import AuditEntry, Base, Webhook, WebhookSnapshot

URL = "https://93.184.216.34/hooks"  # by number, so that no name is looked up
DONE = {"match": "any", "rules": [{"path": "record.todoList.title", "operator": "is", "value": "Done"}]}


def made(api: Program, **values: Any) -> Any:
    answer = api.post("/webhooks", {"name": "Orders", "url": URL, **values})
    assert answer.status_code == 201, answer.json
    return answer.json


def test_a_filter_is_set_read_changed_and_removed(api: Program) -> None:
    webhook = made(api, filter=DONE)
    path = f"/webhooks/{webhook['id']}"
    assert webhook["filter"] == DONE
    assert api.get(path).json["filter"] == DONE
    changed = {"match": "all", "rules": [{"path": "value.done", "operator": "changed"}]}
    assert api.patch(path, {"filter": changed}).json["filter"] == changed
    assert api.patch(path, {"name": "Other"}).json["filter"] == changed
    assert api.patch(path, {"filter": None}).json["filter"] is None
    assert api.get("/webhooks").json["items"][0]["filter"] is None
    assert db.session.scalar(sa.select(sa.func.count()).where(Webhook.filter.is_(None))) == 1


@pytest.mark.parametrize("values", [{}, {"filter": None}, {"filter": {"match": "any", "rules": []}}])
def test_no_rules_are_no_filter(api: Program, values: dict[str, Any]) -> None:
    assert made(api, **values)["filter"] is None


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("all", "filter"),
        ([], "filter"),
        ({"match": "some", "rules": []}, "filter.match"),
        ({"rules": [{"path": "record.title", "operator": "is", "value": "a"}] * 26}, "filter.rules"),
        ({"rules": [DONE["rules"][0], {"path": "title", "operator": "is", "value": "a"}]}, "filter.rules.1.path"),
        ({"rules": [{"path": "record.title", "operator": "matches", "value": "a"}]}, "filter.rules.0.operator"),
        ({"rules": [{"path": "record.title", "operator": "greater", "value": "a"}]}, "filter.rules.0.value"),
        ({"rules": [{"path": "record.title", "operator": "is", "value": "a\0"}]}, "filter.rules.0.value"),
    ],
)
def test_a_wrong_filter_is_refused_with_its_place(api: Program, written: Any, field: str) -> None:
    answer = api.post("/webhooks", {"name": "Orders", "url": URL, "filter": written})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert api.get("/webhooks").json["items"] == []
    webhook = made(api, filter=DONE)
    answer = api.patch(f"/webhooks/{webhook['id']}", {"filter": written, "name": "Not saved"})
    assert answer.status_code == 422
    kept = api.get(f"/webhooks/{webhook['id']}").json
    assert (kept["filter"], kept["name"]) == (DONE, "Orders")


def test_a_filter_makes_no_snapshot_and_stands_in_none(api: Program, count: Callable[[type[Base]], int]) -> None:
    webhook = made(api, filter=DONE)
    changed = api.patch(f"/webhooks/{webhook['id']}", {"filter": None}).json
    api.patch(f"/webhooks/{webhook['id']}", {"filter": DONE})
    assert count(WebhookSnapshot) == 1
    assert changed["updatedAt"] == webhook["updatedAt"]
    snapshot = db.session.scalars(sa.select(WebhookSnapshot)).one()
    assert b"filter" not in snapshot.body
    api.patch(f"/webhooks/{webhook['id']}", {"filter": None, "name": "New"})
    assert count(WebhookSnapshot) == 2


def test_the_verdict_of_an_event_names_the_rule_and_what_it_saw(api: Program, make: Make, cast: Cast) -> None:
    project = make.project_of(cast.admin)
    webhook = made(api, filter={"rules": [{"path": "record.title", "operator": "contains", "value": "Ada"}]})
    event = {"event": "TODO_CREATED", "projectId": project.id, "currentValue": {"id": "r1", "title": "Call Bob"}}
    identifier = api.post("/events", event).json["id"]
    fan_out()
    (verdict,) = api.get(f"/events/{identifier}").json["verdicts"]
    assert verdict == {
        "webhookId": webhook["id"],
        "verdict": "filtered",
        "detail": "Filter: rule 1, Title contains “Ada” - found “Call Bob”.",
        "deliveryId": None,
        "state": None,
        "filter": {
            "match": "all",
            "rule": 0,
            "path": "record.title",
            "operator": "contains",
            "value": "Ada",
            "found": "Call Bob",
        },
    }
    assert api.get("/events").json["items"][0]["verdicts"] == [verdict]


def test_a_verdict_of_a_filter_that_cannot_be_read_says_so(api: Program, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, filter={"rules": "of next year"})
    event = {"event": "TODO_CREATED", "projectId": make.project_of(cast.admin).id, "currentValue": {"id": "r1"}}
    identifier = api.post("/events", event).json["id"]
    fan_out()
    (verdict,) = api.get(f"/events/{identifier}").json["verdicts"]
    assert verdict["verdict"] == "filtered"
    assert verdict["detail"] == "The webhook's record filter lets no event pass."


def test_who_changed_a_filter_and_how_is_noted(api: Program, cast: Cast) -> None:
    webhook = made(api, filter=DONE)
    api.patch(f"/webhooks/{webhook['id']}", {"filter": None})
    api.patch(f"/webhooks/{webhook['id']}", {"filter": None})
    created, edited = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject == f"webhook:{webhook['id']}").order_by(AuditEntry.seq)
    )
    assert created.detail["filter"] == DONE
    assert (edited.user_id, edited.detail) == (cast.admin.id, {"filter": [DONE, None]})
