"""Handing a webhook over to another administrator: it is offered, and theirs once they accept.

The secret goes along and stays; who takes it over sees it only by giving their password, as every owner does. Of a
webhook that lists projects the other must administer all of them; one that listens to all projects listens to all of
the other's from then on.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp import config
from webapp.delivery import cancelling, snapshots
from webapp.extensions import db
from webapp.models import (
    Conflict,
    HandoverOffer,
    Inbox,
    Invalid,
    NotFound,
    Notice,
    NoticeTemplate,
    ProjectMember,
    User,
    Webhook,
    transaction,
    webhook_roles,
)
from webapp.webhooks import access, audit

NO_OFFER = "Nobody offers you such a webhook."


def candidates(webhook: Webhook) -> list[User]:
    """Who could take a webhook over, by name."""
    fitting = _fitting(webhook.created_by_id, webhook.project_ids)
    query = sa.select(User).where(User.id.in_(fitting), User.suspended_at.is_(None), User.id != webhook.created_by_id)
    return list(db.session.scalars(query.order_by(sa.func.lower(User.name), User.id)))


def offer_of(webhook: Webhook) -> HandoverOffer | None:
    """To whom a webhook is offered."""
    return db.session.get(HandoverOffer, webhook.id)


def offers_to(user: User) -> list[HandoverOffer]:
    """What others offer to somebody, newest first."""
    query = sa.select(HandoverOffer).join(HandoverOffer.webhook)
    mine = query.where(HandoverOffer.to_user_id == user.id, Webhook.deleted_at.is_(None))
    return list(db.session.scalars(mine.order_by(HandoverOffer.created_at.desc(), HandoverOffer.webhook_id)))


def load(user: User, webhook_id: str) -> HandoverOffer:
    """What somebody is offered; raises NotFound."""
    offer = db.session.get(HandoverOffer, webhook_id)
    if offer is None or offer.to_user_id != user.id or offer.webhook.deleted_at is not None:
        raise NotFound(NO_OFFER)
    return offer


def offer(webhook: Webhook, to_user_id: str, *, by: User) -> HandoverOffer:
    """Offer a webhook to a candidate, who is told. Raises NotFound, Invalid at `to_user_id`."""
    with transaction() as session:
        access.lock(session, webhook, by)
        to = next((each for each in candidates(webhook) if each.id == to_user_id), None)
        if to is None:
            raise Invalid("to_user_id", "Choose somebody who administers the projects of this webhook.")
        made = session.merge(HandoverOffer(webhook_id=webhook.id, to_user_id=to.id))
        values = {"webhookId": webhook.id, "name": webhook.name, "by": by.name}
        session.add(Notice(user_id=to.id, template=NoticeTemplate.HANDOVER, values=values))
        audit.note("handover_offered", webhook, by, to=to.id)
    return made


def withdraw(webhook: Webhook, *, by: User) -> None:
    """Offer it to nobody any more. Raises NotFound for who does not own it."""
    with transaction() as session:
        access.lock(session, webhook, by)
        made = offer_of(webhook)
        if made is not None:
            session.delete(made)
            audit.note("handover_withdrawn", webhook, by, to=made.to_user_id)


def refuse(webhook_id: str, *, by: User) -> None:
    """Do not take it. Raises NotFound."""
    with transaction() as session:
        made = load(by, webhook_id)
        audit.note("handover_refused", made.webhook, by)
        session.delete(made)


def accept(webhook_id: str, *, by: User) -> int:
    """Take it over; returns how many waiting and held deliveries were cancelled, of projects one does not administer.

    Raises NotFound, and Conflict when one no longer administers the projects it lists.
    """
    with transaction() as session:
        cancelling.wait_for_makers(session)
        webhook = _locked(session, webhook_id)
        made = load(by, webhook_id)
        if by.id not in {each.id for each in candidates(webhook)}:
            raise Conflict("You no longer administer the projects of this webhook.")
        before, webhook.created_by_id = webhook.created_by_id, by.id
        session.delete(made)
        session.execute(sa.update(Inbox).where(Inbox.webhook_id == webhook.id).values(webhook_id=None))
        cancelled = cancelling.cancel_for_lost_role(by.id)
        audit.note("handed_over", webhook, by, owner=[before, by.id], cancelled=cancelled)
        session.expire(webhook, ["created_by"])
        snapshots.retake(session, webhook)
    return cancelled


def _locked(session: Session, webhook_id: str) -> Webhook:
    webhook = session.scalar(sa.select(Webhook).where(Webhook.id == webhook_id).with_for_update(of=Webhook))
    if webhook is None or webhook.deleted_at is not None:
        raise NotFound(NO_OFFER)
    return webhook


def _fitting(owner_id: str, project_ids: list[str]) -> sa.Select[str]:
    """The ids of people who administer all of these projects; without any, one of those that the owner administers."""
    administers = ProjectMember.role.in_(webhook_roles(config.current().webhook_role))
    people = sa.select(ProjectMember.user_id).where(administers).group_by(ProjectMember.user_id)
    if not project_ids:
        own = cancelling.administered(owner_id)
        return people.where(ProjectMember.project_id.in_(own))
    return people.where(ProjectMember.project_id.in_(project_ids)).having(
        sa.func.count(sa.distinct(ProjectMember.project_id)) == len(set(project_ids))
    )
