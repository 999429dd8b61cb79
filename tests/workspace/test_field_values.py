"""The values of custom fields on records: what each kind takes and refuses, and what it publishes."""

from __future__ import annotations

import pytest

from webapp.extensions import db
from webapp.models import Invalid
from webapp.workspace import field_values, records


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def record(make, project):
    return make.record(make.list(project))


def option_ids(field, titles):
    return [next(option.id for option in field.options if option.title == title) for title in titles.split()]


def money(amount, currency):
    return {"amount": amount, "currency": currency}


VALUES = [
    ("TEXT_SINGLE", {}, " Newsletter  & blog ", {"text": "Newsletter & blog"}, "Newsletter & blog"),
    ("NUMBER", {"min": 0.0, "max": 12.5}, "12.5", {"number": 12.5}, 12.5),
    ("NUMBER", {}, 0, {"number": 0}, 0),
    ("NUMBER", {}, -3, {"number": -3}, -3),
    ("CHECKBOX", {}, True, {"checked": True}, True),
    ("DATE", {}, "2026-05-04", {"startDate": "2026-05-04T00:00:00.000Z", "endDate": "2026-05-04T00:00:00.000Z"}, ...),
    ("URL", {}, "https://example.com/?a=b#c", {"text": "https://example.com/?a=b#c"}, ...),
    ("EMAIL", {}, " ada@example.com", {"text": "ada@example.com"}, "ada@example.com"),
    ("CURRENCY", {"currency": "EUR"}, "12.50", {"number": 12.5, "currency": "EUR"}, money(12.5, "EUR")),
    ("CURRENCY", {}, money(3, "usd"), {"number": 3, "currency": "USD"}, money(3, "USD")),
    ("RATING", {"max": 5.0}, 4, {"number": 4}, 4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "settings", "given", "payload", "shown"), VALUES)
def test_a_value_is_set_shown_and_cleared(make, ada, project, record, published, kind, settings, given, payload, shown):
    field = make.field(project, kind, **settings)
    records.edit(record, {"field_values": {field.id: given}}, by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["todoCustomFields"]) == ("TODO_CUSTOM_FIELD_UPDATED", [])
    [value] = current["todoCustomFields"]
    keys = ("number", "text", "checked", "currency", "startDate", "endDate")
    assert {key: value[key] for key in keys} == dict.fromkeys(keys) | payload
    assert (value["todoId"], value["customFieldId"], value["customField"]["type"]) == (record.id, field.id, kind)
    assert previous["updatedAt"] < current["updatedAt"]
    assert field_values.shown(record.field_values[0]) == (given if shown is ... else shown)
    records.edit(record, {"field_values": {field.id: given}}, by=ada)  # the same again
    records.edit(record, {"field_values": {field.id: None}}, by=ada)
    records.edit(record, {"field_values": {field.id: ""}}, by=ada)
    code, previous, current = published()[-1]
    assert (len(published()), code, current["todoCustomFields"]) == (2, "TODO_CUSTOM_FIELD_UPDATED", [])
    assert previous["todoCustomFields"][0]["id"] == value["id"]


def test_another_value_keeps_its_id(make, ada, project, record, published):
    field = make.field(project)
    for text in ("Newsletter", "Newsletter & blog"):
        records.edit(record, {"field_values": {field.id: text}}, by=ada)
    _, previous, current = published()[1]
    (was,), (now,) = previous["todoCustomFields"], current["todoCustomFields"]
    assert (was["text"], now["text"], was["id"], was["createdAt"]) == (
        "Newsletter", "Newsletter & blog", now["id"], now["createdAt"],
    )  # fmt: skip
    assert was["updatedAt"] < now["updatedAt"]


def test_one_option_is_chosen_and_another_one(make, ada, project, record, published):
    field = make.field(project, "SELECT_SINGLE", options="Small Large")
    small, large = field.options
    for option in (small, small, large):
        records.edit(record, {"field_values": {field.id: option.id}}, by=ada)
    assert len(published()) == 2
    (was,), (now,) = (value["todoCustomFields"] for value in published()[1][1:])
    assert (was["customFieldOptionId"], was["customFieldOption"]["title"]) == (small.id, "Small")
    assert (now["customFieldOptionId"], now["customFieldOption"]["title"]) == (large.id, "Large")
    assert [option["title"] for option in now["customField"]["customFieldOptions"]] == ["Small", "Large"]
    assert field_values.shown(record.field_values[0]) == large.id


def test_several_options_are_chosen_and_compared_without_their_order(make, ada, project, record, published):
    field = make.field(project, "SELECT_MULTI", options="a b c")
    for titles in ("a b", "b a", "c b", ""):
        records.edit(record, {"field_values": {field.id: option_ids(field, titles)}}, by=ada)
    shown = [
        [[link["customFieldOption"]["title"] for link in value["todoCustomFieldOptions"]] for value in values]
        for values in [current["todoCustomFields"] for _, _, current in published()]
    ]
    assert shown == [[["a", "b"]], [["c", "b"]], []]


def test_a_box_that_is_not_ticked_is_no_value_until_it_was_ticked(make, ada, project, record, published):
    field = make.field(project, "CHECKBOX")
    for ticked in (False, True, False):
        records.edit(record, {"field_values": {field.id: ticked}}, by=ada)
    assert [[one["checked"] for one in now["todoCustomFields"]] for _, _, now in published()] == [[True], [False]]


def test_several_fields_in_one_save_are_one_event(make, ada, project, record, published):
    first, second = make.field(project), make.field(project, "NUMBER", name="Weight")
    records.edit(record, {"field_values": {first.id: "x", second.id: 2}}, by=ada)
    assert [(code, len(now["todoCustomFields"])) for code, _, now in published()] == [("TODO_CUSTOM_FIELD_UPDATED", 2)]
    records.edit(record, {"field_values": {second.id: 3}}, by=ada)
    assert [(one["text"], one["number"]) for one in published()[1][2]["todoCustomFields"]] == [("x", None), (None, 3)]


@pytest.mark.parametrize(
    ("kind", "settings", "given"),
    [
        ("TEXT_SINGLE", {}, "t" * 1001),
        ("TEXT_SINGLE", {}, "a\x00b"),
        ("TEXT_SINGLE", {}, 12),
        ("NUMBER", {}, "12 apples"),
        ("NUMBER", {}, "1,5"),
        ("NUMBER", {}, "nan"),
        ("NUMBER", {}, float("inf")),
        ("NUMBER", {}, 1e16),
        ("NUMBER", {}, True),
        ("NUMBER", {}, ["1"]),
        ("NUMBER", {"min": 2.0}, 1.9),
        ("NUMBER", {"max": 2.0}, "2.1"),
        ("CHECKBOX", {}, "yes"),
        ("CHECKBOX", {}, 1),
        ("DATE", {}, "2026-02-30"),
        ("DATE", {}, 20260504),
        ("URL", {}, "example.com"),
        ("URL", {}, "javascript:alert(1)"),
        ("URL", {}, "https://"),
        ("URL", {}, "https://[::1"),
        ("URL", {}, "https://example.com/a b"),
        ("EMAIL", {}, "ada"),
        ("EMAIL", {}, "ada@example"),
        ("EMAIL", {}, "a b@example.com"),
        ("CURRENCY", {}, 12),
        ("CURRENCY", {"currency": "EUR"}, "twelve"),
        ("CURRENCY", {"currency": "EUR"}, {"amount": 1, "currency": "QQQ"}),
        ("CURRENCY", {"currency": "EUR", "max": 10.0}, 11),
        ("RATING", {"max": 5.0}, 6),
        ("RATING", {"max": 5.0}, -1),
        ("RATING", {"max": 5.0}, 2.5),
        ("SELECT_SINGLE", {"options": "a"}, "b"),
        ("SELECT_SINGLE", {"options": "a"}, ["b"]),
        ("SELECT_MULTI", {"options": "a"}, "b"),
        ("SELECT_MULTI", {"options": "a"}, ["b"]),
        ("SELECT_MULTI", {"options": "a"}, [{"id": "b"}]),
    ],
)
def test_what_a_field_does_not_take_is_refused_at_the_field(
    make, ada, project, record, published, kind, settings, given
):
    field, good = make.field(project, kind, **settings), make.field(project)
    with pytest.raises(Invalid) as refused:
        records.edit(record, {"title": "Changed", "field_values": {good.id: "good", field.id: given}}, by=ada)
    assert list(refused.value.fields) == [f"field_values.{field.id}"]
    assert (published(), record.title, record.field_values) == ([], "Call Ada", [])


def test_options_of_another_field_and_fields_of_another_project_are_refused(make, ada, project, record):
    field, other = (make.field(project, "SELECT_SINGLE", options="a", name=name) for name in "xy")
    foreign = make.field(make.project(owner=ada))
    with pytest.raises(Invalid) as refused:
        records.edit(record, {"field_values": {field.id: other.options[0].id, foreign.id: "x", "no": 1}}, by=ada)
    assert set(refused.value.fields) == {f"field_values.{key}" for key in (field.id, foreign.id, "no")}


def test_a_limit_that_came_later_leaves_values_alone(make, ada, project, record, published):
    field = make.field(project, "NUMBER")
    records.edit(record, {"field_values": {field.id: 7}}, by=ada)
    with db.engine.connect().execution_options(webapp_write=True) as connection:
        connection.exec_driver_sql("UPDATE custom_field SET max = 5")
        connection.commit()
    records.edit(record, {"title": "Changed"}, by=ada)
    assert [one["number"] for one in published()[1][2]["todoCustomFields"]] == [7]
