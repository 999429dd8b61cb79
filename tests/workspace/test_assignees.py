"""Who cares for a record."""

from __future__ import annotations

import pytest

from webapp.extensions import db
from webapp.models import Invalid, ProjectMember, Role, transaction
from webapp.workspace import records


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
def ben(make, project):
    ben = make.user(name="Ben Okafor")
    make.member(project, ben, Role.VIEW_ONLY)
    return ben


def people(value):
    return [one["user"]["firstName"] for one in value["todoUsers"]]


def test_people_come_and_go_with_one_event_for_each_direction(ada, ben, record, published):
    records.edit(record, {"assignee_ids": [ada.id]}, by=ada)
    records.edit(record, {"assignee_ids": [ben.id, ben.id]}, by=ada)
    records.edit(record, {"assignee_ids": []}, by=ada)
    assert [(code, people(was), people(now)) for code, was, now in published()] == [
        ("TODO_ASSIGNEE_ADDED", [], ["Ada"]),
        ("TODO_ASSIGNEE_ADDED", ["Ada"], ["Ben"]),
        ("TODO_ASSIGNEE_REMOVED", ["Ada"], ["Ben"]),
        ("TODO_ASSIGNEE_REMOVED", ["Ben"], []),
    ]


def test_an_assignee_is_shown_with_both_ids_and_the_person(ada, ben, record, published):
    records.edit(record, {"assignee_ids": [ben.id]}, by=ada)
    [shown] = published()[0][2]["todoUsers"]
    assert (shown["todoId"], shown["userId"], shown["user"]["email"]) == (record.id, ben.id, ben.email)


def test_several_people_in_one_save_are_one_event(ada, ben, record, published):
    records.edit(record, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    assert [(code, people(now)) for code, _, now in published()] == [("TODO_ASSIGNEE_ADDED", ["Ben", "Ada"])]
    db.session.expire_all()
    assert [one.user.name for one in record.assignees] == ["Ben Okafor", "Ada King"]


def test_the_same_people_again_publish_nothing(ada, ben, record, published):
    records.edit(record, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    changed_at = record.updated_at
    records.edit(record, {"assignee_ids": [ada.id, ben.id]}, by=ada)
    assert (len(published()), record.updated_at) == (1, changed_at)


def test_only_members_of_the_project_are_assigned(make, ada, ben, record, published):
    for stranger in (make.user().id, "nobody"):
        with pytest.raises(Invalid) as refused:
            records.edit(record, {"assignee_ids": [ben.id, stranger]}, by=ada)
        assert list(refused.value.fields) == ["assignee_ids"]
    assert (published(), record.assignees) == ([], [])


def test_who_left_the_project_may_stay_on_the_record(ada, ben, project, record, published):
    records.edit(record, {"assignee_ids": [ben.id]}, by=ada)
    with transaction() as session:
        session.delete(session.get_one(ProjectMember, (project.id, ben.id)))
    records.edit(record, {"assignee_ids": [ben.id, ada.id]}, by=ada)
    assert people(published()[-1][2]) == ["Ben", "Ada"]
    records.edit(record, {"assignee_ids": [ada.id]}, by=ada)
    with pytest.raises(Invalid):
        records.edit(record, {"assignee_ids": [ben.id]}, by=ada)


def test_a_record_has_only_so_many_assignees(ada, ben, record, monkeypatch):
    monkeypatch.setattr("webapp.workspace.record_changes.MAX_ASSIGNEES", 1)
    with pytest.raises(Invalid, match="at most 1 assignees"):
        records.edit(record, {"assignee_ids": [ada.id, ben.id]}, by=ada)
