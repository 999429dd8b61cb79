from __future__ import annotations

import pytest

from tests.page_checker import check_page, check_part
from webapp.models import Role
from webapp.workspace import lists, records

HTMX = {"HX-Request": "true", "HX-Target": "board"}


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def todo(project, make):
    return make.list(project)


def titles(project):
    return [list_.title for list_ in lists.of(project)]


def test_a_list_is_added_with_and_without_htmx(client, project):
    url = f"/projects/{project.id}/lists"
    assert client.post(url, data={"title": "Plain"}).location == f"/projects/{project.id}"
    page = check_part(client.post(url, data={"title": "Live"}, headers=HTMX))
    assert "Live" in page.text
    assert titles(project) == ["Plain", "Live"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_list_without_a_title_comes_back_to_its_field(client, project, headers):
    answer = client.post(f"/projects/{project.id}/lists", data={"title": "t" * 251}, headers=headers)
    page = check_part(answer, 422)
    assert page.errors() == ["Use at most 250 characters."]
    assert page.find("input", id="list-title").attrs["value"] == "t" * 251
    assert titles(project) == []


def test_a_list_is_renamed_on_its_page(client, project, todo):
    assert check_page(client.get(f"/lists/{todo.id}")).find("input", name="title").attrs["value"] == "To do"
    assert client.post(f"/lists/{todo.id}", data={"title": "Later"}).location == f"/projects/{project.id}"
    assert check_page(client.post(f"/lists/{todo.id}", data={"title": " "}), 422).errors() == ["Enter a title."]
    assert titles(project) == ["Later"]


def test_an_empty_list_is_deleted_after_a_question(client, project, todo):
    page = check_page(client.get(f"/lists/{todo.id}/delete"))
    assert page.h1 == "Delete the list “To do”?"
    assert titles(project) == ["To do"]
    answer = client.post(f"/lists/{todo.id}/delete")
    assert titles(project) == []
    assert "The list “To do” is deleted." in check_page(client.get(answer.location)).text


def test_a_list_with_records_is_not_deleted_and_the_page_says_why(client, project, todo, make):
    make.record(todo)
    page = check_page(client.get(f"/lists/{todo.id}/delete"))
    assert "Move or delete its record first." in page.text
    assert page.find("main").find_all("form") == []
    answer = client.post(f"/lists/{todo.id}/delete")
    assert "Move or delete its 1 records first." in check_page(client.get(answer.location)).text
    assert titles(project) == ["To do"]


def test_a_record_is_added_and_the_form_stays_open_for_the_next_one(client, todo):
    url = f"/lists/{todo.id}/records"
    page = check_part(client.post(url, data={"title": "First"}, headers=HTMX))
    assert "open" in page.find("details", id=f"add-{todo.id}").attrs
    field = page.find("input", id=f"record-{todo.id}")
    assert (field.attrs["value"], "data-focus" in field.attrs) == ("", True)
    answer = client.post(url, data={"title": "Top", "place": "top"})
    page = check_page(client.get(answer.location))
    assert "open" in page.find("details", id=f"add-{todo.id}").attrs
    assert [record.title for record in records.on_board([todo])[todo.id]] == ["Top", "First"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_record_without_a_title_comes_back_to_its_list(client, project, todo, make, headers):
    other = make.list(project, title="Other")
    page = check_part(
        client.post(f"/lists/{todo.id}/records", data={"title": " ", "place": "top"}, headers=headers), 422
    )
    assert page.errors() == ["Enter a title."]
    assert page.find(id=f"list-{todo.id}").find(class_="field-error") is not None
    assert page.find(id=f"list-{other.id}").find_all(class_="field-error") == []
    assert records.on_board([todo]) == {todo.id: []}


def test_what_a_role_may_not_do_is_refused(client, project, todo, make):
    client_person = make.user()
    make.member(project, client_person, Role.CLIENT)
    client.sign_in(client_person)
    assert client.post(f"/lists/{todo.id}", data={"title": "Later"}).status_code == 303
    assert client.post(f"/projects/{project.id}/lists", data={"title": "Mine"}).status_code == 403
    assert client.post(f"/lists/{todo.id}/delete").status_code == 403
    assert titles(project) == ["Later"]


def test_for_strangers_there_is_no_list(client, cast, project, todo):
    client.sign_in(cast.stranger)
    assert client.get(f"/lists/{todo.id}").status_code == 404
    assert client.get(f"/lists/{todo.id}/delete").status_code == 404
    for path in (
        f"/lists/{todo.id}",
        f"/lists/{todo.id}/delete",
        f"/lists/{todo.id}/records",
        f"/projects/{project.id}/lists",
    ):
        assert client.post(path, data={"title": "Mine"}).status_code == 404
    assert titles(project) == ["To do"]
    assert records.on_board([todo]) == {todo.id: []}
