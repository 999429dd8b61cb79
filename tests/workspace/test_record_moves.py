"""What a record keeps when it comes into another project."""

from __future__ import annotations

import pytest

from webapp.models import Role
from webapp.workspace import checklist_items, field_values, records


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def here(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def there(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def record(make, here):
    return make.record(make.list(here))


@pytest.fixture
def move(make, ada, there, record):
    return lambda: records.move(record, list_=make.list(there), by=ada)


def test_tags_stay_that_exist_there_by_title(make, ada, there, record, move, published):
    records.edit(record, {"tag_titles": ["Urgent", "Only here"]}, by=ada)
    urgent, links = make.tag(there, "URGENT"), {link.tag.title: link.id for link in record.tags}
    move()
    code, previous, current = published()[-1]
    assert (code, len(published())) == ("TODO_MOVED", 4)
    assert [link["tag"]["title"] for link in previous["todoTags"]] == ["Urgent", "Only here"]
    [kept] = current["todoTags"]
    assert (kept["id"], kept["tagId"], kept["tag"]["projectId"]) == (links["Urgent"], urgent.id, there.id)
    assert [link.tag for link in record.tags] == [urgent]


def test_only_members_of_the_new_project_stay_assigned(make, ada, here, there, record, move, published):
    ben = make.user(name="Ben Okafor")
    make.member(here, ben, Role.MEMBER)
    records.edit(record, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    move()
    code, previous, current = published()[-1]
    assert (code, len(published())) == ("TODO_MOVED", 2)
    assert [[one["user"]["firstName"] for one in value["todoUsers"]] for value in (previous, current)] == [
        ["Ben", "Ada"],
        ["Ada"],
    ]


def test_only_members_of_the_new_project_stay_on_items_of_checklists(make, ada, here, record, move, published):
    ben = make.user(name="Ben Okafor")
    make.member(here, ben, Role.MEMBER)
    item = make.item(make.checklist(record))
    checklist_items.edit(item, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    move()
    assert [one.user for one in item.assignees] == [ada]
    assert [code for code, _, _ in published()] == ["TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED", "TODO_MOVED"]


def test_values_stay_whose_field_exists_there_by_name_and_kind(make, ada, here, there, record, move, published):
    text, number, gone = (make.field(here, kind, name=kind) for kind in ("TEXT_SINGLE", "NUMBER", "EMAIL"))
    values = {text.id: "x", number.id: 7, gone.id: "ada@example.com"}
    records.edit(record, {"field_values": values}, by=ada)
    same = make.field(there, "TEXT_SINGLE", name="text_single")
    make.field(there, "TEXT_SINGLE", name="NUMBER")
    move()
    code, previous, current = published()[-1]
    assert (code, len(published()), len(previous["todoCustomFields"])) == ("TODO_MOVED", 2, 3)
    [kept] = current["todoCustomFields"]
    assert (kept["text"], kept["customFieldId"], kept["customField"]["projectId"]) == ("x", same.id, there.id)


def test_options_stay_that_exist_there_by_title(make, ada, here, there, record, move, published):
    single, lost, several, none = (
        make.field(here, kind, name=name, options="Small Large")
        for kind, name in [
            ("SELECT_SINGLE", "a"), ("SELECT_SINGLE", "b"), ("SELECT_MULTI", "c"), ("SELECT_MULTI", "d"),
        ]
    )  # fmt: skip
    both = {field: [option.id for option in field.options] for field in (several, none)}
    values = {
        single.id: single.options[1].id,
        lost.id: lost.options[0].id,
        several.id: both[several],
        none.id: both[none],
    }
    records.edit(record, {"field_values": values}, by=ada)
    mine = make.field(there, "SELECT_SINGLE", name="A", options="LARGE")
    make.field(there, "SELECT_SINGLE", name="b", options="Large")
    one_of = make.field(there, "SELECT_MULTI", name="c", options="large Huge")
    make.field(there, "SELECT_MULTI", name="d", options="Huge")
    move()
    assert [code for code, *_ in published()] == ["TODO_CUSTOM_FIELD_UPDATED", "TODO_MOVED"]
    shown = {value.field_id: field_values.shown(value) for value in record.field_values}
    assert shown == {mine.id: mine.options[0].id, one_of.id: [one_of.options[0].id]}
    assert [value["customField"]["name"] for value in published()[1][2]["todoCustomFields"]] == ["A", "c"]


def test_within_a_project_everything_stays(make, ada, here, record, published):
    records.edit(record, {"tag_titles": ["a"], "assignee_ids": [ada.id]}, by=ada)
    records.move(record, list_=make.list(here, title="Done"), by=ada)
    previous, current = published()[-1][1:]
    assert (current["todoTags"], current["todoUsers"]) == (previous["todoTags"], previous["todoUsers"])
