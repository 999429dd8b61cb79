from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Company, CompanyMember, Invalid, NotFound, Role, transaction
from webapp.workspace import companies


def test_whoever_creates_a_company_owns_it(make):
    ada = make.user()
    company = companies.create("  Straße & Söhne ", by=ada)
    assert (company.name, company.slug) == ("Straße & Söhne", "strasse-sohne")
    assert [(member.user_id, member.role) for member in company.members] == [(ada.id, Role.OWNER)]
    assert companies.of(ada) == [company]
    assert companies.load(company.id, ada) is company


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "Acme", "slug": "no blanks"}, "slug"),
        ({"name": "Acme", "id": "a/b"}, "id"),
        ({"name": "Acme", "id": "a" * 65}, "id"),
        ({"name": "Acme", "id": ""}, "id"),
    ],
)
def test_wrong_values_are_named_and_make_no_company(make, values, field):
    with pytest.raises(Invalid) as refused:
        companies.create(**values, by=make.user())
    assert list(refused.value.fields) == [field]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Company)) == 0


def test_an_id_is_given_once(make):
    ada = make.user()
    companies.create("Acme", by=ada, id="acme")
    with pytest.raises(Invalid, match="taken"):
        companies.create("Acme", by=ada, id="acme")


def test_upsert_makes_a_company_under_the_callers_id_and_then_renames_it(make):
    ada = make.user()
    company = companies.upsert("shop_1", name="Shop", slug="the-shop", by=ada)
    assert (company.id, company.slug) == ("shop_1", "the-shop")
    again = companies.upsert("shop_1", name="Big Shop", by=ada)
    assert again is company
    assert (again.name, again.slug) == ("Big Shop", "the-shop")
    assert companies.of(ada) == [company]


@pytest.mark.proves("W14")
def test_the_id_of_somebody_elses_company_is_not_there_and_nothing_changes(make):
    company = make.company(owner=make.user(), id="acme", name="Acme")
    member = make.user()
    company_id = company.id
    with transaction() as session:
        session.add(CompanyMember(company_id=company_id, user_id=member.id, role=Role.MEMBER))
    for someone in (make.user(), member):
        with pytest.raises(NotFound):
            companies.upsert("acme", name="Mine now", by=someone)
    assert company.name == "Acme"
    with pytest.raises(NotFound):
        companies.load("acme", make.user())


def test_projects_are_made_in_companies_where_one_is_more_than_a_guest(make):
    ada = make.user()
    mine = make.company(owner=ada)
    guests = make.company(owner=make.user())
    with transaction() as session:
        session.add(CompanyMember(company_id=guests.id, user_id=ada.id, role=Role.CLIENT))
    assert set(companies.of(ada)) == {mine, guests}
    assert companies.open_to(ada) == [mine]
