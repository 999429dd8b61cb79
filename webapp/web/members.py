"""Members of a project: who works there as what, who is invited, and what somebody loses with a role."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import EmailField, SelectField

from webapp.models import Conflict, Forbidden, Project, ProjectMember, Role
from webapp.web import links, loading
from webapp.web.errors import said
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.roles import ROLES, choices
from webapp.workspace import access, acquaintances, invitations, members

bp = for_people(Blueprint("members", __name__, url_prefix="/projects/<project_id>"))


class MemberForm(Form):
    """Somebody to add, and as what."""

    email = EmailField(_l("E-mail"), [Required()])
    role = SelectField(_l("Role"), validate_choice=False, default=Role.MEMBER.value)


@bp.get("/members")
def index(project_id: str) -> str:
    """Who belongs to a project, and who is invited."""
    return _page(loading.project(project_id))


@bp.post("/members")
def create(project_id: str) -> Response | tuple[str, int]:
    """Add somebody; who is not known here is invited, and the link is in this answer alone."""
    project = loading.project(project_id)
    form = _form(project)
    done = run(form, lambda: members.add(project, form.email.data or "", form.role.data or "", by=me()))
    if done is None:
        return _page(project, form), 422
    added = done.value
    if added.invitation is not None:
        link = links.absolute("invitations.show", token=added.token)
        shown = {"project": project, "invitation": added.invitation, "link": link, "roles": ROLES}
        return render_template("members/invited.html", is_mailed=invitations.is_mailed(), **shown), 201
    flash(_("%(name)s is a member now.", name=members.load(project, _id_of(added)).user.name), "success")
    return _back(project)


@bp.post("/members/<user_id>")
def update(project_id: str, user_id: str) -> Response | str:
    """Give a member another role; asks first when their webhooks would lose events by it."""
    project = loading.project(project_id)
    member, role = members.load(project, user_id), request.form.get("role", "")
    loss = members.loss(member, Role(role)) if role in set(Role) else None
    if loss and "confirmed" not in request.form and access.may(_my_role(project), "edit_project"):
        return _ask("members/role.html", project, member, loss=loss, role=role)
    try:
        members.change_role(project, user_id, role, by=me())
    except (Conflict, Forbidden) as error:
        flash(said(error), "danger")
    else:
        flash(_("Saved."), "success")
    return _back(project)


@bp.get("/members/<user_id>/removal")
def confirm(project_id: str, user_id: str) -> str:
    """Ask before a member is removed, or before one leaves."""
    project = loading.project(project_id)
    member = members.load(project, user_id)
    members.require_remover(project, member, me())
    return _ask("members/removal.html", project, member, loss=members.loss(member, None))


@bp.post("/members/<user_id>/removal")
def remove(project_id: str, user_id: str) -> Response:
    """Take somebody out of a project, or leave it."""
    project = loading.project(project_id)
    name = members.load(project, user_id).user.name
    try:
        members.remove(project, user_id, by=me())
    except (Conflict, Forbidden) as error:
        flash(said(error), "danger")
        return _back(project)
    if user_id == me().id:
        flash(_("You left the project “%(name)s”.", name=project.name), "success")
        return redirect(url_for("projects.index"), 303)
    flash(_("%(name)s is no member any more.", name=name), "success")
    return _back(project)


@bp.post("/invitations/<invitation_id>/revocation")
def revoke(project_id: str, invitation_id: str) -> Response:
    """Withdraw an invitation."""
    project = loading.project(project_id)
    invitations.revoke(project, invitation_id, by=me())
    flash(_("The invitation is withdrawn. Its link is worthless now."), "success")
    return _back(project)


def _page(project: Project, form: MemberForm | None = None) -> str:
    mine = _my_role(project)
    may_edit = access.may(mine, "edit_project")
    return render_template(
        "members/index.html",
        project=project,
        members=members.of(project),
        invitations=invitations.of(project) if may_edit else [],
        suggested=acquaintances.suggested(project, by=me()) if may_edit else [],
        is_over=invitations.is_over,
        is_mailed=invitations.is_mailed(),
        form=form or _form(project),
        given=members.roles_given_by(mine),
        may_change=lambda member: members.may_change(member, mine),
        may_edit=may_edit,
        me=me(),
        roles=ROLES,
    )


def _ask(template: str, project: Project, member: ProjectMember, **values: object) -> str:
    return render_template(template, project=project, member=member, is_me=member.user_id == me().id, **values)


def _form(project: Project) -> MemberForm:
    form = MemberForm()
    form.role.choices = choices(members.roles_given_by(_my_role(project)))
    return form


def _my_role(project: Project) -> Role | None:
    return access.role_in(project, me())


def _id_of(added: members.Added) -> str:
    assert added.member is not None  # noqa: S101 - a fact for the type checker
    return added.member.user_id


def _back(project: Project) -> Response:
    return redirect(url_for(".index", project_id=project.id), 303)
