"""Members over REST."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.models import Project, Role, User
from webapp.workspace import access

Programs = Callable[[User], Program]


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


def test_members_are_listed_by_rank(api: Program, cast: Cast, project: Project) -> None:
    first, second = api.get(f"/projects/{project.id}/members").json["items"]
    assert list(first) == ["userId", "name", "email", "role", "createdAt"]
    assert (first["userId"], first["role"]) == (cast.admin.id, "OWNER")
    assert (second["name"], second["role"]) == (cast.teammate.name, "MEMBER")


def test_somebody_known_is_added_and_anybody_else_invited(
    api: Program, cast: Cast, make: Make, project: Project
) -> None:
    fellow = make.user()
    make.member(make.project(owner=cast.admin), fellow)
    path = f"/projects/{project.id}/members"
    added = api.post(path, {"email": fellow.email, "role": "CLIENT"})
    assert added.status_code == 201
    assert (added.json["member"]["userId"], added.json["invitation"]) == (fellow.id, None)
    for email in (cast.stranger.email, "nobody@example.com"):
        invited = api.post(path, {"email": email, "role": "CLIENT"}).json
        assert invited["member"] is None
        assert list(invited["invitation"]) == ["id", "email", "role", "expiresAt", "url"]
        assert invited["invitation"]["url"].startswith("http://localhost/invitations/")


def test_a_role_is_changed_and_a_member_removed(api: Program, cast: Cast, project: Project) -> None:
    path = f"/projects/{project.id}/members/{cast.teammate.id}"
    assert api.put(path, {"role": "ADMIN"}).json["role"] == "ADMIN"
    assert access.role_in(project, cast.teammate) is Role.ADMIN
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    assert access.role_in(project, cast.teammate) is None


def test_what_is_not_allowed_changes_nothing(api: Program, program: Programs, cast: Cast, project: Project) -> None:
    path = f"/projects/{project.id}/members"
    mine, theirs = f"{path}/{cast.admin.id}", f"{path}/{cast.teammate.id}"
    assert api.put(mine, {"role": "MEMBER"}).status_code == 409
    assert api.delete(mine).status_code == 409
    assert api.put(theirs, {"role": "KING"}).status_code == 422
    assert api.post(path, {"email": "x", "role": "MEMBER"}).status_code == 422
    member, stranger = program(cast.teammate), program(cast.stranger)
    assert member.put(mine, {"role": "MEMBER"}).status_code == 403
    assert member.post(path, {"email": "x@example.com", "role": "MEMBER"}).status_code == 403
    assert member.get(path).status_code == 200
    for call in (
        stranger.get(path),
        stranger.post(path, {"email": "x@example.com", "role": "MEMBER"}),
        stranger.put(mine, {"role": "MEMBER"}),
        stranger.delete(theirs),
    ):
        assert call.status_code == 404
    assert access.role_in(project, cast.admin) is Role.OWNER
    assert access.role_in(project, cast.teammate) is Role.MEMBER
