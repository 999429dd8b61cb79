from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.models import Role
from webapp.workspace import companies


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def company(ada, make):
    return make.project_of(ada).company


@pytest.fixture
def url(company):
    return f"/companies/{company.id}"


def test_ones_companies_are_listed(client, cast, company, url):
    page = check_page(client.get("/companies"))
    assert page.links[company.name] == url
    assert "Owner" in page.text
    client.sign_in(cast.teammate)
    assert "No companies yet" in check_page(client.get("/companies")).text


def test_a_company_shows_its_members_and_my_projects(client, ada, make, company, url):
    project = make.project_of(ada)
    page = check_page(client.get(url))
    assert ada.email in page.text
    assert page.links[project.name] == f"/projects/{project.id}"


def test_a_company_is_renamed(client, company, url):
    assert client.post(url, data={"name": "Acme", "slug": ""}).location == url
    assert (company.name, company.slug) == ("Acme", "acme")
    assert check_page(client.post(url, data={"name": ""}), 422).errors() == ["Enter a name."]


def test_members_are_added_changed_and_removed(client, cast, company, url):
    teammate = cast.teammate
    assert client.post(f"{url}/members", data={"email": teammate.email, "role": "MEMBER"}).location == url
    assert companies.role_in(company, teammate) is Role.MEMBER
    client.post(f"{url}/members/{teammate.id}", data={"role": "ADMIN"})
    assert companies.role_in(company, teammate) is Role.ADMIN
    assert check_page(client.get(f"{url}/members/{teammate.id}/removal")).h1 == f"Remove {teammate.name}?"
    assert client.post(f"{url}/members/{teammate.id}/removal").location == url
    assert companies.role_in(company, teammate) is None


def test_an_address_that_one_does_not_know_comes_back(client, cast, url):
    for email in (cast.stranger.email, "nobody@example.com"):
        page = check_page(client.post(f"{url}/members", data={"email": email, "role": "MEMBER"}), 422)
        assert page.errors() == ["You know nobody with this address here. Invite them to a project first."]


def test_the_last_owner_is_told(client, ada, company, url):
    client.post(f"{url}/members/{ada.id}/removal")
    assert "A company needs an owner." in check_page(client.get(url)).text
    client.post(f"{url}/members/{ada.id}", data={"role": "KING"})
    assert companies.role_in(company, ada) is Role.OWNER


def test_who_leaves_a_company_lands_on_the_list(client, cast, company, url):
    client.post(f"{url}/members", data={"email": cast.teammate.email, "role": "VIEW_ONLY"})
    client.sign_in(cast.teammate)
    page = check_page(client.get(url))
    assert page.find("main").find_all("form") == []
    assert client.post(url, data={"name": "Mine"}).status_code == 403
    assert client.post(f"{url}/members/{cast.teammate.id}/removal").location == "/companies"


def test_for_strangers_there_is_no_company(client, cast, ada, company, url):
    client.sign_in(cast.stranger)
    assert client.get(url).status_code == 404
    assert client.get(f"{url}/members/{ada.id}/removal").status_code == 404
    for path in (url, f"{url}/members", f"{url}/members/{ada.id}", f"{url}/members/{ada.id}/removal"):
        assert client.post(path, data={"name": "Mine", "role": "MEMBER", "email": ada.email}).status_code == 404
    assert companies.role_in(company, ada) is Role.OWNER
