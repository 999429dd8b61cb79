from __future__ import annotations

import concurrent.futures

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    CompanyMember,
    Conflict,
    DeliveryState,
    Forbidden,
    Invalid,
    Invitation,
    NotFound,
    Notice,
    ProjectMember,
    Role,
    TooMany,
    transaction,
    utc_now,
)
from webapp.workspace import access, invitations, members


@pytest.fixture
def team(make):
    """An owner, and a project of theirs."""
    owner = make.user(name="Olga Owner")
    return owner, make.project(owner=owner)


def in_role(make, project, role):
    user = make.user(name=f"The {role}")
    make.member(project, user, role)
    return user


def waiting(make, webhook, project, **values):
    return make.delivery(webhook, make.event(project, fanned_out_at=utc_now()), **values)


def audited():
    return [entry.action for entry in db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq))]


def test_members_stand_by_rank_and_name(make, team):
    owner, project = team
    viewer, admin = in_role(make, project, Role.VIEW_ONLY), in_role(make, project, Role.ADMIN)
    zoe, anna = make.user(name="zoe"), make.user(name="Anna")
    for user in (zoe, anna):
        make.member(project, user)
    assert [member.user for member in members.of(project)] == [owner, admin, anna, zoe, viewer]


def test_who_is_known_is_added_at_once_and_who_is_not_is_invited(make, team):
    owner, project = team
    colleague = make.user(email="colleague@example.com")
    with transaction() as session:
        session.add(CompanyMember(company_id=project.company_id, user_id=colleague.id, role=Role.MEMBER))
    elsewhere = make.project(owner=owner)
    fellow = in_role(make, elsewhere, Role.CLIENT)
    stranger = make.user(email="stranger@example.com")
    for user in (colleague, fellow):
        added = members.add(project, f" {user.email.upper()}", "CLIENT", by=owner)
        assert (added.member.user_id, added.member.role, added.invitation) == (user.id, Role.CLIENT, None)
    for email in (stranger.email, "nobody@example.com"):
        added = members.add(project, email, "MEMBER", by=owner)
        assert (added.member, added.invitation.email, len(added.token)) == (None, email, 43)
    assert access.role_in(project, stranger) is None
    assert audited() == ["member.added", "member.added", "member.invited", "member.invited"]


@pytest.mark.proves("W19")
def test_an_invitation_keeps_only_the_hash_of_its_token(make, team, tmp_path):
    owner, project = team
    added = members.add(project, "grace@example.com", "MEMBER", by=owner)
    dump = "\n".join(
        str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table)).all()
    )
    assert "grace@example.com" in dump
    assert added.token not in dump


def test_a_second_invitation_takes_the_place_of_the_first(make, team):
    owner, project = team
    for _ in range(2):
        members.add(project, "grace@example.com", "MEMBER", by=owner)
    [row] = invitations.of(project)
    invitations.revoke(project, row.id, by=owner)
    assert invitations.of(project) == []
    with pytest.raises(NotFound):
        invitations.revoke(project, row.id, by=owner)


def test_an_invitation_of_another_project_cannot_be_withdrawn(make, team):
    owner, project = team
    members.add(project, "grace@example.com", "MEMBER", by=owner)
    [row] = invitations.of(project)
    other = make.user()
    with pytest.raises(NotFound):
        invitations.revoke(make.project(owner=other), row.id, by=other)
    with pytest.raises(Forbidden):
        invitations.revoke(project, row.id, by=in_role(make, project, Role.MEMBER))


def test_nobody_is_added_twice_and_wrong_values_are_named(make, team):
    owner, project = team
    member = in_role(make, project, Role.MEMBER)
    for email, role, field in (
        (member.email, "ADMIN", "email"),
        ("no address", "MEMBER", "email"),
        ("grace@example.com", "KING", "role"),
    ):
        with pytest.raises(Invalid) as refused:
            members.add(project, email, role, by=owner)
        assert list(refused.value.fields) == [field]
    assert access.role_in(project, member) is Role.MEMBER


@pytest.mark.proves("W45")
def test_whether_a_strangers_address_has_an_account_makes_no_difference(make, team):
    owner, project = team
    make.user(email="stranger@example.com")
    asked = {}
    for email in ("stranger@example.com", "nobody@example.com"):
        asked[email] = heard = []
        listener = lambda *call, heard=heard: heard.append(call[2])  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", listener)
        members.add(project, email, "MEMBER", by=owner)
        sa.event.remove(db.engine, "before_cursor_execute", listener)
    assert asked["stranger@example.com"] == asked["nobody@example.com"]
    assert len(asked["nobody@example.com"]) > 5


def test_a_project_invites_fifty_addresses_an_hour(make, team):
    owner, project = team
    for number in range(50):
        members.add(project, f"person{number}@elsewhere.example", "MEMBER", by=owner)
    with pytest.raises(TooMany) as refused:
        members.add(project, "one-more@elsewhere.example", "MEMBER", by=owner)
    assert refused.value.retry_after_s == 3600


MAY = {  # who gives which roles, and may change people of which roles
    Role.OWNER: set(Role),
    Role.ADMIN: set(Role) - {Role.OWNER},
    Role.MEMBER: set(),
    Role.CLIENT: set(),
    Role.COMMENT_ONLY: set(),
    Role.VIEW_ONLY: set(),
}


@pytest.mark.parametrize("mine", Role)
@pytest.mark.parametrize("theirs", Role)
def test_only_owners_and_administrators_change_members_and_only_owners_owners(make, team, mine, theirs):
    _, project = team
    me, target = in_role(make, project, mine), in_role(make, project, theirs)
    given = Role.CLIENT if theirs is not Role.CLIENT else Role.MEMBER
    acts = (
        lambda: members.add(project, f"{mine}-{theirs}@example.com", theirs, by=me),
        lambda: members.change_role(project, target.id, given, by=me),
        lambda: members.remove(project, target.id, by=me),
    )
    for act in acts:
        if theirs in MAY[mine]:
            act()
        else:
            with pytest.raises(Forbidden):
                act()
    left = access.role_in(project, target)
    assert left is (None if theirs in MAY[mine] else theirs)


def test_administrators_make_no_owners(make, team):
    _, project = team
    admin, member = in_role(make, project, Role.ADMIN), in_role(make, project, Role.MEMBER)
    with pytest.raises(Forbidden, match="Only owners"):
        members.change_role(project, member.id, "OWNER", by=admin)
    assert members.roles_given_by(Role.ADMIN)[0] is Role.ADMIN
    assert members.roles_given_by(None) == []


def test_strangers_find_no_project_and_no_member(make, team):
    owner, project = team
    stranger = make.user()
    for act in (
        lambda: members.add(project, "x@example.com", "MEMBER", by=stranger),
        lambda: members.change_role(project, owner.id, "MEMBER", by=stranger),
        lambda: members.remove(project, owner.id, by=stranger),
        lambda: members.remove(project, stranger.id, by=stranger),
        lambda: members.remove(project, stranger.id, by=owner),
    ):
        with pytest.raises(NotFound):
            act()


@pytest.mark.proves("W14")
def test_the_last_owner_can_neither_be_lowered_nor_leave(make, team):
    owner, project = team
    for act in (
        lambda: members.change_role(project, owner.id, "ADMIN", by=owner),
        lambda: members.remove(project, owner.id, by=owner),
    ):
        with pytest.raises(Conflict, match="A project needs an owner"):
            act()
    second = in_role(make, project, Role.OWNER)
    members.remove(project, owner.id, by=owner)
    assert [member.user for member in members.of(project)] == [second]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_two_owners_who_lower_each_other_at_once_leave_one(app, make, team):
    first, project = team
    second = in_role(make, project, Role.OWNER)
    ids = {first.id: second.id, second.id: first.id}

    def lower(by_id: str) -> str:
        with app.app_context():
            try:
                by = db.session.get(type(first), by_id)
                members.change_role(access.load_project(project.id, by), ids[by_id], "MEMBER", by=by)
            except (Conflict, Forbidden) as error:
                return type(error).__name__
            finally:
                db.session.remove()
        return "done"

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lower, ids))
    assert answers in (["Conflict", "done"], ["Forbidden", "done"])
    db.session.rollback()
    owners = sa.select(sa.func.count()).where(ProjectMember.project_id == project.id, ProjectMember.role == Role.OWNER)
    assert db.session.scalar(owners) == 1


def test_who_loses_administrator_rights_loses_what_waits_and_is_told(make, team):
    owner, project = team
    admin = in_role(make, project, Role.ADMIN)
    webhook = make.webhook(by=admin)
    gone = [waiting(make, webhook, project), waiting(make, webhook, project, state=DeliveryState.HELD)]
    loss = members.loss(members.load(project, admin.id), Role.MEMBER)
    assert (loss.webhooks, loss.deliveries) == (1, 2)
    assert members.change_role(project, admin.id, "MEMBER", by=owner) == 2
    db.session.rollback()
    assert [(each.state, each.reason) for each in gone] == [(DeliveryState.CANCELLED, "role_lost")] * 2
    [notice] = db.session.scalars(sa.select(Notice))
    assert (notice.user_id, notice.template, notice.values["cancelled"]) == (admin.id, "role_lost", 2)
    assert notice.values["project"] == project.name


def test_the_forecast_leaves_out_what_another_project_keeps(make, team):
    _, project = team
    admin = in_role(make, project, Role.ADMIN)
    other = make.project(owner=admin)
    webhook = make.webhook(by=admin)
    waiting(make, webhook, other)
    make.delivery(webhook, make.event(project, fanned_out_at=utc_now(), source_project_id=other.id))
    assert members.loss(members.load(project, admin.id), None) == members.Loss(1, 0)
    assert members.remove(project, admin.id, by=admin) == 0


@pytest.mark.parametrize("project_ids", [["another"], None])
def test_nobody_is_told_without_a_webhook_that_is_concerned(make, team, project_ids):
    owner, project = team
    admin = in_role(make, project, Role.ADMIN)
    if project_ids:
        make.webhook(by=admin, project_ids=project_ids)
    assert members.loss(members.load(project, admin.id), Role.MEMBER) is None
    members.change_role(project, admin.id, "MEMBER", by=owner)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


@pytest.mark.parametrize(("setting", "is_lost"), [("admin", True), ("member", False)])
def test_what_counts_is_the_role_that_may_have_webhooks(app, make, team, setting, is_lost):
    owner, project = team
    app.extensions["settings"].webhook_role = setting
    admin = in_role(make, project, Role.ADMIN)
    delivery = waiting(make, make.webhook(by=admin), project)
    members.change_role(project, admin.id, "MEMBER", by=owner)
    assert (delivery.state is DeliveryState.CANCELLED) is is_lost


def test_an_invitation_goes_when_the_person_is_added_otherwise(make, team):
    owner, project = team
    grace = make.user(email="grace@example.com")
    members.add(project, grace.email, "MEMBER", by=owner)
    make.member(make.project(owner=owner), grace)
    assert members.add(project, grace.email, "CLIENT", by=owner).member.role is Role.CLIENT
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 0
