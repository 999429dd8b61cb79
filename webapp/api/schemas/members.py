"""Members of a project, and invitations to it."""

from __future__ import annotations

from marshmallow import fields, validate

from webapp.api.schemas.base import Instant, Shape, Text
from webapp.models import Role

ROLES = tuple(role.value for role in Role)
KNOWN_ROLE = validate.OneOf(ROLES, error="There is no role “{input}”. There are: {choices}.")

MEMBER = {
    "userId": "clb4zna6x0000vt1swuwso25f",
    "name": "Grace Hopper",
    "email": "grace@example.com",
    "role": "MEMBER",
    "createdAt": "2026-05-04T12:00:00.000Z",
}
INVITATION = {
    "id": "clb4zna6x0001vt1s0p3d5k7x",
    "email": "grace@example.com",
    "role": "MEMBER",
    "expiresAt": "2026-05-11T12:00:00.000Z",
    "url": "https://hooks.example.com/invitations/…",
}


class MemberBody(Shape):
    """Whom to add, and as what."""

    email = Text(required=True)
    role = Text(required=True, validate=KNOWN_ROLE)


class RoleBody(Shape):
    """What a member is to be."""

    role = Text(required=True, validate=KNOWN_ROLE)


class MemberShown(Shape):
    """A member of a project."""

    user_id = Text()
    name = Text(attribute="user.name")
    email = Text(attribute="user.email")
    role = Text()
    created_at = Instant()


class MemberList(Shape):
    """The members of a project, the highest role first, then by name."""

    items = fields.List(fields.Nested(MemberShown))


class InvitationShown(Shape):
    """An invitation that was made just now. Its address is in this answer alone."""

    id = Text()
    email = Text()
    role = Text()
    expires_at = Instant()
    url = Text()


class AddedShown(Shape):
    """The new member, or the invitation that was made instead; the other one is null."""

    member = fields.Nested(MemberShown, allow_none=True)
    invitation = fields.Nested(InvitationShown, allow_none=True)
