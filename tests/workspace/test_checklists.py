from __future__ import annotations

import pytest

from webapp.models import Conflict, Forbidden, Invalid, NotFound, Role, transaction
from webapp.workspace import access, checklist_items, checklists, records


@pytest.fixture
def ada(make):
    return make.user()


@pytest.fixture
def record(make, ada):
    return make.record(make.list(make.project(owner=ada)))


def titles(record):
    return [checklist.title for checklist in checklists.of(record)]


def test_a_new_checklist_stands_at_the_end_and_publishes_itself_without_items(ada, record, published, event_records):
    checklists.create("First", record=record, by=ada)
    last = checklists.create("Last", record=record, by=ada)
    assert titles(record) == ["First", "Last"]
    assert last.position == 131070.0
    code, previous, current = published()[1]
    assert (code, previous) == ("TODO_CHECKLIST_CREATED", "absent")
    assert (current["id"], current["title"], current["createdById"]) == (last.id, "Last", ada.id)
    assert (current["checklistItems"], current["todo"]["id"]) == ([], record.id)
    assert event_records() == [record.id] * 2


def test_renaming_publishes_the_checklist_before_and_after_with_its_items(make, ada, record, published, event_records):
    checklist = make.checklist(record)
    second, first = make.item(checklist, position=2.0), make.item(checklist, position=1.0)
    checklists.rename(checklist, "After launch", by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["title"], current["title"]) == (
        "TODO_CHECKLIST_NAME_CHANGED",
        "Before launch",
        "After launch",
    )
    assert [item["id"] for item in current["checklistItems"]] == [first.id, second.id]
    assert previous["updatedAt"] < current["updatedAt"]
    assert event_records() == [record.id]


def test_the_same_title_publishes_nothing(make, ada, record, published):
    checklists.rename(make.checklist(record), " Before  launch ", by=ada)
    assert published() == []


def test_a_checklist_is_deleted_with_its_items_which_publish_nothing(make, ada, record, published, event_records):
    checklist = make.checklist(record)
    item = make.item(checklist)
    checklist_items.edit(item, {"assignee_ids": [ada.id]}, by=ada)
    item_id = item.id
    checklists.delete(checklist, by=ada)
    code, previous, current = published()[1]
    assert (code, current, len(published())) == ("TODO_CHECKLIST_DELETED", None, 2)
    [shown] = previous["checklistItems"]
    assert (shown["id"], shown["checklistItemUsers"][0]["userId"]) == (item_id, ada.id)
    assert event_records() == [record.id] * 2
    assert checklists.of(record) == []
    with pytest.raises(NotFound):
        access.load_checklist_item(item_id, ada)


def test_checklists_and_items_go_with_their_record(make, ada, record, published):
    item = make.item(make.checklist(record))
    item_id, checklist_id = item.id, item.checklist_id
    records.delete(record, by=ada)
    assert [code for code, _, _ in published()] == ["TODO_DELETED"]
    for load, key in ((access.load_checklist_item, item_id), (access.load_checklist, checklist_id)):
        with pytest.raises(NotFound):
            load(key, ada)


@pytest.mark.parametrize("way", ["b-1 bac", "b+1 acb", "a-1 abc", "c+1 abc", "a+2 bca", "c-9 cab"])
def test_checklists_move_up_and_down_on_their_record_and_publish_nothing(make, ada, record, way, published):
    made = {one: make.checklist(record, title=one, position=65535.0 * n) for n, one in enumerate("abc", 1)}
    make.checklist(title="elsewhere")
    checklists.shift(made[way[0]], int(way[1:3]), by=ada)
    assert "".join(titles(record)) == way[4:]
    assert published() == []


def test_an_order_is_kept_however_often_it_changes(make, ada, record):
    made = [make.checklist(record, title=one, position=n / 1024) for n, one in enumerate("abc", 1)]
    changed_at = made[0].updated_at
    for _ in range(60):
        checklists.shift(made[2], -1, by=ada)
        checklists.shift(made[2], 1, by=ada)
    assert titles(record) == ["a", "b", "c"]
    places = [checklist.position for checklist in checklists.of(record)]
    assert len(set(places)) == 3
    assert made[0].updated_at == changed_at


ACTS = {
    "create": lambda checklist, by: checklists.create("Mine", record=checklist.record, by=by),
    "rename": lambda checklist, by: checklists.rename(checklist, "Mine", by=by),
    "shift": lambda checklist, by: checklists.shift(checklist, 1, by=by),
    "delete": lambda checklist, by: checklists.delete(checklist, by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_may_not_change_records_does_not_change_checklists(make, ada, record, act, published):
    checklist, commenter = make.checklist(record), make.user()
    make.member(record.list.project, commenter, Role.COMMENT_ONLY)
    with pytest.raises(Forbidden, match="role Client"):
        act(checklist, commenter)
    with pytest.raises(NotFound):
        act(checklist, make.user())
    with transaction():
        record.list.project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(checklist, ada)
    assert published() == []


@pytest.mark.parametrize("title", ["", " \n ", "t" * 101, "a\x00b"])
def test_a_title_is_a_line_of_1_to_100_characters(make, ada, record, title):
    checklist = make.checklist(record)
    for act in (
        lambda: checklists.create(title, record=record, by=ada),
        lambda: checklists.rename(checklist, title, by=ada),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["title"]


def test_a_record_has_at_most_fifty_checklists(make, ada, record):
    with transaction():
        for number in range(50):
            make.checklist(record, position=float(number))
    with pytest.raises(Invalid, match="at most 50 checklists"):
        checklists.create("One more", record=record, by=ada)


def test_a_question_for_a_page_takes_few_statements(make, ada, record, statements):
    for number in range(4):
        checklist = make.checklist(record, position=float(number))
        for place in range(3):
            checklist_items.edit(make.item(checklist, position=float(place)), {"assignee_ids": [ada.id]}, by=ada)
    with statements() as asked:
        shown = [
            (checklist.title, item.title, one.user.name)
            for checklist in checklists.of(record)
            for item in checklist.items
            for one in item.assignees
        ]
    assert len(shown) == 12
    assert len(asked) <= 5


def test_progress_counts_done_items_by_record(make, record):
    other, without = make.record(record.list), make.record(record.list)
    for done in (True, False, True):
        make.item(make.checklist(record), done=done)
    make.item(make.checklist(other))
    make.checklist(without)
    assert checklists.progress([record.id, other.id, without.id]) == {record.id: (2, 3), other.id: (0, 1)}
    assert checklists.progress([]) == {}
