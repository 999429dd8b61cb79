"""A webhook passes to another administrator, with all that belongs to it and nothing that does not."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Conflict,
    Delivery,
    DeliveryState,
    HandoverOffer,
    Inbox,
    Invalid,
    NotFound,
    Notice,
    Project,
    ProjectMember,
    Role,
    User,
    Webhook,
    WebhookSnapshot,
    transaction,
    utc_now,
)
from webapp.webhooks import access, editing, handover


@pytest.fixture
def owner(make: Make) -> User:
    return make.user(name="Olga")


@pytest.fixture
def project(make: Make, owner: User) -> Project:
    return make.project(owner=owner)


@pytest.fixture
def heir(make: Make, project: Project) -> User:
    user = make.user(name="Ada")
    make.member(project, user, Role.ADMIN)
    return user


@pytest.fixture
def webhook(make: Make, owner: User, project: Project) -> Webhook:
    return make.webhook(by=owner)


def test_only_who_administers_its_projects_can_take_a_webhook(
    make: Make, owner: User, project: Project, heir: User
) -> None:
    other = make.project(owner=owner)
    for role in (Role.MEMBER, Role.CLIENT):
        make.member(project, make.user(), role)
    gone = make.user(suspended_at=utc_now())
    make.member(project, gone, Role.ADMIN)
    both = make.user(name="Both")
    for each in (project, other):
        make.member(each, both, Role.OWNER)
    make.project()
    assert handover.candidates(make.webhook(by=owner)) == [heir, both]
    assert handover.candidates(make.webhook(by=owner, project_ids=[project.id])) == [heir, both]
    assert handover.candidates(make.webhook(by=owner, project_ids=[project.id, other.id])) == [both]
    assert handover.candidates(make.webhook(by=owner, project_ids=["deleted"])) == []


def test_an_offer_changes_nothing_but_that_the_other_is_told(owner: User, heir: User, webhook: Webhook) -> None:
    handover.offer(webhook, heir.id, by=owner)
    assert [each.webhook for each in handover.offers_to(heir)] == [webhook]
    assert access.load(owner, webhook.id) is webhook
    with pytest.raises(NotFound):
        access.load(heir, webhook.id)
    [notice] = db.session.scalars(sa.select(Notice))
    assert (notice.user_id, notice.template, notice.values["by"]) == (heir.id, "handover", "Olga")


def test_who_accepts_owns_it_with_its_secret_and_a_new_snapshot(owner: User, heir: User, webhook: Webhook) -> None:
    secret, snapshot = webhook.secret_ciphertext, webhook.snapshot_seq
    handover.offer(webhook, heir.id, by=owner)
    handover.accept(webhook.id, by=heir)
    assert access.load(heir, webhook.id) is webhook
    with pytest.raises(NotFound):
        access.load(owner, webhook.id)
    assert webhook.secret_ciphertext == secret
    assert webhook.snapshot_seq != snapshot
    shown = json.loads(db.session.get_one(WebhookSnapshot, webhook.snapshot_seq).body)
    assert shown["createdById"] == heir.id
    assert handover.offers_to(heir) == []
    actions = list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert actions == ["webhook.handover_offered", "webhook.handed_over"]


def test_new_events_are_judged_by_the_new_owners_projects(
    make: Make, owner: User, project: Project, heir: User, webhook: Webhook
) -> None:
    only_old, only_new = make.project(owner=owner), make.project(owner=heir)
    handover.offer(webhook, heir.id, by=owner)
    handover.accept(webhook.id, by=heir)
    for each in (project, only_old, only_new):
        make.event(each)
    fan_out()
    projects = db.session.scalars(sa.select(Delivery.project_id).where(Delivery.webhook_id == webhook.id))
    assert set(projects) == {project.id, only_new.id}


def test_what_waits_of_projects_that_the_new_owner_does_not_administer_is_cancelled(
    make: Make, owner: User, project: Project, heir: User, webhook: Webhook
) -> None:
    foreign = make.project(owner=owner)
    kept = make.delivery(webhook, make.event(project, fanned_out_at=utc_now()))
    held, waiting = (
        make.delivery(webhook, make.event(foreign, fanned_out_at=utc_now()), state=state)
        for state in (DeliveryState.HELD, DeliveryState.PENDING)
    )
    handover.offer(webhook, heir.id, by=owner)
    assert handover.accept(webhook.id, by=heir) == 2
    db.session.rollback()
    assert kept.state is DeliveryState.PENDING
    assert {(each.state, each.reason) for each in (held, waiting)} == {(DeliveryState.CANCELLED, "role_lost")}


def test_the_old_owners_inbox_forgets_the_secret(owner: User, heir: User, webhook: Webhook) -> None:
    with transaction() as session:
        inbox = Inbox(user_id=owner.id, name="Mine", token="t" * 43, webhook_id=webhook.id)
        session.add(inbox)
    handover.offer(webhook, heir.id, by=owner)
    handover.accept(webhook.id, by=heir)
    db.session.rollback()
    assert inbox.webhook_id is None


def test_others_can_neither_offer_nor_accept_nor_refuse(
    make: Make, owner: User, project: Project, heir: User, webhook: Webhook
) -> None:
    second = make.user()
    make.member(project, second, Role.OWNER)
    with pytest.raises(NotFound):
        handover.offer(webhook, second.id, by=second)
    handover.offer(webhook, heir.id, by=owner)
    for act in (handover.accept, handover.refuse):
        with pytest.raises(NotFound):
            act(webhook.id, by=second)
    with pytest.raises(NotFound):
        handover.withdraw(webhook, by=heir)
    with pytest.raises(Invalid):
        handover.offer(webhook, make.user().id, by=owner)
    assert webhook.created_by_id == owner.id


def test_an_offer_ends_by_refusing_withdrawing_another_one_or_deleting(
    make: Make, owner: User, project: Project, heir: User, webhook: Webhook
) -> None:
    handover.offer(webhook, heir.id, by=owner)
    handover.refuse(webhook.id, by=heir)
    handover.offer(webhook, heir.id, by=owner)
    handover.withdraw(webhook, by=owner)
    second = make.user()
    make.member(project, second, Role.ADMIN)
    handover.offer(webhook, heir.id, by=owner)
    handover.offer(webhook, second.id, by=owner)
    with pytest.raises(NotFound):
        handover.accept(webhook.id, by=heir)
    editing.delete(webhook, by=owner)
    assert handover.offers_to(second) == []
    with pytest.raises(NotFound):
        handover.accept(webhook.id, by=second)


def test_who_lost_the_role_meanwhile_cannot_accept(owner: User, project: Project, heir: User, webhook: Webhook) -> None:
    handover.offer(webhook, heir.id, by=owner)
    with transaction() as session:
        session.get_one(ProjectMember, (project.id, heir.id)).role = Role.MEMBER
    with pytest.raises(Conflict, match="no longer administer"):
        handover.accept(webhook.id, by=heir)
    assert webhook.created_by_id == owner.id
    assert db.session.get(HandoverOffer, webhook.id) is not None
