"""Members of projects: who may work there, as what. A project always has an owner, and only owners make owners."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from webapp import config
from webapp.delivery import cancelling
from webapp.extensions import db
from webapp.models import (
    Conflict,
    Forbidden,
    Invalid,
    Invitation,
    NotFound,
    Notice,
    NoticeTemplate,
    Project,
    ProjectMember,
    Role,
    User,
    Webhook,
    audit,
    transaction,
    webhook_roles,
)
from webapp.workspace import access, acquaintances, invitations

RANKS = {role: rank for rank, role in enumerate(Role)}
AN_OWNER_IS_NEEDED = "A project needs an owner."
ONLY_OWNERS = "Only owners make somebody an owner, or change one."


@dataclass(frozen=True)
class Added:
    """Who was added, or the invitation that was made instead and the token of its link, which is told once."""

    member: ProjectMember | None = None
    invitation: Invitation | None = None
    token: str = ""


@dataclass(frozen=True)
class Loss:
    """What goes with the role: webhooks that get no more events of the project, deliveries that are cancelled."""

    webhooks: int
    deliveries: int


def of(project: Project) -> list[ProjectMember]:
    """The members of a project, the highest role first, then by name."""
    query = sa.select(ProjectMember).where(ProjectMember.project_id == project.id)
    members = db.session.scalars(query.options(joinedload(ProjectMember.user)))
    return sorted(members, key=lambda member: (RANKS[member.role], member.user.name.casefold(), member.user_id))


def load(project: Project, user_id: str) -> ProjectMember:
    """A member of a project; raises NotFound."""
    member = db.session.get(ProjectMember, (project.id, user_id))
    if member is None:
        raise NotFound("There is no such member.")
    return member


def roles_given_by(role: Role | None) -> list[Role]:
    """The roles that somebody with this role may give, the highest first."""
    if role is Role.OWNER:
        return list(Role)
    return [each for each in Role if each is not Role.OWNER] if role in access.ADMINISTRATORS else []


def may_change(member: ProjectMember, role: Role | None) -> bool:
    """Whether somebody with this role may change or remove this member."""
    return member.role in roles_given_by(role)


def add(project: Project, email: str, role: str, *, by: User) -> Added:
    """Add somebody whom `by` knows (a shared company or project); others are invited, whether or not they exist here.

    Raises Invalid at `email` or `role`, Forbidden, NotFound.
    """
    checked_email, given = invitations.checked_email(email), checked_role(role)
    project_id = project.id
    try:
        with transaction() as session:
            project = _locked(session, project_id, by)
            _may_give(given, access.role_in(project, by))
            known = acquaintances.find(checked_email, by=by, company_id=project.company_id)
            if known is None:
                invitation, token = invitations.write(session, project, checked_email, given, by)
                return Added(invitation=invitation, token=token)
            return Added(member=_joined(session, project, known, given, by))
    except IntegrityError:
        raise Invalid("email", "This person is a member, or is invited, already.") from None


def change_role(project: Project, user_id: str, role: str, *, by: User) -> int:
    """Give a member another role; returns how many deliveries were cancelled, because administrator rights went.

    Raises Invalid at `role`, Forbidden, NotFound, and Conflict for the last owner.
    """
    given, project_id = checked_role(role), project.id
    with transaction() as session:
        project = _locked(session, project_id, by)
        member, mine = load(project, user_id), access.role_in(project, by)
        if member.role is given:
            return 0
        _may_give(member.role, mine)
        _may_give(given, mine)
        _keep_an_owner(member)
        before, member.role = member.role, given
        cancelled = _take_rights(session, project, member.user, before, given)
        _note("role_changed", project, member.user, by, role=[before, given], cancelled=cancelled)
    return cancelled


def remove(project: Project, user_id: str, *, by: User) -> int:
    """Take a member out of a project; anybody may leave. Returns how many deliveries were cancelled.

    Raises Forbidden, NotFound, and Conflict for the last owner.
    """
    project_id = project.id
    with transaction() as session:
        project = _locked(session, project_id, by, right=user_id != by.id)
        member = load(project, user_id)
        require_remover(project, member, by)
        _keep_an_owner(member)
        person, before = member.user, member.role
        session.delete(member)
        cancelled = _take_rights(session, project, person, before, None)
        _note("left" if user_id == by.id else "removed", project, person, by, role=before, cancelled=cancelled)
    return cancelled


def require_remover(project: Project, member: ProjectMember, by: User) -> None:
    """Raises Forbidden for who may not take this member out of the project. Anybody may leave."""
    if member.user_id != by.id:
        access.demand(project, by, "edit_project")
        _may_give(member.role, access.role_in(project, by))


def loss(member: ProjectMember, role: Role | None) -> Loss | None:
    """What a member would lose with another role (None: by leaving); None when no webhook of theirs is concerned."""
    if not _loses(member.role, role):
        return None
    webhooks = len(_concerned(member.project_id, member.user_id))
    deliveries = cancelling.count_for_lost_role(member.user_id, member.project_id)
    return Loss(webhooks, deliveries) if webhooks or deliveries else None


def checked_role(role: str) -> Role:
    """The role of that name. Raises Invalid at `role`."""
    try:
        return Role(role)
    except ValueError:
        raise Invalid("role", "Choose one of the roles.") from None


def _locked(session: Session, project_id: str, by: User, *, right: bool = True) -> Project:
    """The project, whose members nobody else changes meanwhile. Two owners cannot lower each other at once."""
    locked = sa.select(Project.id).where(Project.id == project_id)
    session.execute(locked.with_for_update(key_share=True))
    project = access.load_project(project_id, by)
    if right:
        access.demand(project, by, "edit_project")
    return project


def _may_give(role: Role, mine: Role | None) -> None:
    if role not in roles_given_by(mine):
        raise Forbidden(ONLY_OWNERS)


def _keep_an_owner(member: ProjectMember) -> None:
    if member.role is not Role.OWNER:
        return
    others = sa.select(ProjectMember.user_id).where(
        ProjectMember.project_id == member.project_id,
        ProjectMember.role == Role.OWNER,
        ProjectMember.user_id != member.user_id,
    )
    if db.session.scalar(others.limit(1)) is None:
        raise Conflict(AN_OWNER_IS_NEEDED)


def _joined(session: Session, project: Project, person: User, role: Role, by: User) -> ProjectMember:
    if session.get(ProjectMember, (project.id, person.id)) is not None:
        raise Invalid("email", "%(name)s is a member already.", name=person.name)
    member = ProjectMember(project_id=project.id, user_id=person.id, role=role)
    session.add(member)
    session.execute(sa.delete(Invitation).where(Invitation.project_id == project.id, Invitation.email == person.email))
    _note("added", project, person, by, role=role)
    return member


def _take_rights(session: Session, project: Project, person: User, before: Role, after: Role | None) -> int:
    """The role was changed: what the person's webhooks may not send any more is cancelled, and they are told."""
    if not _loses(before, after):
        return 0
    cancelled = cancelling.cancel_for_lost_role(person.id, project.id)
    if cancelled or _concerned(project.id, person.id):
        values = {"projectId": project.id, "project": project.name, "cancelled": cancelled}
        session.add(Notice(user_id=person.id, template=NoticeTemplate.ROLE_LOST, values=values))
    return cancelled


def _loses(before: Role, after: Role | None) -> bool:
    roles = webhook_roles(config.current().webhook_role)
    return before in roles and after not in roles


def _concerned(project_id: str, user_id: str) -> list[str]:
    """The ids of somebody's webhooks that want events of this project."""
    query = sa.select(Webhook.id, Webhook.project_ids)
    own = db.session.execute(query.where(Webhook.created_by_id == user_id, Webhook.deleted_at.is_(None)))
    return [row.id for row in own if not row.project_ids or project_id in row.project_ids]


def _note(action: str, project: Project, person: User, by: User, **detail: object) -> None:
    audit.note(f"member.{action}", f"project:{project.id}", by, user=person.id, **detail)
