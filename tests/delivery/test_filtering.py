"""Record filters at fan-out: judged last, recorded with the rule and the value, and free for those who have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.delivery import filters, outbox
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, PayloadFormat, Project, transaction


def only(*rules: tuple[str, str, Any], match: str = "all") -> dict[str, Any]:
    written = [{"path": path, "operator": operator, "value": value} for path, operator, value in rules]
    return filters.check({"match": match, "rules": written}).stored


IS_ADA = only(("record.title", "contains", "ada"))


def publish(project: Project, title: str = "Call Bob", code: str = "TODO_CREATED", **values: Any) -> Event:
    with transaction():
        return outbox.publish(code, project=project, by=None, **{"current": {"id": "c1", "title": title}, **values})


def wanted() -> list[str]:
    db.session.rollback()
    return [json.loads(each.event.current_value)["title"] for each in db.session.scalars(sa.select(Delivery))]


@contextmanager
def statements(containing: str) -> Iterator[list[str]]:
    """The statements sent meanwhile that contain this."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if containing in statement:
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def test_only_records_that_fit_are_sent(make: Make) -> None:
    webhook = make.webhook(filter=IS_ADA)
    project = make.project_of(webhook.created_by)
    refused, kept = publish(project, "Call Bob"), publish(project, "Call Ada")
    fan_out()
    assert wanted() == ["Call Ada"]
    assert kept.refusals is None
    assert refused.refusals == [
        {
            "webhookId": webhook.id,
            "reason": "filtered",
            "match": "all",
            "rule": 0,
            "path": "record.title",
            "operator": "contains",
            "value": "ada",
            "found": "Call Bob",
        }
    ]


def test_the_refusing_rule_is_named_not_the_first_one(make: Make) -> None:
    webhook = make.webhook(filter=only(("value.title", "exists", None), ("value.title", "in", ["a", "b"])))
    event = publish(make.project_of(webhook.created_by))
    fan_out()
    db.session.rollback()
    assert event.refusals is not None
    (refusal,) = event.refusals
    assert (refusal["rule"], refusal["operator"], refusal["value"]) == (1, "in", ["a", "b"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"events": ["TODO_DELETED"]}, "event_not_chosen"), ({"project_ids": ["another"]}, "project_not_chosen")],
)
def test_the_filter_is_judged_last(make: Make, values: dict[str, Any], reason: str) -> None:
    webhook = make.webhook(filter=IS_ADA, **values)
    event = publish(make.project_of(webhook.created_by))
    fan_out()
    db.session.rollback()
    assert event.refusals == [{"webhookId": webhook.id, "reason": reason}]


def test_people_who_do_not_administer_the_project_leave_no_trace_of_its_values(make: Make) -> None:
    make.webhook(filter=IS_ADA)
    event = publish(make.project())
    fan_out()
    db.session.rollback()
    assert event.refusals is None


def test_a_disabled_webhook_holds_only_what_fits(make: Make) -> None:
    webhook = make.webhook(filter=IS_ADA, enabled=False)
    project = make.project_of(webhook.created_by)
    publish(project, "Call Bob")
    publish(project, "Call Ada")
    fan_out()
    assert wanted() == ["Call Ada"]
    assert db.session.scalars(sa.select(Delivery)).one().state is DeliveryState.HELD


def test_a_compact_webhook_is_judged_by_the_full_values(make: Make) -> None:
    webhook = make.webhook(filter=only(("record.todoList.id", "is", "l1")), payload_format=PayloadFormat.COMPACT)
    project = make.project_of(webhook.created_by)
    publish(project, current={"title": "here", "todoList": {"id": "l1"}})
    publish(project, current={"title": "there", "todoList": {"id": "l2"}})
    fan_out()
    assert wanted() == ["here"]


def test_deletions_are_judged_by_the_previous_value(make: Make) -> None:
    webhook = make.webhook(filter=IS_ADA)
    project = make.project_of(webhook.created_by)
    fits = publish(project, code="TODO_DELETED", previous={"title": "Ada"}, current=None)
    publish(project, code="TODO_DELETED", previous={"title": "Bob"}, current=None)
    fan_out()
    db.session.rollback()
    assert [each.event_seq for each in db.session.scalars(sa.select(Delivery))] == [fits.seq]


def test_each_webhook_is_judged_by_its_own_filter(make: Make) -> None:
    owner = make.user()
    project = make.project(owner)
    ada = make.webhook(by=owner, filter=IS_ADA)
    bob = make.webhook(by=owner, filter=only(("record.title", "contains", "bob")))
    everything = make.webhook(by=owner)
    publish(project, "Call Bob")
    publish(project, "Call Ada")
    fan_out()
    db.session.rollback()
    counts = {each.id: 0 for each in (ada, bob, everything)}
    for delivery in db.session.scalars(sa.select(Delivery)):
        counts[delivery.webhook_id] += 1
    assert counts == {ada.id: 1, bob.id: 1, everything.id: 2}


def test_a_filter_that_cannot_be_read_refuses_and_stops_nobody_else(make: Make) -> None:
    owner = make.user()
    project = make.project(owner)
    broken = make.webhook(by=owner, filter={"match": "all", "rules": [{"path": "of next year"}]})
    make.webhook(by=owner)
    event = publish(project)
    assert fan_out() == 1
    assert wanted() == ["Call Bob"]
    assert event.refusals == [{"webhookId": broken.id, "reason": "filtered", "match": "any"}]


def test_values_are_read_once_for_all_filters_and_only_when_one_asks(make: Make) -> None:
    owner = make.user()
    project = make.project(owner)
    make.webhook(by=owner)
    make.webhook(by=owner, filter=IS_ADA, events=["TAG_CREATED"])  # asks for no value of a record's event
    publish(project)
    publish(project)
    with statements("event.current_value") as reads:
        fan_out()
    assert reads == []
    for _ in range(3):
        make.webhook(by=owner, filter=IS_ADA)
    publish(project)
    publish(project)
    with statements("event.current_value") as reads:
        fan_out()
    assert len(reads) == 2


def test_hostile_values_can_be_kept_as_what_a_rule_saw(make: Make) -> None:
    webhook = make.webhook(filter=only(("value.title", "is", "x")))
    event = publish(make.project_of(webhook.created_by), "a\0b“\\u0000'; --")
    fan_out()
    db.session.rollback()
    assert event.refusals is not None
    assert event.refusals[0]["found"] == "a�b“\\u0000'; --"
