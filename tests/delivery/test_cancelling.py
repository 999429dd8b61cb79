"""Whoever loses the role gets no more of that project's events, not even those that were waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from webapp.delivery import claiming, leases
from webapp.delivery.cancelling import cancel_for_lost_role
from webapp.delivery.claiming import Turn
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Project,
    ProjectMember,
    Redelivery,
    Role,
    User,
    Webhook,
    transaction,
    utc_now,
)


@pytest.fixture
def owner(make: Make) -> User:
    return make.user()


@pytest.fixture
def project(make: Make, owner: User) -> Project:
    return make.project(owner)


@pytest.fixture
def webhook(make: Make, owner: User, project: Project) -> Webhook:
    return make.webhook(by=owner)


def owed(make: Make, webhook: Webhook, project: Project, came_from: Project | None = None, **values: Any) -> Delivery:
    source = came_from.id if came_from else None
    event = make.event(project, fanned_out_at=utc_now(), source_project_id=source)
    return make.delivery(webhook, event, **values)


def lose_role(user: User, project: Project, role: Role = Role.MEMBER) -> int:
    with transaction() as session:
        session.execute(
            sa.update(ProjectMember)
            .where(ProjectMember.user_id == user.id, ProjectMember.project_id == project.id)
            .values(role=role)
        )
        return cancel_for_lost_role(user.id, project.id)


def standing(*deliveries: Delivery) -> list[tuple[DeliveryState, str | None]]:
    db.session.rollback()
    return [(each.state, each.reason) for each in deliveries]


def test_what_waits_and_what_is_held_of_the_project_is_cancelled_with_the_reason(
    make: Make, owner: User, project: Project, webhook: Webhook
) -> None:
    gone = [owed(make, webhook, project), owed(make, webhook, project, state=DeliveryState.HELD)]
    settled = owed(make, webhook, project, state=DeliveryState.SUCCEEDED)
    assert lose_role(owner, project) == 2
    assert standing(*gone) == [(DeliveryState.CANCELLED, "role_lost")] * 2
    assert all(each.next_attempt_at is None and each.settled_at for each in gone)
    assert standing(settled) == [(DeliveryState.SUCCEEDED, None)]


def test_other_projects_other_peoples_webhooks_and_pings_are_left_alone(
    make: Make, owner: User, project: Project, webhook: Webhook
) -> None:
    elsewhere, colleague = make.project(owner), make.user()
    make.member(project, colleague, Role.ADMIN)
    kept = [
        owed(make, webhook, elsewhere),
        owed(make, make.webhook(by=colleague), project),
        make.delivery(webhook, kind=DeliveryKind.PING),
    ]
    assert lose_role(owner, project) == 0
    assert standing(*kept) == [(DeliveryState.PENDING, None)] * 3


def test_an_event_of_two_projects_stays_while_one_of_them_is_administered(
    make: Make, owner: User, project: Project, webhook: Webhook
) -> None:
    kept_project = make.project(owner)
    arrived, left = (
        owed(make, webhook, project, came_from=kept_project),
        owed(make, webhook, kept_project, came_from=project),
    )
    foreign = owed(make, webhook, make.project(), came_from=project)
    assert lose_role(owner, project) == 1
    assert standing(arrived, left) == [(DeliveryState.PENDING, None)] * 2
    assert standing(foreign) == [(DeliveryState.CANCELLED, "role_lost")]


def test_a_role_that_is_enough_cancels_nothing(make: Make, owner: User, project: Project, webhook: Webhook) -> None:
    delivery = owed(make, webhook, project)
    assert lose_role(owner, project, Role.ADMIN) == 0
    assert standing(delivery) == [(DeliveryState.PENDING, None)]


def test_somebody_who_is_suspended_gets_nothing_of_any_project(
    make: Make, owner: User, project: Project, webhook: Webhook
) -> None:
    gone = [owed(make, webhook, project), owed(make, webhook, make.project(owner))]
    with transaction():
        owner.suspended_at = utc_now()
        assert cancel_for_lost_role(owner.id) == 2
    assert standing(*gone) == [(DeliveryState.CANCELLED, "role_lost")] * 2


def test_wishes_end_and_what_is_in_flight_finishes(make: Make, owner: User, project: Project, webhook: Webhook) -> None:
    waiting = owed(make, webhook, project, state=DeliveryState.FAILED)
    in_flight = owed(make, webhook, project, state=DeliveryState.FAILED, lease_until=utc_now())
    with transaction() as session:
        wishes = [Redelivery(delivery_seq=each.seq) for each in (waiting, in_flight)]
        session.add_all(wishes)
    lose_role(owner, project)
    db.session.rollback()
    assert [wish.finished_at is None for wish in wishes] == [False, False]
    assert standing(waiting, in_flight) == [(DeliveryState.FAILED, None)] * 2


def test_what_was_being_sent_by_hand_when_the_role_was_lost_is_not_sent_again_when_its_worker_dies(
    make: Make, owner: User, project: Project, webhook: Webhook
) -> None:
    settled = owed(make, webhook, project, state=DeliveryState.FAILED)
    with transaction() as session:
        session.add(Redelivery(delivery_seq=settled.seq))
    assert len(claiming.claim(Turn("test:1"), slots=5, lease=timedelta(0))) == 1
    lose_role(owner, project)
    leases.expire()
    assert claiming.claim(Turn("test:2"), slots=5, lease=timedelta(minutes=1)) == []
