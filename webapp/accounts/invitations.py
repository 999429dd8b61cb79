"""Accepting an invitation: as somebody new, or as who is here already. It works once, and for its address alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.accounts import passwords
from webapp.extensions import db
from webapp.models import (
    Conflict,
    Invalid,
    Invitation,
    NotFound,
    OneTimeLink,
    ProjectMember,
    User,
    audit,
    transaction,
    utc_now,
)
from webapp.models.invitation import token_digest
from webapp.models.texts import NAME_LENGTH, checked, one_line

OVER = "This invitation is not valid: it was used, withdrawn, is too old, or was never one."
WITH_AN_ACCOUNT = "That did not work. If you have an account here, sign in and open this link again."


def load(token: str) -> Invitation:
    """What a link invites to. Raises NotFound, alike for what was used, withdrawn, is too old or never was one."""
    query = sa.select(Invitation).join(OneTimeLink, OneTimeLink.invitation_id == Invitation.id)
    valid = (OneTimeLink.token_sha256 == token_digest(token), Invitation.expires_at > utc_now())
    invitation = db.session.scalar(query.where(*valid))
    if invitation is None:
        raise NotFound(OVER)
    return invitation


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether it was sent to this person's address."""
    return invitation.email == user.email


def sign_up(token: str, *, name: str, password: str) -> User:
    """Become somebody here, with the address that was invited. Raises NotFound, and Invalid at `name` or `password`."""
    email = load(token).email
    values: dict[str, Any] = checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter your name."),
        password=lambda: passwords.accept(password, email=email),
    )
    person = User(name=values["name"], email=email, password_hash=passwords.hash_of(values["password"]))
    try:
        with transaction() as session:
            invitation = _used_up(session, token)
            session.add(person)
            session.flush()
            _join(session, invitation, person)
    except IntegrityError:
        raise Invalid("email", WITH_AN_ACCOUNT) from None
    return person


def accept(token: str, *, by: User) -> str:
    """Join as who is signed in; returns the id of the project. Raises NotFound, and Conflict for another address."""
    with transaction() as session:
        invitation = _used_up(session, token)
        if not is_for(invitation, by):
            raise Conflict("This invitation is for another address. Sign in with that one, or ask for a new one.")
        project_id = invitation.project_id
        _join(session, invitation, by)
    return project_id


def _used_up(session: Session, token: str) -> Invitation:
    """The invitation, which nobody else can use any more. Of two at once the second finds it gone."""
    invitation_id = load(token).id
    session.execute(sa.select(Invitation.id).where(Invitation.id == invitation_id).with_for_update())
    session.expire_all()
    return load(token)


def _join(session: Session, invitation: Invitation, person: User) -> None:
    """An invitation never takes a role away that somebody got in the meantime, and never raises one."""
    if session.get(ProjectMember, (invitation.project_id, person.id)) is None:
        session.add(ProjectMember(project_id=invitation.project_id, user_id=person.id, role=invitation.role))
    subject = f"project:{invitation.project_id}"
    audit.note("member.joined", subject, person, user=person.id, role=invitation.role, email=invitation.email)
    session.delete(invitation)
