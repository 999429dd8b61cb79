from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.page_checker import check_page
from webapp.extensions import db
from webapp.models import Project, RecordList, Role, User, Webhook, utc_now

FIRST = {
    "name": "Ada",
    "email": "Ada@Example.com",
    "password": "three unrelated words",
    "company": "Acme",
    "project": "My first project",
    "locale": "en",
    "time_zone": "Europe/Berlin",
}


@pytest.mark.proves("W52")
def test_while_there_is_nobody_every_page_leads_to_the_first_run(client):
    for path in ("/", "/projects", "/login", "/settings/profile", "/nothing-here"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, "/setup")
    assert client.get("/setup").status_code == 200


def test_the_first_run_makes_an_operator_with_a_company_a_project_and_a_list_and_signs_them_in(client):
    answer = client.post("/setup", data=FIRST)
    assert answer.status_code == 303
    person = db.session.scalars(sa.select(User)).one()
    assert (person.email, person.is_operator, person.time_zone) == ("ada@example.com", True, "Europe/Berlin")
    project = db.session.scalars(sa.select(Project)).one()
    assert (project.name, project.slug, project.company.name) == ("My first project", "my-first-project", "Acme")
    assert [(member.user_id, member.role) for member in project.members] == [(person.id, Role.OWNER)]
    assert db.session.scalars(sa.select(RecordList)).one().title == "To do"
    assert b"My first project" in client.get("/projects").data


@pytest.mark.proves("W52")
def test_afterwards_the_first_run_does_not_exist(client, make):
    make.user()
    assert client.get("/setup").status_code == 404
    assert client.post("/setup", data=FIRST).status_code == 404
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 1
    assert client.get("/login").status_code == 200


def test_machines_are_not_led_to_the_first_run(client):
    assert client.get("/api/v1/event-types").status_code != 303
    with client.get("/static/css/tokens.css") as answer:
        assert answer.status_code == 200


def test_what_is_wrong_stands_at_its_field_and_the_values_are_kept(client):
    page = check_page(client.post("/setup", data={**FIRST, "email": "ada", "password": "short", "company": ""}), 422)
    assert page.errors() == [
        "Enter an e-mail address such as ada@example.com.",
        "Use at least 12 characters.",
        "Enter a name for the company.",
    ]
    assert page.find("input", name="name").attrs["value"] == "Ada"
    assert not page.find("input", name="password").attrs.get("value")
    assert client.get("/projects").location == "/setup"


def test_the_form_takes_language_and_zone_from_the_browser(client):
    page = check_page(client.get("/setup", headers={"Accept-Language": "de-DE,de;q=0.9"}))
    chosen = [option.attrs["value"] for option in page.find_all("option") if "selected" in option.attrs]
    assert chosen == ["de", ""]
    assert page.find_all("input", name="code") == []


@pytest.mark.proves("W52")
def test_where_others_can_reach_it_the_code_is_asked_and_guessing_it_is_limited(app, client):
    app.config["SETUP_CODE"] = "4711-0815"
    assert check_page(client.get("/setup")).find("input", name="code") is not None
    for code in ("", "4711", *(str(number) for number in range(8))):
        assert check_page(client.post("/setup", data={**FIRST, "code": code}), 422).errors() == [
            "That is not the code."
        ]
    answer = client.post("/setup", data={**FIRST, "code": "4711-0815"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    with time_machine.travel(utc_now() + timedelta(minutes=16)):
        assert client.post("/setup", data={**FIRST, "code": " 4711-0815 "}).status_code == 303


def test_the_first_run_fills_the_installation_with_a_demo_when_asked(make_app):
    client = make_app(base_url="http://localhost").test_client()
    assert client.post("/setup", data={**FIRST, "email": "grace@example.com", "demo": "y"}).status_code == 303
    person = db.session.scalars(sa.select(User).where(User.email == "grace@example.com")).one()
    assert person.name == "Ada"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(User)) == 4
    projects = check_page(client.get("/projects")).text
    assert all(name in projects for name in ("My first project", "Website relaunch", "Orders"))
    assert db.session.scalar(sa.select(sa.func.count()).where(Webhook.created_by_id == person.id)) > 5


def test_the_demo_is_only_offered_where_the_installation_knows_its_address(client, make_app):
    assert not check_page(client.get("/setup")).find_all("input", name="demo")
    knowing = make_app(base_url="http://localhost").test_client()
    assert check_page(knowing.get("/setup")).find("input", name="demo").attrs["type"] == "checkbox"


def test_the_form_names_the_time_zone_of_the_browser(client):
    client.set_cookie("tz", "Europe%2FBerlin")
    assert "Browser: Europe/Berlin" in check_page(client.get("/setup")).text
