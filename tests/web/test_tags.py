from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.models import Role
from webapp.workspace import records, tags


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def url(project):
    return f"/projects/{project.id}/tags"


@pytest.fixture
def urgent(project, ada):
    return tags.create("Urgent", color="#e5484d", project=project, by=ada)


def words(project):
    return [(use.tag.title, use.tag.color) for use in tags.of(project)]


def test_a_project_without_tags_says_what_one_is(client, url):
    assert "No tags yet" in check_page(client.get(url)).text


def test_a_tag_is_added_in_the_colour_that_was_chosen(client, url, project):
    assert client.post(url, data={"title": "Urgent", "color": "#E5484D"}).location == url
    page = check_page(client.get(url))
    assert words(project) == [("Urgent", "#e5484d")]
    assert page.find("circle").attrs["fill"] == "#e5484d"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"title": "urgent", "color": "#000000"}, "This tag exists already."),
        ({"title": "", "color": "#000000"}, "Enter a title."),
        ({"title": "New", "color": "red"}, "Enter a colour such as #4a9fff."),
    ],
)
def test_what_is_wrong_comes_back_at_its_field(client, url, project, urgent, sent, error):
    page = check_page(client.post(url, data=sent), 422)
    assert page.errors() == [error]
    assert page.find("input", name="title").attrs["value"] == sent["title"]
    assert len(words(project)) == 1


def test_a_tag_gets_another_word_and_colour(client, url, project, urgent):
    page = check_page(client.get(f"/tags/{urgent.id}"))
    assert page.find("input", name="color").attrs["value"] == "#e5484d"
    assert client.post(f"/tags/{urgent.id}", data={"title": "Now", "color": "#4a9fff"}).location == url
    assert words(project) == [("Now", "#4a9fff")]


def test_deleting_names_the_records_that_lose_it(client, url, project, urgent, make, ada):
    record = make.record(make.list(project))
    records.edit(record, {"tag_ids": [urgent.id]}, by=ada)
    assert "1 record loses it." in check_page(client.get(f"/tags/{urgent.id}/delete")).text
    assert client.post(f"/tags/{urgent.id}/delete").location == url
    assert words(project) == []


def test_a_member_adds_tags_and_changes_none(client, cast, url, urgent):
    client.sign_in(cast.teammate)
    page = check_page(client.get(url))
    assert "Only administrators change tags." in page.text
    assert page.find("form", action=url)
    assert f"/tags/{urgent.id}" not in page.html
    assert client.post(f"/tags/{urgent.id}/delete").status_code == 403


def test_a_reader_sees_the_tags_only(client, make, project, url, urgent):
    reader = make.user()
    make.member(project, reader, Role.VIEW_ONLY)
    client.sign_in(reader)
    assert not check_page(client.get(url)).find_all("form", action=url)
    assert client.post(url, data={"title": "Mine"}).status_code == 403


def test_tags_of_others_are_not_there(client, cast, urgent, url):
    client.sign_in(cast.stranger)
    for path in (url, f"/tags/{urgent.id}", f"/tags/{urgent.id}/delete"):
        assert client.get(path).status_code == 404
