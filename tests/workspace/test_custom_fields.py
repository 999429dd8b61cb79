"""Custom fields: what they are, and what they hold on a record."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Conflict, FieldKind, Forbidden, Invalid, NotFound, RecordFieldValue, Role, transaction
from webapp.workspace import custom_fields, field_values, records
from webapp.workspace.custom_fields import Choice, Definition

OPTIONS = [Choice("Small"), Choice("Large", "#FF0000")]


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def record(make, project):
    return make.record(make.list(project))


@pytest.fixture
def size(ada, project):
    return custom_fields.create("SELECT_MULTI", Definition("Size", options=OPTIONS), project=project, by=ada)


def titles(value):
    return [option["title"] for option in value["customFieldOptions"]]


def wrong(act):
    with pytest.raises(Invalid) as refused:
        act()
    return list(refused.value.fields)


@pytest.mark.parametrize("kind", FieldKind)
def test_a_field_of_each_kind_publishes_itself(ada, project, published, kind):
    field = custom_fields.create(kind, Definition(" Net  weight ", "In kilograms"), project=project, by=ada)
    [(code, previous, current)] = published()
    assert (code, previous) == ("CUSTOM_FIELD_CREATED", "absent")
    assert (current["id"], current["name"], current["type"]) == (field.id, "Net weight", kind)
    assert (current["description"], current["position"]) == ("In kilograms", 65535)
    assert current["max"] == (5 if kind is FieldKind.RATING else None)


def test_limits_currency_and_options_are_kept(ada, project, published):
    custom_fields.create("NUMBER", Definition("Weight", min="0.5", max=12), project=project, by=ada)
    custom_fields.create("CURRENCY", Definition("Price", min=0, currency="eur"), project=project, by=ada)
    custom_fields.create("SELECT_SINGLE", Definition("Size", options=OPTIONS), project=project, by=ada)
    weight, price, size = (current for _, _, current in published())
    assert (weight["min"], weight["max"]) == (0.5, 12)
    assert (price["min"], price["max"], price["currency"]) == (0, None, "EUR")
    shown = [(each["title"], each["color"], each["position"]) for each in size["customFieldOptions"]]
    assert shown == [("Small", "#4a9fff", 65535), ("Large", "#ff0000", 131070)]
    assert {each["customFieldId"] for each in size["customFieldOptions"]} == {size["id"]}
    assert [use.field.name for use in custom_fields.of(project)] == ["Weight", "Price", "Size"]


@pytest.mark.parametrize(
    ("kind", "definition", "fields"),
    [
        ("TEXT_SINGLE", Definition(""), ["name"]),
        ("TEXT_SINGLE", Definition("n" * 101, "d" * 1001), ["name", "description"]),
        ("LOCATION", Definition("Where"), ["kind"]),
        ("NUMBER", Definition("N", min="two", max="1e400"), ["min", "max"]),
        ("NUMBER", Definition("N", min=float("nan")), ["min"]),
        ("NUMBER", Definition("N", min=5, max=4), ["max"]),
        ("NUMBER", Definition("N", max=10**16), ["max"]),
        ("TEXT_SINGLE", Definition("N", min=1, max=2, currency="EUR"), ["min", "max", "currency"]),
        ("RATING", Definition("N", max=11), ["max"]),
        ("RATING", Definition("N", max=2.5), ["max"]),
        ("RATING", Definition("N", min=1), ["min"]),
        ("CURRENCY", Definition("N", currency="EURO"), ["currency"]),
        ("CHECKBOX", Definition("N", options=OPTIONS), ["options"]),
        ("SELECT_SINGLE", Definition("N", options=[Choice("a"), Choice("")]), ["options.1.title"]),
        ("SELECT_SINGLE", Definition("N", options=[Choice("a"), Choice("A ")]), ["options.1.title"]),
        ("SELECT_SINGLE", Definition("N", options=[Choice("a", "red")]), ["options.0.color"]),
        ("SELECT_SINGLE", Definition("N", options=[Choice("a", id="mine")]), ["options.0.id"]),
        ("SELECT_SINGLE", Definition("N", options=[Choice(str(n)) for n in range(51)]), ["options"]),
    ],
)
def test_what_no_field_can_be_is_refused_where_it_stands(ada, project, published, kind, definition, fields):
    assert wrong(lambda: custom_fields.create(kind, definition, project=project, by=ada)) == fields
    assert (published(), custom_fields.of(project)) == ([], [])


def test_a_project_has_only_so_many_fields(ada, project, monkeypatch):
    monkeypatch.setattr(custom_fields, "MAX_FIELDS", 1)
    custom_fields.create("NUMBER", Definition("One"), project=project, by=ada)
    assert wrong(lambda: custom_fields.create("NUMBER", Definition("Two"), project=project, by=ada)) == ["name"]


def test_a_change_of_a_field_is_one_event_with_both_values(make, ada, project, published):
    field = make.field(project, "NUMBER", name="Wait", max=9.0)
    custom_fields.edit(field, {"name": "Weight", "min": "1", "description": "kg"}, by=ada)
    [(code, previous, current)] = published()
    keys = ("name", "min", "max", "description")
    assert (code, [previous[key] for key in keys]) == ("CUSTOM_FIELD_UPDATED", ["Wait", None, 9, None])
    assert [current[key] for key in keys] == ["Weight", 1, 9, "kg"]
    assert previous["updatedAt"] < current["updatedAt"]


def test_options_are_added_changed_ordered_and_removed_as_a_change_of_their_field(ada, size, published):
    small, large = size.options
    large_first = [Choice("Larger", "#ff0000", large.id), Choice("Small", small.color, small.id), Choice("Tiny")]
    custom_fields.edit(size, {"options": large_first}, by=ada)
    custom_fields.edit(size, {"options": [Choice("Larger", "#ff0000", large.id)]}, by=ada)
    assert [(code, titles(was), titles(now)) for code, was, now in published()[1:]] == [
        ("CUSTOM_FIELD_UPDATED", ["Small", "Large"], ["Larger", "Small", "Tiny"]),
        ("CUSTOM_FIELD_UPDATED", ["Larger", "Small", "Tiny"], ["Larger"]),
    ]
    assert published()[2][1]["customFieldOptions"][0]["id"] == large.id
    for code, was, now in published()[1:]:
        assert was["updatedAt"] < now["updatedAt"], code


def test_what_changes_nothing_publishes_nothing(ada, size, published):
    same = [Choice(option.title, option.color, option.id) for option in size.options]
    changed_at = size.updated_at
    custom_fields.edit(size, {"name": " Size ", "description": "", "options": same}, by=ada)
    custom_fields.edit(size, {}, by=ada)
    custom_fields.shift(size, 1, by=ada)
    assert ([code for code, *_ in published()], size.updated_at) == (["CUSTOM_FIELD_CREATED"], changed_at)


def test_fields_are_ordered_without_an_event(make, ada, project, published):
    for number, name in enumerate("abc", 1):
        make.field(project, name=name, position=65535.0 * number)
    custom_fields.shift(custom_fields.of(project)[2].field, -2, by=ada)
    assert [use.field.name for use in custom_fields.of(project)] == ["c", "a", "b"]
    assert published() == []


@pytest.mark.parametrize("kind", ["SELECT_SINGLE", "SELECT_MULTI"])
def test_an_option_that_goes_leaves_no_value_behind(make, ada, project, record, published, kind):
    field, other = make.field(project, kind, options="Small Large"), make.record(record.list)
    small, large = field.options
    is_multi = kind == "SELECT_MULTI"
    records.edit(record, {"field_values": {field.id: [small.id] if is_multi else small.id}}, by=ada)
    records.edit(other, {"field_values": {field.id: [small.id, large.id] if is_multi else large.id}}, by=ada)
    custom_fields.edit(field, {"options": [Choice("Large", large.color, large.id)]}, by=ada)
    assert [code for code, *_ in published()][2:] == ["CUSTOM_FIELD_UPDATED"]
    assert record.field_values == []
    assert [field_values.shown(value) for value in other.field_values] == [[large.id] if is_multi else large.id]


def test_a_field_goes_with_all_its_values_and_one_event(ada, size, record, published):
    records.edit(record, {"field_values": {size.id: [size.options[0].id]}}, by=ada)
    custom_fields.delete(size, by=ada)
    code, previous, current = published()[-1]
    assert (len(published()), code, titles(previous), current) == (
        3, "CUSTOM_FIELD_DELETED", ["Small", "Large"], None,
    )  # fmt: skip
    assert record.field_values == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RecordFieldValue)) == 0


def test_fields_are_listed_with_options_and_uses_in_few_questions(make, ada, project, record, statements):
    for number in range(5):
        field = make.field(project, "SELECT_SINGLE", options="Small Large", name=str(number), position=float(number))
        records.edit(record, {"field_values": {field.id: field.options[0].id}}, by=ada)
    make.field(project, name="unused", position=9.0)
    with statements() as asked:
        shown = [(use.field.name, len(use.field.options), use.records) for use in custom_fields.of(project)]
    assert shown == [*((str(number), 2, 1) for number in range(5)), ("unused", 0, 0)]
    assert len(asked) <= 3


ADDS, EDITS = "role Member", "Only owners and administrators"
ACTS = {
    "create": (
        lambda field, by: custom_fields.create("NUMBER", Definition("New"), project=field.project, by=by),
        Role.MEMBER,
        ADDS,
    ),
    "edit": (lambda field, by: custom_fields.edit(field, {"name": "New"}, by=by), Role.ADMIN, EDITS),
    "options": (lambda field, by: custom_fields.edit(field, {"options": [Choice("New")]}, by=by), Role.ADMIN, EDITS),
    "delete": (lambda field, by: custom_fields.delete(field, by=by), Role.ADMIN, EDITS),
}
ORDER = [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.CLIENT, Role.COMMENT_ONLY, Role.VIEW_ONLY]


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize(("act", "least", "sentence"), ACTS.values(), ids=ACTS)
def test_each_role_may_do_what_it_may(make, project, act, least, sentence, role, published):
    field, person = make.field(project, "SELECT_SINGLE"), make.user()
    make.member(project, person, role)
    if ORDER.index(role) <= ORDER.index(least):
        act(field, person)
        assert len(published()) == 1
        return
    with pytest.raises(Forbidden, match=sentence):
        act(field, person)
    assert published() == []


@pytest.mark.parametrize("act", [act for act, *_ in ACTS.values()], ids=ACTS)
def test_strangers_see_no_field_and_archived_projects_keep_theirs(make, ada, project, act, published):
    field = make.field(project, "SELECT_SINGLE")
    with pytest.raises(NotFound):
        act(field, make.user())
    with transaction():
        project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(field, ada)
    assert published() == []
