from __future__ import annotations

import concurrent.futures

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Conflict, Event, Forbidden, Invalid, NotFound, Role, User, transaction
from webapp.workspace import access, records


@pytest.fixture
def ada(make):
    return make.user()


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def todo(make, project):
    return make.list(project)


def titles(list_):
    return [record.title for record in records.on_board([list_])[list_.id]]


def test_a_new_record_stands_at_the_bottom_or_on_top_and_publishes_itself(ada, todo, published):
    first = records.create("First", list_=todo, by=ada)
    records.create("Last", list_=todo, by=ada)
    top = records.create("Top", list_=todo, by=ada, top=True)
    assert titles(todo) == ["Top", "First", "Last"]
    assert (first.position, top.position) == (65535.0, 32767.5)
    code, previous, current = published()[2]
    assert (code, previous) == ("TODO_CREATED", "absent")
    assert (current["id"], current["title"], current["position"]) == (top.id, "Top", "32767.5")
    assert current["todoList"]["project"]["company"]["id"] == todo.project.company_id
    assert db.session.scalars(sa.select(Event.record_id)).first() == first.id


def test_renaming_publishes_the_record_before_and_after(make, ada, todo, published):
    record = make.record(todo)
    records.rename(record, "Call Grace", by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["title"], current["title"]) == ("TODO_NAME_CHANGED", "Call Ada", "Call Grace")
    assert previous["updatedAt"] < current["updatedAt"]
    assert record.title == "Call Grace"


def test_the_value_before_is_the_one_on_disk_and_not_the_one_somebody_loaded_earlier(make, ada, todo, published):
    record = make.record(todo)
    assert record.title == "Call Ada"
    with db.engine.connect().execution_options(webapp_write=True) as connection:
        connection.execute(sa.text("UPDATE record SET title = 'Changed elsewhere'"))
        connection.commit()
    records.rename(record, "Call Grace", by=ada)
    assert published()[0][1]["title"] == "Changed elsewhere"


def test_what_changes_nothing_publishes_nothing(make, ada, todo, published):
    record = make.record(todo)
    records.rename(record, " Call  Ada ", by=ada)
    records.set_done(record, False, by=ada)
    records.move(record, list_=todo, by=ada)
    records.shift(record, 1, by=ada)
    assert published() == []


def test_done_and_not_done_publish_the_status(make, ada, todo, published):
    record = make.record(todo)
    records.set_done(record, True, by=ada)
    records.set_done(record, False, by=ada)
    assert [(code, old["done"], new["done"]) for code, old, new in published()] == [
        ("TODO_DONE_STATUS_UPDATED", False, True),
        ("TODO_DONE_STATUS_UPDATED", True, False),
    ]


def test_moving_to_another_list_publishes_one_event_with_both_lists(make, ada, project, todo, published):
    done = make.list(project, title="Done", position=131070.0)
    make.record(done, title="Old", position=65535.0)
    record = make.record(todo)
    records.move(record, list_=done, by=ada, place=0)
    assert (titles(todo), titles(done)) == ([], ["Call Ada", "Old"])
    [(code, previous, current)] = published()
    assert (code, previous["todoListId"], current["todoListId"]) == ("TODO_MOVED", todo.id, done.id)
    assert (previous["todoList"]["title"], current["todoList"]["title"]) == ("To do", "Done")
    assert (previous["position"], current["position"]) == ("65535", "32767.5")


@pytest.fixture
def abc(make, todo):
    return {title: make.record(todo, title=title, position=65535.0 * number) for number, title in enumerate("abc", 1)}


@pytest.mark.parametrize(
    ("place", "expected"), [(0, "cab"), (1, "acb"), (2, "abc"), (None, "abc"), (99, "abc"), (-1, "cab")]
)
def test_a_place_is_counted_among_the_others(ada, todo, abc, place, expected):
    records.move(abc["c"], list_=todo, by=ada, place=place)
    assert "".join(titles(todo)) == expected
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0


@pytest.mark.parametrize("way", ["b-1 bac", "b+1 acb", "a-1 abc", "c+1 abc", "a+2 bca"])
def test_records_move_up_and_down_within_their_list(ada, todo, abc, way):
    records.shift(abc[way[0]], int(way[1:3]), by=ada)
    assert "".join(titles(todo)) == way[4:]


def test_a_list_keeps_its_order_however_often_records_are_put_on_top(make, ada, todo):
    bottom = make.record(todo, title="bottom")
    changed_at = bottom.updated_at
    for number in range(60):
        records.create(str(number), list_=todo, by=ada, top=True)
    assert titles(todo) == [*(str(number) for number in reversed(range(60))), "bottom"]
    positions = [record.position for record in records.on_board([todo])[todo.id]]
    assert len(set(positions)) == 61
    assert min(positions) > 1 / 1024
    assert bottom.updated_at == changed_at


def test_deleting_publishes_the_record_as_it_was(make, ada, todo, published):
    record = make.record(todo)
    record_id = record.id
    records.delete(record, by=ada)
    assert titles(todo) == []
    [(code, previous, current)] = published()
    assert (code, previous["id"], current) == ("TODO_DELETED", record_id, None)
    with pytest.raises(NotFound):
        access.load_record(record_id, ada)


def test_administrators_of_both_projects_move_a_record_as_one_event_of_the_destination(make, ada, todo, published):
    other = make.project(owner=ada)
    target, source_id, record = make.list(other), todo.project_id, make.record(todo)
    records.move(record, list_=target, by=ada)
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.type, event.project_id, event.source_project_id) == ("TODO_MOVED", other.id, source_id)
    [(_, previous, current)] = published()
    assert (previous["todoList"]["projectId"], current["todoList"]["projectId"]) == (source_id, other.id)


@pytest.mark.parametrize(("here", "there"), [(Role.MEMBER, Role.ADMIN), (Role.ADMIN, Role.MEMBER)])
def test_members_of_one_side_do_not_move_records_between_projects(make, todo, here, there, published):
    tim, other = make.user(), make.project()
    make.member(todo.project, tim, here)
    make.member(other, tim, there)
    with pytest.raises(Forbidden, match="both projects"):
        records.move(make.record(todo), list_=make.list(other), by=tim)
    assert published() == []


def test_two_changes_at_once_each_tell_what_they_really_changed(app, make, ada, todo, published):
    record_id, user_id = make.record(todo).id, ada.id

    def rename(number: int) -> None:
        with app.app_context():
            try:
                user = db.session.get(User, user_id)
                records.rename(access.load_record(record_id, user), f"Title {number}", by=user)
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(rename, range(12)))
    db.session.rollback()
    events = published()
    assert len(events) == 12
    links = {previous["title"]: current["title"] for _, previous, current in events}
    title = "Call Ada"
    for _ in range(12):
        title = links.pop(title)
    assert not links


def test_a_record_is_not_moved_into_a_list_that_is_not_there(make, ada, todo):
    with pytest.raises(NotFound):
        records.move(make.record(todo), list_=make.list(), by=ada)


ACTS = {
    "create": lambda record, by: records.create("Mine", list_=record.list, by=by),
    "rename": lambda record, by: records.rename(record, "Mine", by=by),
    "move": lambda record, by: records.move(record, list_=record.list, by=by),
    "shift": lambda record, by: records.shift(record, 1, by=by),
    "set_done": lambda record, by: records.set_done(record, True, by=by),
    "delete": lambda record, by: records.delete(record, by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_may_not_change_records_does_not(make, todo, act, published):
    record, reader, stranger = make.record(todo), make.user(), make.user()
    make.member(todo.project, reader, Role.COMMENT_ONLY)
    with pytest.raises(Forbidden, match="role Client"):
        act(record, reader)
    with pytest.raises(NotFound):
        act(record, stranger)
    with transaction():
        todo.project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(record, todo.project.members[0].user)
    assert published() == []


@pytest.mark.parametrize("title", ["", " \n ", "t" * 251, "a\x00b"])
def test_a_title_is_a_line_of_1_to_250_characters(make, ada, todo, title):
    record = make.record(todo)
    for act in (lambda: records.create(title, list_=todo, by=ada), lambda: records.rename(record, title, by=ada)):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["title"]
