from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Company, CompanyMember, Forbidden, Invalid, NotFound, Project, Role, transaction
from webapp.workspace import access, lists, projects


def count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_whoever_creates_a_project_owns_it_and_it_begins_with_a_list(make, published):
    ada = make.user()
    project = projects.create("Orders 2024", company=make.company(owner=ada), by=ada, description="All\r\nof them")
    assert (project.slug, project.description) == ("orders-2024", "All\nof them")
    assert access.role_in(project, ada) == Role.OWNER
    assert [list_.title for list_ in lists.of(project)] == ["To do"]
    [(code, previous, current)] = published()
    assert (code, previous) == ("TODO_LIST_CREATED", "absent")
    assert (current["title"], current["position"], current["projectId"]) == ("To do", 65535, project.id)


def test_a_project_can_bring_its_company_along(make):
    ada = make.user()
    project = projects.create("Orders", company="Acme", by=ada)
    assert project.company.name == "Acme"
    assert db.session.get(CompanyMember, (project.company_id, ada.id)).role == Role.OWNER


def test_wrong_values_are_all_named_and_make_nothing(make):
    with pytest.raises(Invalid) as refused:
        projects.create(" ", company=" ", by=make.user(), slug="a b", description="d" * 20_001, id="ä")
    assert set(refused.value.fields) == {"name", "company", "slug", "description", "id"}
    assert (count(Project), count(Company)) == (0, 0)


def test_in_other_peoples_companies_nobody_makes_projects(make):
    guest, company = make.user(), make.company(owner=make.user())
    with transaction() as session:
        session.add(CompanyMember(company_id=company.id, user_id=guest.id, role=Role.VIEW_ONLY))
    for someone in (guest, make.user()):
        with pytest.raises(Invalid) as refused:
            projects.create("Orders", company=company, by=someone)
        assert list(refused.value.fields) == ["company_id"]
    assert count(Project) == 0


def test_upsert_makes_a_project_without_lists_under_the_callers_id_and_then_renames_it(make, published):
    ada = make.user()
    company = make.company(owner=ada, id="acme")
    project = projects.upsert("shop-1", name="Shop", company_id="acme", by=ada)
    assert (project.id, project.company, project.slug) == ("shop-1", company, "shop")
    assert access.role_in(project, ada) == Role.OWNER
    assert projects.upsert("shop-1", name="Big Shop", company_id="acme", by=ada) is project
    assert (project.name, project.slug) == ("Big Shop", "shop")
    assert lists.of(project) == []
    assert published() == []


@pytest.mark.proves("W14")
def test_the_id_of_a_project_that_one_does_not_administer_is_not_there_and_nothing_changes(make):
    project = make.project(id="orders", name="Orders")
    member, stranger = make.user(), make.user()
    make.member(project, member, Role.MEMBER)
    company = make.company(owner=stranger)
    for someone, company_id in ((member, project.company_id), (stranger, company.id), (stranger, project.company_id)):
        with pytest.raises(NotFound):
            projects.upsert("orders", name="Mine now", company_id=company_id, by=someone)
    assert project.name == "Orders"
    assert access.role_in(project, stranger) is None


def test_a_project_stays_in_its_company(make):
    ada = make.user()
    project, other = make.project(owner=ada, name="Orders"), make.company(owner=ada)
    with pytest.raises(Invalid) as refused:
        projects.upsert(project.id, name="Moved", company_id=other.id, by=ada)
    assert list(refused.value.fields) == ["company_id"]
    assert project.name == "Orders"


def test_administrators_change_what_a_project_is_called_and_others_do_not(make):
    ada, tim = make.user(), make.user()
    project = make.project(owner=ada, description="All of them")
    make.member(project, tim, Role.MEMBER)
    projects.edit(project, by=ada, name="Sales", slug="sales")
    assert (project.name, project.slug, project.description) == ("Sales", "sales", "All of them")
    with pytest.raises(Forbidden):
        projects.edit(project, by=tim, name="Mine")
    with pytest.raises(NotFound):
        projects.edit(project, by=make.user(), name="Mine")
    assert project.name == "Sales"


def test_the_overview_counts_lists_open_records_and_members(make):
    ada, tim = make.user(), make.user()
    project = make.project(owner=ada, name="Orders", slug="shop-orders")
    make.member(project, tim, Role.CLIENT)
    list_ = make.list(project)
    make.list(project)
    make.record(list_)
    make.record(list_, done=True)
    make.record()
    [row] = projects.overview(tim)
    assert (row.project, row.role, row.lists, row.open_records, row.members) == (project, Role.CLIENT, 2, 1, 2)
    assert [row.project for row in projects.overview(ada, search=" ORDER")] == [project]
    assert [row.project for row in projects.overview(ada, search="shop-o")] == [project]
    assert projects.overview(ada, search="other") == []
