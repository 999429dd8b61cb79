"""What somebody meets at a route, and the kinds of access: for each of the people, which of these it is."""

from __future__ import annotations

from tests.access.world import OUTSIDERS, PEOPLE, ROLES

IN = "in"  # the page, or what the form or call does; a body that is wrong or too late is told, too
ROLE = "role"  # 403: the project is theirs, the role is too low
NONE = "none"  # 404, as for what does not exist
SIGN_IN = "sign in"  # the sign-in page, for calls 401
TOLD = "told"  # refused in a sentence above the page, or at the field that names the project

Access = dict[str, str]


def _open_to(*names: str, roles: str = NONE, outsiders: str = NONE, nobody: str = SIGN_IN) -> Access:
    """These are in; `roles` is what other members of the project meet, `outsiders` the stranger and the operator."""
    access = dict.fromkeys(ROLES, roles)
    access |= dict.fromkeys(OUTSIDERS, outsiders) | {"SUSPENDED": nobody, "SIGNED_OUT": nobody}
    return access | dict.fromkeys(names, IN)


EVERYBODY = dict.fromkeys(PEOPLE, IN)
NOWHERE = dict.fromkeys(PEOPLE, NONE)  # it does not exist in an installation like this one
SIGNED_IN = _open_to(*ROLES, "STRANGER", "OPERATOR")
OPERATORS = _open_to("OPERATOR")

# By the role in the project that the thing belongs to.
VIEWERS = _open_to(*ROLES)
COMMENTERS = _open_to("OWNER", "ADMIN", "MEMBER", "CLIENT", "COMMENT_ONLY", roles=ROLE)
CLIENTS = _open_to("OWNER", "ADMIN", "MEMBER", "CLIENT", roles=ROLE)
MEMBERS = _open_to("OWNER", "ADMIN", "MEMBER", roles=ROLE)
ADMINISTRATORS = _open_to("OWNER", "ADMIN", roles=ROLE)
ADMINISTRATORS_TELL_OTHERS = _open_to("OWNER", "ADMIN", roles=TOLD)
ADMINISTRATORS_ALONE = _open_to("OWNER", "ADMIN")
AUTHOR = _open_to("CLIENT", roles=ROLE)  # of the comment
AUTHOR_AND_ADMINISTRATORS = _open_to("CLIENT", "OWNER", "ADMIN", roles=ROLE)

# By whose it is: OWNER's own things, the webhook that is offered to ADMIN, OWNER's company where ADMIN is a member.
MINE = _open_to("OWNER")
OFFERED = _open_to("ADMIN")
COMPANY = _open_to("OWNER", "ADMIN")
COMPANY_OWNER = MINE | {"ADMIN": ROLE}
COMPANY_OWNER_TELLS_OTHERS = MINE | {"ADMIN": TOLD}

# By the role in any project, or in the project that the body names.
WEBHOOK_MAKERS = _open_to("OWNER", "ADMIN", "STRANGER", roles=ROLE, outsiders=ROLE)
PUBLISHERS = _open_to("OWNER", "ADMIN", "MEMBER", roles=TOLD, outsiders=TOLD)
