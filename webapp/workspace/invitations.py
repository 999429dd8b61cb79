"""Invitations to a project: for addresses that the inviting person does not know. Accepting them: `accounts`."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from webapp.config import current
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Invitation,
    NotFound,
    Notice,
    NoticeTemplate,
    Project,
    Role,
    TooMany,
    User,
    audit,
    transaction,
    utc_now,
)
from webapp.models.addresses import checked_email
from webapp.models.invitation import INVITATION_LASTS, new_link
from webapp.workspace import access

INVITED = "member.invited"
INVITATIONS_PER_WINDOW = 50  # of one project
WINDOW = timedelta(hours=1)

__all__ = ["checked_email", "is_over", "of", "revoke", "write"]


def of(project: Project) -> list[Invitation]:
    """The invitations that nobody has accepted, newest first; those that are too old stay for a while."""
    query = sa.select(Invitation).where(Invitation.project_id == project.id)
    rows = query.options(joinedload(Invitation.invited_by)).order_by(Invitation.created_at.desc(), Invitation.id)
    return list(db.session.scalars(rows))


def is_over(invitation: Invitation) -> bool:
    """Whether it is too old to be accepted."""
    return invitation.expires_at <= utc_now()


def write(session: Session, project: Project, email: str, role: Role, by: User) -> tuple[Invitation, str]:
    """Inside transaction(): invite an address, and owe the mail where there is mail; a second time replaces the first.

    Returns the invitation and the token of its link, which cannot be had again. Raises TooMany.
    """
    _refuse_a_flood(session, project)
    session.execute(sa.delete(Invitation).where(Invitation.project_id == project.id, Invitation.email == email))
    expires_at = utc_now() + INVITATION_LASTS
    invitation = Invitation(project_id=project.id, email=email, role=role, invited_by_id=by.id, expires_at=expires_at)
    session.add(invitation)
    session.flush()
    if is_mailed():
        values = {"invitationId": invitation.id, "project": project.name, "by": by.name}
        session.add(Notice(email=email, template=NoticeTemplate.INVITATION, values=values))
    audit.note(INVITED, f"project:{project.id}", by, email=email, role=role)
    return invitation, new_link(session, invitation_id=invitation.id, expires_at=expires_at)


def revoke(project: Project, invitation_id: str, *, by: User) -> None:
    """Withdraw an invitation: its links are worthless at once. Raises NotFound, Forbidden."""
    project_id = project.id
    with transaction() as session:
        access.demand(access.load_project(project_id, by), by, "edit_project")
        invitation = session.get(Invitation, invitation_id)
        if invitation is None or invitation.project_id != project_id:
            raise NotFound("There is no such invitation.")
        audit.note("member.uninvited", f"project:{project_id}", by, email=invitation.email)
        session.delete(invitation)


def is_mailed() -> bool:
    """Whether invitations go out by mail, too: there is a mail server, and the address that people use is known."""
    return current().mail_server is not None and bool(current().base_url)


def _refuse_a_flood(session: Session, project: Project) -> None:
    """Nobody makes this installation send mails to the whole world."""
    recent = sa.select(sa.func.count()).where(
        AuditEntry.subject == f"project:{project.id}",
        AuditEntry.action == INVITED,
        AuditEntry.at > utc_now() - WINDOW,
    )
    if (session.scalar(recent) or 0) >= INVITATIONS_PER_WINDOW:
        raise TooMany("Too many invitations. Try again in an hour.", retry_after_s=int(WINDOW.total_seconds()))
