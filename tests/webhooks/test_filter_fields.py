"""Custom fields in a record filter: one path for each, by its id, over what records really show of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery import filters, payloads
from webapp.models import FieldKind, RecordFieldValue, Role, transaction
from webapp.models.custom_field import ChosenOption
from webapp.webhooks import filter_fields, filter_words

OTHER = "cm0otherotherotherother00"


def holds(value: dict[str, Any], path: str, operator: str, wanted: Any = None) -> bool:
    read = filters.check({"match": "all", "rules": [{"path": path, "operator": operator, "value": wanted}]})
    return filters.judge(read, filters.Values.of("TODO_CREATED", None, json.dumps(value).encode())) is None


VALUES = [
    (FieldKind.TEXT, {"text": "Call Ada"}, "contains", "ada"),
    (FieldKind.URL, {"text": "https://example.com"}, "starts_with", "https:"),
    (FieldKind.EMAIL, {"text": "ada@example.com"}, "is", "ada@example.com"),
    (FieldKind.NUMBER, {"number": 12.5}, "greater", 12),
    (FieldKind.CURRENCY, {"number": 99.0, "currency": "EUR"}, "is", "99"),
    (FieldKind.RATING, {"number": 4.0}, "less", 5),
    (FieldKind.CHECKBOX, {"checked": True}, "is", "true"),
]


@pytest.mark.parametrize(("kind", "stored", "operator", "wanted"), VALUES)
def test_the_value_of_each_kind_is_found_at_its_path(
    make: Make, kind: FieldKind, stored: dict[str, Any], operator: str, wanted: Any
) -> None:
    record = make.record()
    field = make.field(record.list.project, kind)
    with transaction() as session:
        session.add(RecordFieldValue(record_id=record.id, field_id=field.id, **stored))
    session.refresh(record)
    shown = json.loads(payloads.to_json(payloads.record(record)))
    path = filter_fields.path_of(field)
    assert filter_fields.is_field(path)
    assert holds(shown, path, operator, wanted)
    assert not holds(shown, path.replace(field.id, OTHER), operator, wanted)
    assert holds(shown, path.replace(field.id, OTHER), "not_exists")


def test_options_are_found_by_their_titles(make: Make) -> None:
    record = make.record()
    one = make.field(record.list.project, "SELECT_SINGLE", options="Small Large")
    several = make.field(record.list.project, "SELECT_MULTI", options="Red Green Blue")
    with transaction() as session:
        session.add(RecordFieldValue(record_id=record.id, field_id=one.id, option_id=one.options[1].id))
        value = RecordFieldValue(record_id=record.id, field_id=several.id)
        value.chosen = [ChosenOption(option_id=option.id) for option in several.options[:2]]
        session.add(value)
    session.refresh(record)
    shown = json.loads(payloads.to_json(payloads.record(record)))
    assert holds(shown, filter_fields.path_of(one), "is", "large")
    assert not holds(shown, filter_fields.path_of(one), "is", "green")
    assert holds(shown, filter_fields.path_of(several), "in", ["Green", "Blue"])
    assert not holds(shown, filter_fields.path_of(several), "is", "Blue")


def test_a_field_without_a_value_is_there_and_empty(make: Make) -> None:
    field = make.field()
    path, shown = filter_fields.path_of(field), {"todoCustomFields": []}
    assert holds(shown, path, "not_exists")
    assert holds(shown, path, "is_not", "x")
    assert not holds(shown, path, "is", "x")


def test_a_record_that_shows_no_fields_is_a_dead_end(make: Make) -> None:
    path = filter_fields.path_of(make.field())
    assert not holds({"title": "x"}, path, "is_not", "x")
    assert holds({"title": "x"}, path, "not_exists")


@pytest.mark.parametrize("kind", FieldKind)
def test_every_kind_has_a_path_that_a_filter_takes(make: Make, kind: FieldKind) -> None:
    path = filter_fields.path_of(make.field(kind=kind))
    read = filters.check({"match": "all", "rules": [{"path": path, "operator": "exists"}]})
    assert read.stored["rules"][0]["path"] == path


@pytest.mark.parametrize("path", ["record.todoCustomFields.text", "record.todoCustomFields[x].html", "record.title"])
def test_other_paths_are_no_fields(path: str) -> None:
    assert not filter_fields.is_field(path)


def test_only_fields_of_projects_that_one_administers_are_offered(make: Make, cast: Cast) -> None:
    own = make.project_of(cast.admin)
    size = make.field(own, "SELECT_SINGLE", name="Size", options="Small Large")
    shared = make.project(cast.stranger)
    make.member(shared, cast.admin, Role.MEMBER)
    foreign = make.field(shared, name="Foreign")
    (choice,) = filter_fields.choices(cast.admin)
    assert (choice.path, choice.label, choice.options) == (filter_fields.path_of(size), "Size", ("Small", "Large"))
    assert filter_fields.choices(cast.admin, [foreign.project_id]) == []


def test_fields_of_several_projects_say_which_one(make: Make, cast: Cast) -> None:
    projects = [make.project_of(cast.admin), make.project(cast.admin)]
    for project in projects:
        make.field(project, name="Size")
    assert {each.label for each in filter_fields.choices(cast.admin)} == {f"Size ({each.name})" for each in projects}
    assert [each.label for each in filter_fields.choices(cast.admin, [projects[1].id])] == ["Size"]


def test_a_field_is_named_to_those_who_may_see_it_and_to_no_others(make: Make) -> None:
    field = make.field(name="Channel")
    rule = {"path": filter_fields.path_of(field), "operator": "is", "value": "Post"}
    assert filter_words.rule(rule) == "Custom field is “Post”"
    assert filter_words.rule(rule, str, {rule["path"]: "Channel"}) == "Channel is “Post”"
