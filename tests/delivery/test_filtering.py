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
from webapp.workspace import records
from webapp.workspace.record_changes import RecordChanges


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
            "reason": "filtered",
            "webhookIds": [webhook.id],
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
    assert event.refusals == [{"reason": reason, "webhookIds": [webhook.id]}]


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
    assert event.refusals == [{"reason": "filtered", "webhookIds": [broken.id], "match": "any"}]


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


@pytest.mark.parametrize(
    ("path", "operator", "value"),
    [
        ("record.todoTags.tag.title", "is", "urgent"),
        ("record.todoTags.tag.title", "not_contains", "later"),
        ("record.todoUsers.user.email", "is", "ada@example.com"),
        ("record.todoCustomFields.customField.name", "is", "Channel"),
        ("record.todoCustomFields.text", "contains", "news"),
        ("record.todoCustomFields.number", "greater", 6),
        ("record.todoCustomFields.customFieldOption.title", "in", ["small", "medium"]),
        ("record.todoCustomFields.todoCustomFieldOptions.customFieldOption.title", "is", "Green"),
        ("record.duedAt", "less", "2026-06-01"),
    ],
)
def test_what_hangs_on_a_record_is_found_by_a_filter(make: Make, path: str, operator: str, value: Any) -> None:
    ada = make.user(email="ada@example.com")
    project = make.project(owner=ada)
    make.webhook(by=ada, filter=only((path, operator, value)), events=["TODO_NAME_CHANGED"])
    text, number = make.field(project), make.field(project, "NUMBER", name="Weight")
    size = make.field(project, "SELECT_SINGLE", name="Size", options="Small Large")
    colours = make.field(project, "SELECT_MULTI", name="Colours", options="Red Green")
    plain, full = (make.record(make.list(project)) for _ in range(2))
    values = {
        text.id: "Newsletter",
        number.id: 7,
        size.id: size.options[0].id,
        colours.id: [option.id for option in colours.options],
    }
    everything: RecordChanges = {
        "tag_titles": ["Urgent", "Soon"],
        "assignee_ids": [ada.id],
        "dued_at": "2026-05-04",
        "field_values": values,
    }
    records.edit(full, everything, by=ada)
    records.edit(plain, {"tag_titles": ["Later"]}, by=ada)
    for record in (plain, full):
        records.rename(record, f"Changed {record.id}", by=ada)
    fan_out()
    assert wanted() == [f"Changed {full.id}"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("record.todoTags.tag.title", {"tag_titles": ["Soon"]}, {"tag_titles": ["Urgent"]}),
        ("record.todoUsers.user.email", {"assignee_ids": []}, {"assignee_ids": ["ada"]}),
    ],
)
def test_a_change_of_what_hangs_on_a_record_is_seen(
    make: Make, path: str, before: RecordChanges, after: RecordChanges
) -> None:
    ada = make.user(id="ada")
    project = make.project(owner=ada)
    record = make.record(make.list(project))
    records.edit(record, before, by=ada)
    make.webhook(by=ada, filter=only((path, "changed", None)))
    records.edit(record, {"title": "Another", **after}, by=ada)
    records.edit(record, {"done": True}, by=ada)
    fan_out()
    db.session.rollback()
    sent = [each.event_type for each in db.session.scalars(sa.select(Delivery).order_by(Delivery.seq))]
    assert "TODO_NAME_CHANGED" in sent
    assert "TODO_DONE_STATUS_UPDATED" not in sent
