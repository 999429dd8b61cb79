from __future__ import annotations

import pytest

from webapp.models import Conflict, Forbidden, Invalid, NotFound, Role
from webapp.workspace import lists


@pytest.fixture
def ada(make):
    return make.user()


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


def test_a_new_list_stands_behind_the_others_and_publishes_itself(make, ada, project, published):
    make.list(project)
    list_ = lists.create(" Doing ", project=project, by=ada)
    assert [each.title for each in lists.of(project)] == ["To do", "Doing"]
    [(code, previous, current)] = published()
    assert (code, previous) == ("TODO_LIST_CREATED", "absent")
    assert (current["id"], current["title"], current["position"], current["createdById"]) == (
        list_.id,
        "Doing",
        131070,
        ada.id,
    )
    assert current["project"]["company"]["id"] == project.company_id


def test_renaming_publishes_the_list_before_and_after(make, ada, project, published):
    list_ = make.list(project)
    lists.rename(list_, "Later", by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["title"], current["title"]) == ("TODO_LIST_NAME_CHANGED", "To do", "Later")
    assert previous["updatedAt"] < current["updatedAt"]
    lists.rename(list_, " Later ", by=ada)
    assert len(published()) == 1


def test_an_empty_list_can_be_deleted(make, ada, project, published):
    list_ = make.list(project)
    lists.delete(list_, by=ada)
    assert lists.of(project) == []
    [(code, previous, current)] = published()
    assert (code, previous["title"], current) == ("TODO_LIST_DELETED", "To do", None)


def test_a_list_that_holds_records_is_not_deleted(make, ada, project, published):
    list_ = make.list(project)
    make.record(list_)
    make.record(list_)
    with pytest.raises(Conflict, match="Move or delete its 2 records first"):
        lists.delete(list_, by=ada)
    assert lists.of(project) == [list_]
    assert published() == []


def test_a_project_has_at_most_fifty_lists(make, ada, project):
    for number in range(50):
        make.list(project, position=float(number))
    with pytest.raises(Invalid, match="at most 50 lists"):
        lists.create("One more", project=project, by=ada)


@pytest.mark.parametrize("title", ["", "  ", "t" * 251])
def test_a_title_has_1_to_250_characters(ada, project, title):
    with pytest.raises(Invalid) as refused:
        lists.create(title, project=project, by=ada)
    assert list(refused.value.fields) == ["title"]


def test_clients_rename_lists_but_do_not_make_or_delete_them(make, project):
    client, list_ = make.user(), make.list(project)
    make.member(project, client, Role.CLIENT)
    lists.rename(list_, "Later", by=client)
    with pytest.raises(Forbidden):
        lists.create("Mine", project=project, by=client)
    with pytest.raises(Forbidden):
        lists.delete(list_, by=client)


def test_for_strangers_there_are_no_lists(make, project):
    stranger, list_ = make.user(), make.list(project)
    for act in (
        lambda: lists.create("Mine", project=project, by=stranger),
        lambda: lists.rename(list_, "Mine", by=stranger),
        lambda: lists.delete(list_, by=stranger),
    ):
        with pytest.raises(NotFound):
            act()


def test_an_archived_project_takes_no_lists(make, ada):
    list_ = make.list(make.project(owner=ada, archived=True))
    with pytest.raises(Conflict, match="read only"):
        lists.rename(list_, "Later", by=ada)


def test_a_list_that_was_deleted_meanwhile_is_not_there(make, ada, project):
    list_ = make.list(project)
    lists.delete(lists.of(project)[0], by=ada)
    with pytest.raises(NotFound):
        lists.rename(list_, "Later", by=ada)
