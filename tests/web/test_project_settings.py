from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.extensions import db
from webapp.models import Delivery, Event, Project, Role, utc_now
from webapp.workspace import access


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def url(project):
    return f"/projects/{project.id}"


def test_administrators_rename_a_project_and_others_see_its_ids(client, cast, project, url):
    page = check_page(client.get(f"{url}/settings"))
    assert page.find("input", name="name").attrs["value"] == project.name
    values = {"name": "Sales", "slug": "sales", "description": "All of them", "category": "SALES"}
    assert client.post(f"{url}/settings", data=values).location == f"{url}/settings"
    assert (project.name, project.slug, project.description, project.category) == tuple(values.values())
    assert check_page(client.post(f"{url}/settings", data={"name": ""}), 422).errors() == ["Enter a name."]
    page = check_page(client.post(f"{url}/settings", data={"name": "Sales", "category": "NONSENSE"}), 422)
    assert page.errors() == ["Choose one of the categories."]
    client.sign_in(cast.teammate)
    page = check_page(client.get(f"{url}/settings"))
    assert page.find_all("input", name="name") == []
    assert "Danger zone" not in page.text
    assert project.id in page.text
    assert client.post(f"{url}/settings", data={"name": "Mine"}).status_code == 403
    assert project.name == "Sales"


def test_archiving_asks_and_can_be_taken_back(client, project, url):
    assert "so no more events" in check_page(client.get(f"{url}/archive")).text
    assert client.post(f"{url}/archive").location == f"{url}/settings"
    assert project.archived
    assert "archived: read only" in check_page(client.get(f"{url}/settings")).text
    assert client.post(f"{url}/archive/end").location == f"{url}/settings"
    assert not project.archived


def test_deleting_needs_the_name_and_says_what_goes(client, ada, make, project, url):
    make.record(make.list(project))
    kept = make.delivery(make.webhook(by=ada), make.event(make.project(owner=ada), fanned_out_at=utc_now()))
    gone = make.delivery(kept.webhook, make.event(project, fanned_out_at=utc_now()))
    numbers = kept.seq, gone.seq
    page = check_page(client.get(f"{url}/deletion"))
    for words in (
        "1 list goes for good, with 1 record and the log of its events.",
        "1 waiting or held delivery is never sent.",
        "Webhooks that list only this project will receive nothing.",
    ):
        assert words in page.text
    page = check_page(client.post(f"{url}/deletion", data={"typed_name": "Nonsense"}), 422)
    assert page.errors() == ["This is not the name of the project."]
    name = project.name
    answer = client.post(f"{url}/deletion", data={"typed_name": f" {name} "})
    assert answer.location == "/projects"
    assert f"The project “{name}” is deleted." in check_page(client.get("/projects")).text
    assert client.get(url).status_code == 404
    assert [db.session.get(Delivery, number) is not None for number in numbers] == [True, False]


def test_a_webhook_that_listed_only_a_deleted_project_does_not_begin_to_listen_to_all(client, ada, make, project, url):
    webhook = make.webhook(by=ada, project_ids=[project.id])
    deleted = project.id
    client.post(f"{url}/deletion", data={"typed_name": project.name})
    assert webhook.project_ids == [deleted]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CLIENT, Role.VIEW_ONLY])
def test_other_roles_end_nothing(client, make, project, url, role):
    person = make.user()
    make.member(project, person, role)
    client.sign_in(person)
    for path in ("/archive", "/deletion"):
        assert client.get(url + path).status_code == 403
        assert client.post(url + path, data={"typed_name": project.name}).status_code == 403
    assert client.post(f"{url}/archive/end").status_code == 403
    assert db.session.get(Project, project.id) is not None
    assert not project.archived


def test_for_strangers_there_are_no_settings(client, cast, project, url):
    client.sign_in(cast.stranger)
    for path in ("settings", "archive", "deletion", "members"):
        assert client.get(f"{url}/{path}").status_code == 404
    for path in ("settings", "archive", "archive/end", "deletion", "members"):
        assert client.post(f"{url}/{path}", data={"name": "Mine", "typed_name": project.name}).status_code == 404
    assert access.projects_of(cast.admin) == [project]
    assert db.session.query(Event).count() == 0
