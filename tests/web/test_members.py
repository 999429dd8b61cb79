from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page
from webapp.extensions import db
from webapp.models import Invitation, Role, utc_now
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
    return f"/projects/{project.id}/members"


def test_the_page_shows_who_works_there_and_as_what(client, cast, url, project):
    page = check_page(client.get(url))
    assert page.h1 == "Members"
    rows = [row.text for row in page.find_all("tr")[1:]]
    assert "Ada Admin" in rows[0]
    assert cast.teammate.email in rows[1]
    current = [link.text for link in page.find_all("a", class_="column-link") if "aria-current" in link.attrs]
    assert set(current) == {"Members"}
    assert page.links["General"] == f"/projects/{project.id}/settings"


def test_other_roles_see_the_page_without_controls(client, cast, url):
    client.sign_in(cast.teammate)
    page = check_page(client.get(url))
    assert "Only administrators change this." in page.text
    assert page.find("main").find_all("form") == []
    assert "Leave" in page.links
    client.sign_in(cast.stranger)
    assert client.get(url).status_code == 404


def test_somebody_known_becomes_a_member_at_once(client, ada, make, project, url):
    fellow = make.user(name="Grace")
    make.member(make.project(owner=ada), fellow)
    assert client.post(url, data={"email": fellow.email, "role": "ADMIN"}).location == url
    assert "Grace is a member now." in check_page(client.get(url)).text
    assert access.role_in(project, fellow) is Role.ADMIN


def test_people_one_knows_are_suggested_and_nobody_else(client, ada, cast, make, url):
    fellow, gone = make.user(name="Grace"), make.user(suspended_at=utc_now())
    other = make.project(owner=ada)
    for user in (fellow, gone, cast.teammate):
        make.member(other, user)
    page = check_page(client.get(url))
    options = page.find("datalist", id="suggested").find_all("option")
    assert [(option.attrs["value"], option.text) for option in options] == [(fellow.email, "Grace")]
    client.sign_in(cast.teammate)
    assert check_page(client.get(url)).find_all("datalist") == []


def test_an_invitation_is_shown_once_and_can_be_withdrawn(client, cast, url):
    page = check_page(client.post(url, data={"email": cast.stranger.email, "role": "MEMBER"}), 201)
    link = page.find("input", id="link").attrs["value"]
    assert link.startswith("http://localhost/invitations/")
    listed = check_page(client.get(url))
    assert cast.stranger.email in listed.text
    assert link not in listed.html
    [action] = [form.attrs["action"] for form in listed.find_all("form") if "revocation" in form.attrs["action"]]
    assert client.post(action).location == url
    assert db.session.scalar(sa.select(Invitation)) is None
    assert client.get(link).status_code == 404


def test_a_wrong_address_comes_back_with_its_value(client, url):
    page = check_page(client.post(url, data={"email": "no address", "role": "MEMBER"}), 422)
    assert page.errors() == ["Enter an e-mail address such as ada@example.com."]
    assert page.find("input", name="email").attrs["value"] == "no address"


def test_a_role_is_changed_at_once_when_nothing_is_lost(client, cast, project, url):
    assert client.post(f"{url}/{cast.teammate.id}", data={"role": "CLIENT"}).location == url
    assert access.role_in(project, cast.teammate) is Role.CLIENT


def test_taking_rights_away_says_first_what_stops(client, make, project, url):
    grace = make.user(name="Grace")
    make.member(project, grace, Role.ADMIN)
    webhook = make.webhook(by=grace)
    make.delivery(webhook, make.event(project, fanned_out_at=utc_now()))
    page = check_page(client.post(f"{url}/{grace.id}", data={"role": "MEMBER"}))
    assert "A webhook of Grace will stop getting events of this project." in page.text
    assert "1 waiting or held delivery is cancelled." in page.text
    assert access.role_in(project, grace) is Role.ADMIN
    form = page.find("form", action=f"{url}/{grace.id}")
    sent = {field.attrs["name"]: field.attrs["value"] for field in form.find_all("input")}
    assert client.post(f"{url}/{grace.id}", data=sent).location == url
    assert access.role_in(project, grace) is Role.MEMBER


def test_only_who_may_remove_a_member_reads_what_that_would_stop(client, cast, make, url):
    make.delivery(make.webhook(by=cast.admin))
    client.sign_in(cast.teammate)
    answer = client.get(f"{url}/{cast.admin.id}/removal")
    assert check_page(answer, 403).h1 == "You may not do that"
    assert "deliver" not in answer.text.partition("<main")[2]
    assert "Leave" in check_page(client.get(f"{url}/{cast.teammate.id}/removal")).text


def test_removing_asks_and_says_what_stops(client, cast, make, project, url):
    page = check_page(client.get(f"{url}/{cast.teammate.id}/removal"))
    assert page.h1 == f"Remove {cast.teammate.name}?"
    assert client.post(f"{url}/{cast.teammate.id}/removal").location == url
    assert access.role_in(project, cast.teammate) is None


def test_leaving_asks_and_leads_to_the_projects(client, cast, project, url):
    client.sign_in(cast.teammate)
    assert check_page(client.get(f"{url}/{cast.teammate.id}/removal")).h1 == "Leave this project?"
    assert client.post(f"{url}/{cast.teammate.id}/removal").location == "/projects"
    assert f"You left the project “{project.name}”." in check_page(client.get("/projects")).text
    assert client.get(url).status_code == 404


def test_the_last_owner_is_told_that_a_project_needs_one(client, ada, project, url):
    for path, data in ((f"{url}/{ada.id}", {"role": "MEMBER"}), (f"{url}/{ada.id}/removal", {})):
        client.post(path, data=data)
        assert "A project needs an owner." in check_page(client.get(url)).text
    assert access.role_in(project, ada) is Role.OWNER
