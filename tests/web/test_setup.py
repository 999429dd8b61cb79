from __future__ import annotations

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Project, RecordList, Role, User

FIRST = {
    "name": "Ada",
    "email": "Ada@Example.com",
    "password": "three unrelated words",
    "company": "Acme",
    "project": "My first project",
    "locale": "en",
    "time_zone": "Europe/Berlin",
}


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
