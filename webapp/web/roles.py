"""Roles in words, for badges and for forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from webapp.models import Role
from webapp.web.forms import choice

ROLES = {
    Role.OWNER: _l("Owner"),
    Role.ADMIN: _l("Administrator"),
    Role.MEMBER: _l("Member"),
    Role.CLIENT: _l("Client"),
    Role.COMMENT_ONLY: _l("Comment only"),
    Role.VIEW_ONLY: _l("View only"),
}


def choices(roles: Iterable[Role]) -> list[Any]:
    """These roles to choose from."""
    return [choice(role.value, ROLES[role]) for role in roles]
