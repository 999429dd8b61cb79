"""Companies and projects over REST: another application mirrors its own by their own ids."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import CompanyMember, Project, ProjectMember, Role, User

Programs = Callable[[User], Program]


def test_a_company_is_made_by_its_own_id_and_renamed_by_the_same_call(api: Program, cast: Cast) -> None:
    made = api.put("/companies/acme", {"name": "Acme  GmbH "})
    assert made.status_code == 200
    assert (made.json["id"], made.json["name"], made.json["slug"]) == ("acme", "Acme GmbH", "acme-gmbh")
    assert db.session.get_one(CompanyMember, ("acme", cast.admin.id)).role is Role.OWNER
    renamed = api.put("/companies/acme", {"name": "Acme", "slug": "a"}).json
    assert (renamed["name"], renamed["slug"], renamed["createdAt"]) == ("Acme", "a", made.json["createdAt"])
    assert api.get("/companies/acme").json == renamed
    assert renamed in api.get("/companies").json["items"]


def test_a_project_is_made_in_one_of_my_companies(api: Program, cast: Cast) -> None:
    api.put("/companies/acme", {"name": "Acme"})
    made = api.put("/projects/shop", {"name": "Web shop", "companyId": "acme"})
    assert made.status_code == 200
    assert (made.json["id"], made.json["companyId"], made.json["slug"]) == ("shop", "acme", "web-shop")
    assert made.json["archived"] is False
    assert db.session.get_one(ProjectMember, ("shop", cast.admin.id)).role is Role.OWNER
    assert api.put("/projects/shop", {"name": "Shop", "companyId": "acme"}).json["slug"] == "web-shop"
    assert api.get("/projects/shop").json["name"] == "Shop"
    assert "shop" in [item["id"] for item in api.get("/projects").json["items"]]


def test_a_mirrored_project_takes_events_at_once(api: Program) -> None:
    api.put("/companies/acme", {"name": "Acme"})
    api.put("/projects/shop", {"name": "Shop", "companyId": "acme"})
    event = {"event": "TODO_CREATED", "projectId": "shop", "currentValue": {"id": "1"}}
    assert api.post("/events", event).status_code == 202


def test_an_id_of_somebody_else_answers_404_and_changes_nothing(api: Program, program: Programs, cast: Cast) -> None:
    api.put("/companies/acme", {"name": "Acme"})
    api.put("/projects/shop", {"name": "Shop", "companyId": "acme"})
    stranger = program(cast.stranger)
    assert stranger.put("/companies/acme", {"name": "Mine"}).status_code == 404
    assert stranger.put("/projects/shop", {"name": "Mine", "companyId": "acme"}).status_code == 404
    assert stranger.put("/projects/new", {"name": "Mine", "companyId": "acme"}).status_code == 422
    assert db.session.get_one(Project, "shop").name == "Shop"
    assert db.session.get(ProjectMember, ("shop", cast.stranger.id)) is None


def test_archived_projects_are_listed_and_marked(api: Program, cast: Cast, make: Make) -> None:
    archived = make.project(owner=cast.admin, archived=True)
    shown = {item["id"]: item["archived"] for item in api.get("/projects").json["items"]}
    assert shown == {make.project_of(cast.admin).id: False, archived.id: True}
