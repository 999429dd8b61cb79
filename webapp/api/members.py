"""Members of a project: who works there as what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from webapp import config
from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import members as shapes
from webapp.models import Invitation, ProjectMember
from webapp.workspace import access, members

PATH = "/projects/<project_id>/members"

bp = Resource("members", "Who works in a project, and as what.")


@bp.call("GET", PATH, "listMembers")
@bp.gives(200, shapes.MemberList, example={"items": [shapes.MEMBER]})
def index(project_id: str) -> dict[str, Any]:
    """List the members of a project, the highest role first, then by name."""
    return {"items": members.of(access.load_project(project_id, caller()))}


@bp.call("POST", PATH, "addMember")
@bp.takes(shapes.MemberBody, example={"email": "grace@example.com", "role": "MEMBER"})
@bp.gives(201, shapes.AddedShown, example={"member": shapes.MEMBER, "invitation": None})
def create(values: Mapping[str, Any], project_id: str) -> dict[str, Any]:
    """Add somebody who shares a company or a project with you; others are invited.

    An invitation is answered with the address by which they join, which works once and for seven days. For owners and
    administrators; only owners make owners.
    """
    project = access.load_project(project_id, caller())
    added = members.add(project, values["email"], values["role"], by=caller())
    invitation = _invited(added.invitation, added.token) if added.invitation else None
    return {"member": added.member, "invitation": invitation}


@bp.call("PUT", f"{PATH}/<user_id>", "putMemberRole")
@bp.takes(shapes.RoleBody, example={"role": "ADMIN"})
@bp.gives(200, shapes.MemberShown, example=shapes.MEMBER | {"role": "ADMIN"})
def put(values: Mapping[str, Any], project_id: str, user_id: str) -> ProjectMember:
    """Give a member another role.

    Who is no administrator afterwards gets no more events of the project by webhooks, and what waits is cancelled. The
    last owner stays one: 409.
    """
    project = access.load_project(project_id, caller())
    members.change_role(project, user_id, values["role"], by=caller())
    return members.load(project, user_id)


@bp.call("DELETE", f"{PATH}/<user_id>", "removeMember")
@bp.gives(204)
def delete(project_id: str, user_id: str) -> None:
    """Take a member out of a project; anybody may leave. The last owner stays: 409."""
    members.remove(access.load_project(project_id, caller()), user_id, by=caller())


def _invited(invitation: Invitation, token: str) -> dict[str, Any]:
    base = config.current().base_url or request.host_url.rstrip("/")
    shown = {name: getattr(invitation, name) for name in ("id", "email", "role", "expires_at")}
    return {**shown, "url": f"{base}/invitations/{token}"}
