"""Many records at once: all or none, one event each."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Conflict, Event, Forbidden, Invalid, NotFound, Record, Role, transaction
from webapp.workspace import record_bulk, records


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
def abc(make, todo):
    return [make.record(todo, title=title, position=65535.0 * number).id for number, title in enumerate("abc", 1)]


def titles(list_):
    return "".join(record.title for record in records.on_board([list_])[list_.id])


def codes(published):
    return [(code, (previous or {}).get("title")) for code, previous, _ in published()]


def test_records_are_done_together_and_only_those_that_were_not_tell_it(ada, abc, published):
    assert record_bulk.set_done(abc[:1], True, by=ada) == 1
    assert record_bulk.set_done([*abc, abc[2]], True, by=ada) == 2
    assert codes(published) == [("TODO_DONE_STATUS_UPDATED", title) for title in "abc"]
    assert [(was["done"], now["done"]) for _, was, now in published()] == [(False, True)] * 3


def test_records_move_together_in_the_order_they_are_named(make, ada, project, todo, abc, published):
    done = make.list(project, title="Done")
    make.record(done, title="x", position=65535.0)
    make.record(done, title="y", position=131070.0)
    assert record_bulk.move([abc[2], abc[0]], list_=done, by=ada, place=1) == 2
    assert (titles(todo), titles(done)) == ("b", "xcay")
    assert codes(published) == [("TODO_MOVED", "c"), ("TODO_MOVED", "a")]
    assert record_bulk.move([abc[1], abc[0]], list_=done, by=ada) == 1
    assert (titles(done), len(published())) == ("xcyba", 3)


def test_a_place_without_room_is_made_wider(make, ada, project, abc):
    tight = make.list(project, title="Tight")
    for title, position in (("x", 1.0), ("y", 1.001), ("z", 2.0)):
        make.record(tight, title=title, position=position)
    record_bulk.move(abc, list_=tight, by=ada, place=1)
    assert titles(tight) == "xabcyz"
    positions = [record.position for record in records.on_board([tight])[tight.id]]
    assert positions == sorted(set(positions))


def test_records_are_deleted_together(ada, todo, abc, published):
    assert record_bulk.delete([abc[1], abc[0]], by=ada) == 2
    assert codes(published) == [("TODO_DELETED", "b"), ("TODO_DELETED", "a")]
    assert titles(todo) == "c"


ACTS = {
    "done": lambda ids, list_, by: record_bulk.set_done(ids, True, by=by),
    "move": lambda ids, list_, by: record_bulk.move(ids, list_=list_, by=by),
    "delete": lambda ids, list_, by: record_bulk.delete(ids, by=by),
}


@pytest.fixture(params=ACTS.values(), ids=ACTS)
def act(make, request, project):
    target = make.list(project, title="Done")
    return lambda ids, by: request.param(ids, target, by)


@pytest.mark.parametrize("other", ["foreign", "nothing"])
def test_one_record_that_is_not_there_stops_all(make, ada, todo, abc, act, published, other):
    with pytest.raises(NotFound):
        act([*abc, make.record().id if other == "foreign" else "nothing"], ada)
    assert (titles(todo), published()) == ("abc", [])


def test_one_project_where_one_only_reads_stops_all(make, ada, todo, abc, act, published):
    other = make.record(make.list(make.project()))
    make.member(other.list.project, ada, Role.VIEW_ONLY)
    with pytest.raises(Forbidden, match="role Client"):
        act([*abc, other.id], ada)
    with transaction():
        todo.project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(abc, ada)
    assert (titles(todo), published()) == ("abc", [])


@pytest.mark.parametrize("many", [0, 201])
def test_there_are_1_to_200_records_at_once(ada, act, many):
    with pytest.raises(Invalid, match="1 to 200") as refused:
        act([f"record-{number}" for number in range(many)], ada)
    assert list(refused.value.fields) == ["record_ids"]


def test_200_records_change_with_few_questions(make, ada, todo, statements):
    with transaction():
        ids = [make.record(todo, position=float(number)).id for number in range(200)]
    with statements() as asked:
        record_bulk.set_done(ids, True, by=ada)
    assert len(asked) < 25
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 200
    assert db.session.scalar(sa.select(sa.func.count()).where(Record.done)) == 200
