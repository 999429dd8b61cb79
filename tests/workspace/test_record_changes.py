"""One save of a record: what it publishes, in which order, and what it refuses."""

from __future__ import annotations

import concurrent.futures

import pytest

from webapp.extensions import db
from webapp.models import Conflict, Forbidden, Invalid, NotFound, Role, User, transaction
from webapp.workspace import access, records

DAY, NEXT_DAY = "2026-03-20", "2026-03-21"


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def todo(make, project):
    return make.list(project)


@pytest.fixture
def record(make, todo):
    return make.record(todo)


@pytest.fixture
def save(ada, record):
    return lambda **changes: records.edit(record, changes, by=ada)


def dates(value):
    return [value["startedAt"], value["duedAt"], value["timezone"]]


def test_several_changes_are_one_event_each_in_the_catalogues_order(make, ada, project, record, save, published):
    field = make.field(project)
    save(
        field_values={field.id: "Newsletter"},
        tag_titles=["New"],
        assignee_ids=[ada.id],
        dued_at=DAY,
        done=True,
        title="Call Grace",
        description="Soon",
        archived=True,
    )
    events = published()
    assert [code for code, *_ in events] == [
        "TAG_CREATED",
        "TODO_NAME_CHANGED",
        "TODO_DONE_STATUS_UPDATED",
        "TODO_DUE_DATE_ADDED",
        "TODO_ASSIGNEE_ADDED",
        "TODO_TAG_ADDED",
        "TODO_CUSTOM_FIELD_UPDATED",
    ]
    _, previous, current = events[1]
    for _, was, now in events[2:]:
        assert (was, now) == (previous, current)
    assert (previous["title"], previous["done"], previous["archived"], previous["todoTags"]) == (
        "Call Ada", False, False, [],
    )  # fmt: skip
    assert (current["title"], current["done"], current["archived"], current["text"]) == (
        "Call Grace", True, True, "Soon",
    )  # fmt: skip
    assert previous["updatedAt"] < current["updatedAt"]


def test_a_save_of_what_is_there_already_changes_and_publishes_nothing(ada, record, save, published):
    everything = {
        "title": "Call Ada",
        "description": "Twice\n\na day",
        "done": False,
        "archived": False,
        "started_at": DAY,
        "dued_at": NEXT_DAY,
        "timezone": "Europe/Berlin",
        "assignee_ids": [ada.id],
        "tag_titles": ["a"],
    }
    save(**everything)
    changed_at, so_far = record.updated_at, len(published())
    save(**everything)
    save()
    assert (record.updated_at, len(published())) == (changed_at, so_far)


def test_a_description_is_plain_text_and_publishes_nothing(record, save, published):
    save(description=" <b>Now</b>\r\nor never\n\n& again ")
    assert record.text == "<b>Now</b>\nor never\n\n& again"
    assert record.html == "<p>&lt;b&gt;Now&lt;/b&gt;<br>or never</p><p>&amp; again</p>"
    save(description="")
    assert (record.text, record.html, published()) == (None, None, [])


def test_archiving_and_bringing_back_publish_nothing(todo, record, save, published):
    save(archived=True)
    assert records.on_board([todo])[todo.id] == []
    save(archived=False)
    assert records.on_board([todo])[todo.id] == [record]
    assert published() == []


def test_dates_are_added_updated_and_removed(save, published):
    for changes in (
        {"dued_at": DAY, "timezone": "Europe/Berlin"},
        {"started_at": "2026-03-19T08:00"},
        {"dued_at": ""},
        {"started_at": None},
        {"started_at": DAY, "dued_at": NEXT_DAY},
        {"started_at": "", "dued_at": ""},
    ):
        save(**changes)
    due, start = "2026-03-20T22:59:59.000Z", "2026-03-19T07:00:00.000Z"
    both = ["2026-03-20T00:00:00.000Z", "2026-03-21T23:59:59.000Z", None]
    nothing, berlin = [None, None, None], "Europe/Berlin"
    assert [(code, dates(was), dates(now)) for code, was, now in published()] == [
        ("TODO_DUE_DATE_ADDED", nothing, [None, due, berlin]),
        ("TODO_DUE_DATE_UPDATED", [None, due, berlin], [start, due, berlin]),
        ("TODO_DUE_DATE_UPDATED", [start, due, berlin], [start, None, berlin]),
        ("TODO_DUE_DATE_REMOVED", [start, None, berlin], nothing),
        ("TODO_DUE_DATE_ADDED", nothing, both),
        ("TODO_DUE_DATE_REMOVED", both, nothing),
    ]


def test_another_zone_alone_publishes_nothing(record, save, published):
    save(dued_at="2026-03-20T16:00:00Z")
    save(timezone="Asia/Tokyo")
    assert (record.timezone, len(published())) == ("Asia/Tokyo", 1)


@pytest.mark.parametrize("first", [{"started_at": NEXT_DAY}, {"started_at": NEXT_DAY, "dued_at": NEXT_DAY}])
def test_due_is_never_before_the_start_that_is_there(save, published, first):
    save(**first)
    with pytest.raises(Invalid) as refused:
        save(dued_at=DAY)
    assert (list(refused.value.fields), len(published())) == (["dued_at"], 1)


def test_each_wrong_field_is_named_and_nothing_is_saved(record, save, published):
    with pytest.raises(Invalid) as refused:
        save(title="", description="d" * 20_001, started_at="soon", dued_at="later", done=True)
    assert list(refused.value.fields) == ["title", "description", "started_at", "dued_at"]
    with pytest.raises(Invalid) as refused:
        save(timezone="Mars/Olympus", done=True)
    assert list(refused.value.fields) == ["timezone"]
    assert (published(), record.done, record.title) == ([], False, "Call Ada")


def test_a_record_that_starts_with_everything_is_one_event_and_one_for_each_new_tag(
    make, ada, project, todo, published
):
    field = make.field(project, "SELECT_MULTI", options="a b")
    record = records.create(
        "Call Ada",
        list_=todo,
        by=ada,
        top=True,
        values={
            "description": "Soon",
            "dued_at": DAY,
            "done": True,
            "assignee_ids": [ada.id],
            "tag_titles": ["New"],
            "field_values": {field.id: [field.options[1].id]},
        },
    )
    (tag_code, _, tag), (code, previous, current) = published()
    assert (tag_code, code, previous) == ("TAG_CREATED", "TODO_CREATED", "absent")
    assert (current["id"], current["text"], current["done"], current["duedAt"]) == (
        record.id, "Soon", True, "2026-03-20T23:59:59.000Z",
    )  # fmt: skip
    assert [one["tagId"] for one in current["todoTags"]] == [tag["id"]]
    assert [one["userId"] for one in current["todoUsers"]] == [ada.id]
    assert current["todoCustomFields"][0]["todoCustomFieldOptions"][0]["customFieldOption"]["title"] == "b"
    records.rename(record, "Call Grace", by=ada)
    assert published()[2][1] == current


def test_a_record_is_not_made_with_anything_wrong(make, ada, todo, published):
    field = make.field(todo.project, "NUMBER")
    for values, wrong in (
        ({"dued_at": "soon"}, ["dued_at"]),
        ({"assignee_ids": ["nobody"]}, ["assignee_ids"]),
        ({"tag_titles": ["New"], "field_values": {field.id: "x"}}, [f"field_values.{field.id}"]),
    ):
        with pytest.raises(Invalid) as refused:
            records.create("Call Ada", list_=todo, by=ada, values=values)
        assert list(refused.value.fields) == wrong
    assert (published(), records.on_board([todo])) == ([], {todo.id: []})


def test_an_event_costs_the_same_questions_however_much_hangs_on_the_record(make, ada, project, todo, statements):
    fields = [make.field(project, "SELECT_MULTI", options="a b c", name=str(number)) for number in range(6)]
    people, asked_for = [make.user() for _ in range(6)], []
    for person in people:
        make.member(project, person)
    for many in (1, 6):
        record = make.record(todo)
        changes = {
            "tag_titles": [f"tag {number}" for number in range(many)],
            "assignee_ids": [person.id for person in people[:many]],
            "field_values": {field.id: [option.id for option in field.options] for field in fields[:many]},
        }
        records.edit(record, changes, by=ada)
        with statements() as asked:
            records.rename(record, "Changed", by=ada)
        asked_for.append(len(asked))
    assert asked_for[0] == asked_for[1] <= 12


def test_four_people_who_make_the_same_tag_at_once_make_one(app, make, ada, todo, published):
    ids, user_id = [make.record(todo, position=float(number)).id for number in range(8)], ada.id

    def tag(record_id):
        with app.app_context():
            try:
                user = db.session.get(User, user_id)
                records.edit(access.load_record(record_id, user), {"tag_titles": ["New"]}, by=user)
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(tag, ids))
    db.session.rollback()
    codes = [code for code, *_ in published()]
    assert sorted(codes) == ["TAG_CREATED"] + ["TODO_TAG_ADDED"] * 8


def test_of_two_who_save_the_same_title_field_the_later_wins_and_both_tell_the_truth(app, ada, record, save, published):
    record_id, user_id = record.id, ada.id
    assert record.title == "Call Ada"  # as both have it before them

    def elsewhere():
        with app.app_context():
            try:
                user = db.session.get(User, user_id)
                records.edit(access.load_record(record_id, user), {"title": "First", "done": True}, by=user)
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(elsewhere).result()
    save(title="Second", done=True)
    titles = [(code, was["title"], now["title"]) for code, was, now in published()]
    assert titles == [
        ("TODO_NAME_CHANGED", "Call Ada", "First"),
        ("TODO_DONE_STATUS_UPDATED", "Call Ada", "First"),
        ("TODO_NAME_CHANGED", "First", "Second"),
    ]


CHANGES = [{"title": "x"}, {"done": True}, {"dued_at": DAY}, {"assignee_ids": []}, {"tag_ids": []}, {"archived": True}]


@pytest.mark.parametrize("changes", CHANGES, ids=lambda changes: next(iter(changes)))
@pytest.mark.parametrize("role", Role)
def test_clients_and_up_change_records(make, project, record, role, changes):
    person = make.user()
    make.member(project, person, role)
    if role in {Role.COMMENT_ONLY, Role.VIEW_ONLY}:
        with pytest.raises(Forbidden, match="role Client"):
            records.edit(record, changes, by=person)
    else:
        records.edit(record, changes, by=person)


def test_strangers_and_archived_projects_change_nothing(make, ada, project, record, published):
    with pytest.raises(NotFound):
        records.edit(record, {"done": True}, by=make.user())
    with transaction():
        project.archived = True
    with pytest.raises(Conflict, match="read only"):
        records.edit(record, {"done": True}, by=ada)
    db.session.expire_all()
    assert (record.done, published()) == (False, [])
