"""Members of companies. A company always has an owner; owners and administrators look after the others."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from webapp.extensions import db
from webapp.models import Company, CompanyMember, Conflict, Forbidden, Invalid, NotFound, Role, User, audit, transaction
from webapp.models.addresses import checked_email
from webapp.workspace import acquaintances, companies
from webapp.workspace.members import RANKS, checked_role, roles_given_by

AN_OWNER_IS_NEEDED = "A company needs an owner."
NOT_KNOWN = "You know nobody with this address here. Invite them to a project first."
ONLY_OWNERS = "Only owners make somebody an owner, or change one; the others are up to owners and administrators."


def of(company: Company) -> list[CompanyMember]:
    """The members of a company, the highest role first, then by name."""
    query = sa.select(CompanyMember).where(CompanyMember.company_id == company.id)
    members = db.session.scalars(query.options(joinedload(CompanyMember.user)))
    return sorted(members, key=lambda member: (RANKS[member.role], member.user.name.casefold(), member.user_id))


def load(company: Company, user_id: str) -> CompanyMember:
    """A member of a company; raises NotFound."""
    member = db.session.get(CompanyMember, (company.id, user_id))
    if member is None:
        raise NotFound("There is no such member.")
    return member


def add(company: Company, email: str, role: str, *, by: User) -> CompanyMember:
    """Add somebody whom `by` knows. Raises Invalid at `email` or `role`, Forbidden, NotFound."""
    checked, given, company_id = checked_email(email), checked_role(role), company.id
    try:
        with transaction() as session:
            company = _locked(session, company_id, by)
            _may_give(given, companies.role_in(company, by))
            person = acquaintances.find(checked, by=by, company_id=company_id)
            if person is None:
                raise Invalid("email", NOT_KNOWN)
            member = CompanyMember(company_id=company_id, user_id=person.id, role=given)
            session.add(member)
            session.flush()
            _note("added", company, person.id, by, role=given)
            return member
    except IntegrityError:
        raise Invalid("email", "This person is a member already.") from None


def change_role(company: Company, user_id: str, role: str, *, by: User) -> None:
    """Give a member another role. Raises Invalid at `role`, Forbidden, NotFound, Conflict for the last owner."""
    given, company_id = checked_role(role), company.id
    with transaction() as session:
        company = _locked(session, company_id, by)
        member, mine = load(company, user_id), companies.role_in(company, by)
        if member.role is given:
            return
        _may_give(member.role, mine)
        _may_give(given, mine)
        _keep_an_owner(member)
        before, member.role = member.role, given
        _note("role_changed", company, user_id, by, role=[before, given])


def remove(company: Company, user_id: str, *, by: User) -> None:
    """Take a member out of a company; anybody may leave. Roles in its projects stay.

    Raises Forbidden, NotFound, and Conflict for the last owner.
    """
    company_id = company.id
    with transaction() as session:
        company = _locked(session, company_id, by)
        member = load(company, user_id)
        require_remover(company, member, by)
        _keep_an_owner(member)
        session.delete(member)
        _note("left" if user_id == by.id else "removed", company, user_id, by, role=member.role)


def require_remover(company: Company, member: CompanyMember, by: User) -> None:
    """Raises Forbidden for who may not take this member out of the company. Anybody may leave."""
    if member.user_id != by.id:
        _may_give(member.role, companies.role_in(company, by))


def _locked(session: Session, company_id: str, by: User) -> Company:
    """The company, whose members nobody else changes meanwhile."""
    session.execute(sa.select(Company.id).where(Company.id == company_id).with_for_update(key_share=True))
    return companies.load(company_id, by)


def _may_give(role: Role, mine: Role | None) -> None:
    if role not in roles_given_by(mine):
        raise Forbidden(ONLY_OWNERS)


def _keep_an_owner(member: CompanyMember) -> None:
    if member.role is not Role.OWNER:
        return
    others = sa.select(CompanyMember.user_id).where(
        CompanyMember.company_id == member.company_id,
        CompanyMember.role == Role.OWNER,
        CompanyMember.user_id != member.user_id,
    )
    if db.session.scalar(others.limit(1)) is None:
        raise Conflict(AN_OWNER_IS_NEEDED)


def _note(action: str, company: Company, user_id: str, by: User, **detail: object) -> None:
    audit.note(f"member.{action}", f"company:{company.id}", by, user=user_id, **detail)
