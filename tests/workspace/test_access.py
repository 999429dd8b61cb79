from __future__ import annotations

import pytest

from webapp.models import Conflict, Forbidden, NotFound, Role
from webapp.workspace import access

CLIENTS = {"comment", "edit_records", "rename_lists"}
MEMBERS = CLIENTS | {"edit_lists", "add_tags", "add_fields", "publish_events"}
ADMINISTRATORS = MEMBERS | {"edit_tags", "edit_fields", "edit_project"}
RIGHTS = {
    Role.OWNER: ADMINISTRATORS,
    Role.ADMIN: ADMINISTRATORS,
    Role.MEMBER: MEMBERS,
    Role.CLIENT: CLIENTS,
    Role.COMMENT_ONLY: {"comment"},
    Role.VIEW_ONLY: set(),
}


@pytest.mark.parametrize("role", Role)
def test_each_role_has_its_rights(role):
    assert access.rights(role) == RIGHTS[role]


def test_who_is_no_member_has_none():
    assert access.rights(None) == set()


def test_people_see_the_projects_they_are_members_of_by_company_and_name(make):
    ada, grace = make.user(), make.user()
    zoo, acme = make.company(name="Zoo"), make.company(name="acme")
    plants = make.project(owner=ada, company=zoo, name="Plants")
    orders = make.project(owner=ada, company=acme, name="orders")
    billing = make.project(owner=ada, company=acme, name="Billing")
    old = make.project(owner=ada, company=acme, name="Old", archived=True)
    make.project(owner=grace)
    assert access.projects_of(ada) == [billing, orders, plants]
    assert access.projects_of(ada, include_archived=True) == [billing, old, orders, plants]


def test_webhooks_get_events_of_administered_projects(app, make):
    ada, owned = make.user(), {}
    for role in Role:
        owned[role] = make.project()
        make.member(owned[role], ada, role)
    assert set(access.administered_projects(ada)) == {owned[Role.OWNER], owned[Role.ADMIN]}
    app.extensions["settings"].webhook_role = "member"
    assert set(access.administered_projects(ada)) == {owned[Role.OWNER], owned[Role.ADMIN], owned[Role.MEMBER]}
    assert set(access.run_by(ada)) == {owned[Role.OWNER], owned[Role.ADMIN]}


@pytest.mark.parametrize("kind", ["project", "list", "record", "comment", "checklist", "checklist_item"])
def test_what_belongs_to_others_is_not_there(make, kind):
    grace = make.user()
    record = make.record()
    item = make.item(make.checklist(record))
    below = {"comment": make.comment(record), "checklist": item.checklist, "checklist_item": item}
    row = {"project": record.list.project, "list": record.list, "record": record, **below}[kind]
    load = getattr(access, f"load_{kind}")
    make.member(record.list.project, grace, Role.VIEW_ONLY)
    assert load(row.id, grace) is row
    for someone, key in ((make.user(), row.id), (grace, "no-such-id")):
        with pytest.raises(NotFound):
            load(key, someone)


def test_a_right_is_demanded_of_members_in_projects_that_are_not_archived(make):
    project = make.project()
    client, stranger = make.user(), make.user()
    make.member(project, client, Role.CLIENT)
    owner = project.members[0].user
    access.demand(project, client, "edit_records")
    with pytest.raises(Forbidden, match="role Member"):
        access.demand(project, client, "edit_lists")
    with pytest.raises(NotFound):
        access.demand(project, stranger, "edit_records")
    archived = make.project(owner=owner, archived=True)
    with pytest.raises(Conflict, match="read only"):
        access.demand(archived, owner, "edit_records")
    access.demand(archived, owner, "edit_project")
