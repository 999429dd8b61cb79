from __future__ import annotations

import pytest

from tests.page_checker import check_page, check_part
from webapp.models import Role, transaction, utc_now
from webapp.workspace import access, projects


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


def test_the_way_in_leads_to_the_projects(client, ada):
    assert client.get("/").location == "/projects"


def test_projects_stand_under_their_company_with_their_numbers(client, ada, project, make):
    make.record(make.list(project))
    page = check_page(client.get("/projects"))
    assert project.company.name in page.text
    assert page.links[project.name] == f"/projects/{project.id}"
    for words in ("1 list", "1 open record", "2 members", "Owner"):
        assert words in page.text


def test_a_project_says_how_many_webhooks_of_mine_send_its_events(client, cast, ada, project, make):
    other = make.project(owner=ada, name="Other")
    make.webhook(by=ada)
    make.webhook(by=ada, project_ids=[project.id])
    make.webhook(by=ada, enabled=False)
    make.webhook(by=ada, deleted_at=utc_now())
    make.webhook(by=cast.stranger)
    page = check_page(client.get("/projects"))
    assert page.find(id=f"project-{project.id}").find("a", href=f"/settings/webhooks?project={project.id}").text == (
        "2 webhooks"
    )
    assert "1 webhook" in page.find(id=f"project-{other.id}").text
    client.sign_in(cast.teammate)
    assert "webhook" not in check_page(client.get("/projects")).find(id=f"project-{project.id}").text


def test_a_company_is_a_link_for_those_who_belong_to_it(client, cast, ada, project):
    address = f"/companies/{project.company_id}"
    assert check_page(client.get("/projects")).find("main").find_all("a", href=address) != []
    client.sign_in(cast.teammate)
    assert check_page(client.get("/projects")).find("main").find_all("a", href=address) == []


def test_two_companies_of_the_same_name_stand_apart(client, ada, make):
    for number in (1, 2):
        make.project(owner=ada, company=make.company(ada, name="Same name"), name=f"Twin {number}")
    page = check_page(client.get("/projects"))
    assert [heading.text for heading in page.find_all("h2")].count("Same name") == 2


def test_projects_can_be_searched_and_archived_ones_shown(client, ada, project, make):
    archived = make.project(owner=ada, name="Long gone", archived=True)
    assert archived.name not in check_page(client.get("/projects")).text
    page = check_page(client.get("/projects?archived=1&q=LONG"))
    assert archived.name in page.text
    assert project.name not in page.text
    page = check_page(client.get("/projects?q=nothing+like+it"))
    assert page.links["Clear search"] == "/projects"


def test_without_projects_the_page_says_what_to_do(client, make):
    client.sign_in(make.user())
    page = check_page(client.get("/projects"))
    assert "No projects yet" in page.text


def test_a_project_is_made_in_a_company_of_ones_own(client, ada, project):
    page = check_page(client.get("/projects/new"))
    assert [option.text for option in page.find_all("option")] == [project.company.name, "New company…"]
    answer = client.post("/projects", data={"name": "Sales", "company_id": project.company_id, "slug": ""})
    made = next(each for each in access.projects_of(ada) if each.name == "Sales")
    assert answer.location == f"/projects/{made.id}"
    assert "To do" in check_page(client.get(answer.location)).text


def test_a_project_can_bring_a_new_company_along(client, make):
    person = make.user()
    client.sign_in(person)
    client.post("/projects", data={"name": "Sales", "company_id": "new", "company": "Acme"})
    [row] = projects.overview(person)
    assert (row.project.name, row.project.company.name, row.role) == ("Sales", "Acme", Role.OWNER)


def test_a_wrong_project_comes_back_with_its_values(client, ada, project):
    values = {"name": "", "company_id": "new", "company": "", "slug": "a b", "description": "Kept"}
    page = check_page(client.post("/projects", data=values), 422)
    assert page.errors() == [
        "Enter a name.",
        "Enter a name for it.",
        "Use letters without accents, digits, “-” and “_” only.",
    ]
    assert page.find("textarea", name="description").text.strip() == "Kept"
    assert access.projects_of(ada) == [project]


def test_the_company_of_somebody_else_cannot_be_chosen(client, cast, ada, make):
    theirs = make.project_of(cast.stranger).company_id
    assert client.post("/projects", data={"name": "Mine", "company_id": theirs}).status_code == 422


def test_the_board_shows_lists_and_records_in_their_order(client, ada, project, make):
    doing, todo = make.list(project, title="Doing", position=2.0), make.list(project, position=1.0)
    make.record(todo, title="<b>Second</b>", position=2.0)
    make.record(todo, title="First", position=1.0, done=True)
    page = check_page(client.get(f"/projects/{project.id}"))
    assert [heading.text for heading in page.find_all("h2")] == ["To do", "Doing"]
    assert "<b>" not in page.html
    assert [card.text for card in page.find(id=f"list-{todo.id}").find_all(class_="board-card-title")] == [
        "First",
        "<b>Second</b>",
    ]
    assert [box.attrs["aria-checked"] for box in page.find_all(role="checkbox")] == ["true", "false"]
    assert "No records" in page.find(id=f"list-{doing.id}").text


def test_htmx_gets_the_board_alone(client, ada, project, make):
    make.record(make.list(project))
    answer = client.get(f"/projects/{project.id}", headers={"HX-Request": "true", "HX-Target": "board"})
    page = check_part(answer)
    assert page.find_all("html") == []
    assert page.find(id="board") is not None
    assert "HX-Request" in answer.headers["Vary"]


def test_a_long_list_shows_its_first_hundred_records_and_then_all(client, ada, project, make):
    list_ = make.list(project)
    with transaction():
        for number in range(103):
            make.record(list_, title=f"Record {number:03}", position=float(number))
    page = check_page(client.get(f"/projects/{project.id}"))
    assert "Record 099" in page.text
    assert "Record 100" not in page.text
    assert "Record 102" in check_page(client.get(page.links["Show 3 more"])).text


def test_readers_get_no_controls(client, cast, ada, project, make):
    record = make.record(make.list(project))
    reader = make.user()
    make.member(project, reader, Role.VIEW_ONLY)
    client.sign_in(reader)
    for path in (f"/projects/{project.id}", f"/records/{record.id}"):
        page = check_page(client.get(path))
        assert record.title in page.text
        assert page.find("main").find_all("form", method="post") == []
        assert page.find("main").find_all("button", role="checkbox") == []


def test_an_archived_board_says_that_it_is_read_only(client, ada, make):
    archived = make.project(owner=ada, archived=True)
    make.record(make.list(archived))
    page = check_page(client.get(f"/projects/{archived.id}"))
    assert "Archived: read only" in page.text
    assert page.find("main").find_all("form", method="post") == []


def test_for_strangers_there_is_no_project(client, cast, project):
    client.sign_in(cast.stranger)
    for path in ("", "/settings"):
        missing = client.get(f"/projects/no-such-id{path}")
        theirs = client.get(f"/projects/{project.id}{path}")
        assert (missing.status_code, theirs.status_code) == (404, 404)
