from __future__ import annotations

import concurrent.futures

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import CompanyMember, Conflict, Forbidden, Invalid, NotFound, Role, transaction
from webapp.workspace import companies, company_members


@pytest.fixture
def team(make):
    owner = make.user()
    return owner, make.company(owner=owner)


def in_role(make, company, role):
    user = make.user()
    company_id = company.id
    with transaction() as session:
        session.add(CompanyMember(company_id=company_id, user_id=user.id, role=role))
    return user


@pytest.mark.parametrize("mine", Role)
@pytest.mark.parametrize("theirs", Role)
def test_owners_change_everybody_administrators_all_but_owners_and_others_nobody(make, team, mine, theirs):
    _, company = team
    me, target = in_role(make, company, mine), in_role(make, company, theirs)
    given = Role.CLIENT if theirs is not Role.CLIENT else Role.MEMBER
    may = mine is Role.OWNER or (mine is Role.ADMIN and theirs is not Role.OWNER)
    for act in (
        lambda: company_members.change_role(company, target.id, given, by=me),
        lambda: company_members.remove(company, target.id, by=me),
    ):
        if may:
            act()
        else:
            with pytest.raises(Forbidden):
                act()
    assert companies.role_in(company, target) is (None if may else theirs)


def test_only_people_one_knows_are_added(make, team):
    owner, company = team
    fellow, stranger = make.user(), make.user()
    make.member(make.project(owner=owner), fellow)
    assert company_members.add(company, fellow.email, "MEMBER", by=owner).user_id == fellow.id
    for email in (stranger.email, "nobody@example.com"):
        with pytest.raises(Invalid, match="You know nobody") as refused:
            company_members.add(company, email, "MEMBER", by=owner)
        assert refused.value.field == "email"
    with pytest.raises(Invalid, match="a member already"):
        company_members.add(company, fellow.email, "ADMIN", by=owner)
    with pytest.raises(Forbidden):
        company_members.add(company, stranger.email, "MEMBER", by=fellow)
    with pytest.raises(NotFound):
        company_members.add(company, fellow.email, "MEMBER", by=stranger)


def test_the_last_owner_stays_one_and_others_may_leave(make, team):
    owner, company = team
    member = in_role(make, company, Role.VIEW_ONLY)
    for act in (
        lambda: company_members.change_role(company, owner.id, "ADMIN", by=owner),
        lambda: company_members.remove(company, owner.id, by=owner),
    ):
        with pytest.raises(Conflict, match="A company needs an owner"):
            act()
    company_members.remove(company, member.id, by=member)
    assert [each.user for each in company_members.of(company)] == [owner]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(app, make):
    first = make.user()
    company = make.company(owner=first)
    second = in_role(make, company, Role.OWNER)
    ids, company_id = {first.id: second.id, second.id: first.id}, company.id

    def remove(by_id: str) -> str:
        with app.app_context():
            try:
                by = db.session.get(type(first), by_id)
                company_members.remove(companies.load(company_id, by), ids[by_id], by=by)
            except (Conflict, NotFound) as error:
                return type(error).__name__
            finally:
                db.session.remove()
        return "done"

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, ids)) in (["NotFound", "done"], ["Conflict", "done"])
    db.session.rollback()
    owners = sa.select(sa.func.count()).where(CompanyMember.company_id == company_id)
    assert db.session.scalar(owners) == 1


def test_only_owners_rename_a_company(make, team):
    owner, company = team
    admin = in_role(make, company, Role.ADMIN)
    companies.edit(company, by=owner, name=" New  name ", slug="")
    assert (company.name, company.slug) == ("New name", "new-name")
    with pytest.raises(Forbidden):
        companies.edit(company, by=admin, name="Mine", slug="")
    with pytest.raises(NotFound):
        companies.edit(company, by=make.user(), name="Mine", slug="")
    with pytest.raises(Invalid):
        companies.edit(company, by=owner, name="", slug="")
    assert company.name == "New name"
