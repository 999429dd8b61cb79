from __future__ import annotations

from datetime import datetime

import pytest

from webapp.models import Conflict, Forbidden, Invalid, NotFound, Role, transaction
from webapp.workspace import access, checklist_items, checklists

MORNING, EVENING = "2026-03-20T08:00:00Z", "2026-03-20T16:00:00.000Z"


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def checklist(make, ada):
    return make.checklist(make.record(make.list(make.project(owner=ada))))


@pytest.fixture
def item(make, checklist):
    return make.item(checklist)


@pytest.fixture
def ben(make, checklist):
    user = make.user(name="Ben Okafor")
    make.member(checklist.record.list.project, user, Role.CLIENT)
    return user


@pytest.fixture
def codes(published):
    return lambda: [code.removeprefix("TODO_CHECKLIST_ITEM_") for code, _, _ in published()]


def people(value):
    return [one["user"]["firstName"] for one in value["checklistItemUsers"]]


def test_a_new_item_stands_at_the_end_and_publishes_itself(ada, checklist, published, event_records):
    checklist_items.create("First", checklist=checklist, by=ada)
    last = checklist_items.create("Last", checklist=checklist, by=ada)
    assert [one.title for one in checklists.of(checklist.record)[0].items] == ["First", "Last"]
    code, previous, current = published()[1]
    assert (code, previous) == ("TODO_CHECKLIST_ITEM_CREATED", "absent")
    assert (current["id"], current["title"], current["position"], current["done"]) == (last.id, "Last", 131070, False)
    assert (current["checklist"]["id"], current["checklist"]["todo"]["id"]) == (checklist.id, checklist.record_id)
    assert event_records() == [checklist.record_id] * 2


@pytest.mark.parametrize(
    ("changes", "code", "key", "values"),
    [
        ({"title": "Check the links"}, "NAME_CHANGED", "title", ("Check every link", "Check the links")),
        ({"done": True}, "DONE_STATUS_UPDATED", "done", (False, True)),
        ({"dued_at": EVENING}, "DUE_DATE_ADDED", "duedAt", (None, "2026-03-20T16:00:00.000Z")),
        ({"started_at": MORNING}, "DUE_DATE_ADDED", "startedAt", (None, "2026-03-20T08:00:00.000Z")),
    ],
)
def test_a_change_publishes_the_item_before_and_after(ada, item, changes, code, key, values, published, event_records):
    checklist_items.edit(item, changes, by=ada)
    [(published_code, previous, current)] = published()
    assert published_code == "TODO_CHECKLIST_ITEM_" + code
    assert (previous[key], current[key]) == values
    assert {name for name in current if previous[name] != current[name]} == {key, "updatedAt"}
    assert event_records() == [item.checklist.record_id]


@pytest.mark.parametrize(
    ("before", "after", "codes_expected"),
    [
        ((None, None), (None, EVENING), ["DUE_DATE_ADDED"]),
        ((None, None), (MORNING, EVENING), ["DUE_DATE_ADDED"]),
        ((MORNING, None), (MORNING, EVENING), ["DUE_DATE_UPDATED"]),
        ((None, EVENING), (MORNING, None), ["DUE_DATE_UPDATED"]),
        ((MORNING, EVENING), (MORNING, None), ["DUE_DATE_UPDATED"]),
        ((MORNING, EVENING), (None, None), ["DUE_DATE_REMOVED"]),
        ((None, EVENING), (None, None), ["DUE_DATE_REMOVED"]),
        ((None, EVENING), (None, EVENING), []),
        ((None, None), (None, None), []),
    ],
)
def test_dates_are_added_changed_and_removed(make, ada, checklist, before, after, codes_expected, codes):
    started_at, dued_at = (moment and datetime.fromisoformat(moment) for moment in before)
    item = make.item(checklist, started_at=started_at, dued_at=dued_at)
    checklist_items.edit(item, {"started_at": after[0], "dued_at": after[1]}, by=ada)
    assert codes() == codes_expected


def test_a_due_date_does_not_lie_before_the_start_whichever_of_them_is_changed(make, ada, checklist, published):
    item = make.item(checklist, started_at=datetime.fromisoformat(EVENING))
    for changes in ({"dued_at": MORNING}, {"started_at": EVENING, "dued_at": MORNING}):
        with pytest.raises(Invalid, match="before the start") as refused:
            checklist_items.edit(item, changes, by=ada)
        assert list(refused.value.fields) == ["dued_at"]
    checklist_items.edit(item, {"started_at": None, "dued_at": MORNING}, by=ada)
    with pytest.raises(Invalid):
        checklist_items.edit(item, {"started_at": EVENING}, by=ada)
    assert len(published()) == 1


def test_a_moment_that_comes_back_as_it_is_shown_is_no_change(ada, item, codes):
    checklist_items.edit(item, {"dued_at": "2026-03-20T16:00:00.123456Z"}, by=ada)
    checklist_items.edit(item, {"dued_at": "2026-03-20T16:00:00.123Z"}, by=ada)
    assert codes() == ["DUE_DATE_ADDED"]


def test_a_day_is_read_in_the_time_zone_of_the_record(ada, item, published):
    with transaction():
        item.checklist.record.timezone = "Europe/Berlin"
    checklist_items.edit(item, {"started_at": "2026-03-20", "dued_at": "2026-03-20"}, by=ada)
    [(_, _, current)] = published()
    assert (current["startedAt"], current["duedAt"]) == ("2026-03-19T23:00:00.000Z", "2026-03-20T22:59:59.000Z")


def test_each_wrong_field_is_named(ada, item, published):
    with pytest.raises(Invalid) as refused:
        checklist_items.edit(item, {"title": " ", "started_at": "tomorrow", "dued_at": "2026-02-30"}, by=ada)
    assert list(refused.value.fields) == ["title", "started_at", "dued_at"]
    assert published() == []


def test_people_are_assigned_by_difference_with_one_event_for_each_direction(make, ada, ben, item, published, codes):
    carl, dora = make.user(name="Carl"), make.user(name="Dora")
    for user in (carl, dora):
        make.member(item.checklist.record.list.project, user)
    checklist_items.edit(item, {"assignee_ids": [ben.id, carl.id]}, by=ada)
    checklist_items.edit(item, {"assignee_ids": [carl.id, dora.id, ada.id]}, by=ada)
    checklist_items.edit(item, {"assignee_ids": []}, by=ada)
    assert codes() == ["ASSIGNEE_ADDED", "ASSIGNEE_ADDED", "ASSIGNEE_REMOVED", "ASSIGNEE_REMOVED"]
    values = [(people(previous), people(current)) for _, previous, current in published()]
    assert values[0] == ([], ["Ben", "Carl"])
    assert values[1] == values[2] == (["Ben", "Carl"], ["Carl", "Dora", "Ada"])
    assert values[3] == (["Carl", "Dora", "Ada"], [])
    kept = [
        next(one["id"] for one in value["checklistItemUsers"] if one["userId"] == carl.id)
        for value in published()[1][1:]
    ]
    assert kept[0] == kept[1]


def test_only_members_of_the_project_are_assigned_but_who_left_may_stay(make, ada, ben, item, codes):
    with pytest.raises(Invalid, match="members of this project") as refused:
        checklist_items.edit(item, {"assignee_ids": [ben.id, make.user().id]}, by=ada)
    assert list(refused.value.fields) == ["assignee_ids"]
    checklist_items.edit(item, {"assignee_ids": [ben.id, ben.id]}, by=ada)
    with transaction() as session:
        project = item.checklist.record.list.project
        session.delete(next(one for one in project.members if one.user_id == ben.id))
    checklist_items.edit(item, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    assert codes() == ["ASSIGNEE_ADDED", "ASSIGNEE_ADDED"]


def test_an_item_has_at_most_fifty_assignees(make, ada, item, published):
    with transaction():
        people = [make.user() for _ in range(51)]
        for user in people:
            make.member(item.checklist.record.list.project, user)
    with pytest.raises(Invalid, match="at most 50 assignees") as refused:
        checklist_items.edit(item, {"assignee_ids": [user.id for user in people]}, by=ada)
    assert list(refused.value.fields) == ["assignee_ids"]
    checklist_items.edit(item, {"assignee_ids": [user.id for user in people[:50]]}, by=ada)
    assert len(published()) == 1


def test_several_changes_in_one_save_publish_one_event_each_in_the_order_of_the_catalogue(ada, ben, item, published):
    checklist_items.edit(item, {"assignee_ids": [ada.id]}, by=ada)
    changes = {"done": True, "assignee_ids": [ben.id], "dued_at": EVENING, "title": "All at once"}
    checklist_items.edit(item, changes, by=ada)
    events = published()[1:]
    assert [code.removeprefix("TODO_CHECKLIST_ITEM_") for code, _, _ in events] == [
        "NAME_CHANGED", "DUE_DATE_ADDED", "ASSIGNEE_ADDED", "ASSIGNEE_REMOVED", "DONE_STATUS_UPDATED",
    ]  # fmt: skip
    assert all((previous, current) == events[0][1:] for _, previous, current in events)


def test_what_changes_nothing_publishes_nothing(ada, ben, item, published):
    checklist_items.edit(item, {"assignee_ids": [ben.id], "dued_at": EVENING}, by=ada)
    changed_at = item.updated_at
    same = {"title": " Check  every link", "done": False, "started_at": None, "dued_at": EVENING}
    checklist_items.edit(item, {**same, "assignee_ids": [ben.id, ben.id]}, by=ada)
    checklist_items.edit(item, {}, by=ada)
    checklist_items.shift(item, 1, by=ada)
    assert len(published()) == 2
    assert item.updated_at == changed_at


def test_deleting_publishes_the_item_as_it_was(ada, ben, item, published, event_records):
    checklist_items.edit(item, {"assignee_ids": [ben.id]}, by=ada)
    item_id, record_id = item.id, item.checklist.record_id
    checklist_items.delete(item, by=ada)
    code, previous, current = published()[1]
    assert (code, previous["id"], people(previous), current) == (
        "TODO_CHECKLIST_ITEM_DELETED", item_id, ["Ben"], None,
    )  # fmt: skip
    assert event_records() == [record_id] * 2
    with pytest.raises(NotFound):
        access.load_checklist_item(item_id, ada)


@pytest.mark.parametrize("way", ["b-1 bac", "b+1 acb", "a-1 abc", "a+2 bca"])
def test_items_move_up_and_down_in_their_checklist_and_publish_nothing(make, ada, checklist, way, published):
    made = {one: make.item(checklist, title=one, position=65535.0 * n) for n, one in enumerate("abc", 1)}
    make.item(make.checklist(checklist.record), title="elsewhere")
    checklist_items.shift(made[way[0]], int(way[1:3]), by=ada)
    shown = next(one for one in checklists.of(checklist.record) if one is checklist)
    assert "".join(one.title for one in shown.items) == way[4:]
    assert published() == []


ACTS = {
    "create": lambda item, by: checklist_items.create("Mine", checklist=item.checklist, by=by),
    "edit": lambda item, by: checklist_items.edit(item, {"title": "Mine"}, by=by),
    "shift": lambda item, by: checklist_items.shift(item, 1, by=by),
    "delete": lambda item, by: checklist_items.delete(item, by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_may_not_change_records_does_not_change_items(make, ada, item, act, published):
    project, commenter = item.checklist.record.list.project, make.user()
    make.member(project, commenter, Role.COMMENT_ONLY)
    with pytest.raises(Forbidden, match="role Client"):
        act(item, commenter)
    with pytest.raises(NotFound):
        act(item, make.user())
    with transaction():
        project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(item, ada)
    assert published() == []


@pytest.mark.parametrize("title", ["", " \n ", "t" * 251, "a\x00b"])
def test_a_title_is_a_line_of_1_to_250_characters(ada, item, title):
    for act in (
        lambda: checklist_items.create(title, checklist=item.checklist, by=ada),
        lambda: checklist_items.edit(item, {"title": title}, by=ada),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["title"]


def test_a_checklist_has_at_most_two_hundred_items(make, ada, checklist):
    with transaction():
        for number in range(200):
            make.item(checklist, position=float(number))
    with pytest.raises(Invalid, match="at most 200 items"):
        checklist_items.create("One more", checklist=checklist, by=ada)
