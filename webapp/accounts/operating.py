"""What operators do with the people of an installation. The last operator can neither leave nor be made to."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.accounts import links, passwords, succession, turns
from webapp.delivery import cancelling
from webapp.extensions import db
from webapp.models import (
    Company,
    CompanyMember,
    Conflict,
    Delivery,
    Invalid,
    NotFound,
    Notice,
    NoticeTemplate,
    User,
    Webhook,
    audit,
    transaction,
    utc_now,
)
from webapp.models.addresses import checked_email
from webapp.models.base import new_uid
from webapp.models.invitation import new_link
from webapp.models.texts import NAME_LENGTH, checked, one_line

OPERATORS_TURN = 0x09E4
ONLY_OPERATORS = "Only operators look after users."
AN_OPERATOR_IS_NEEDED = "An installation needs an operator. Make somebody else one first."


@dataclass(frozen=True)
class Listed:
    """Somebody as the list shows them: their companies by name, and how many webhooks they have."""

    user: User
    companies: list[str]
    webhooks: int


def everybody() -> list[Listed]:
    """All people, by name."""
    people = db.session.scalars(sa.select(User).order_by(sa.func.lower(User.name), User.email)).all()
    query = sa.select(CompanyMember.user_id, Company.name).join(Company).order_by(sa.func.lower(Company.name))
    companies: dict[str, list[str]] = {}
    for user_id, name in db.session.execute(query):
        companies.setdefault(user_id, []).append(name)
    counted = sa.select(Webhook.created_by_id, sa.func.count()).where(Webhook.deleted_at.is_(None))
    webhooks = {row[0]: row[1] for row in db.session.execute(counted.group_by(Webhook.created_by_id))}
    return [Listed(user, companies.get(user.id, []), webhooks.get(user.id, 0)) for user in people]


def load(user_id: str) -> User:
    """Somebody of this installation; raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def add(name: str, email: str, *, by: User) -> tuple[User, str]:
    """A new person, and the token of the link by which they choose a password; also mailed where there is mail.

    Raises Invalid at `name` or `email`.
    """
    values = checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter a name."),
        email=lambda: checked_email(email),
    )
    user = User(**values, password_hash=passwords.unknown())
    try:
        with transaction() as session:
            _demand_operator(by)
            session.add(user)
            session.flush()
            _note("added", user, by, email=user.email)
            return user, _new_link(session, user)
    except IntegrityError:
        raise Invalid("email", "Somebody with this address exists already.") from None


def give_link(user: User, *, by: User) -> str:
    """One more link by which somebody chooses a password; returns its token. Until it is used the old one is right."""
    with transaction() as session:
        _demand_operator(by)
        _note("link_given", user, by)
        return _new_link(session, user)


def set_operator(user: User, is_operator: bool, *, by: User) -> None:
    """Make somebody an operator, or no longer one. Raises Conflict for the last one."""
    user_id, by_id = user.id, by.id
    with transaction() as session:
        _keep_an_operator(session, without="" if is_operator else user_id, by=by_id)
        if user.is_operator != is_operator:
            user.is_operator = is_operator
            _note("made_operator" if is_operator else "unmade_operator", user, by)


def sign_out(user: User, *, by: User) -> None:
    """End all sessions of somebody, in every browser."""
    with transaction():
        _demand_operator(by)
        user.session_key = new_uid()
        _note("signed_out", user, by)


def suspend(user: User, *, by: User) -> int:
    """Let somebody in no more until unsuspend(): sessions end, tokens stop, their webhooks get no more events.

    Returns how many waiting and held deliveries were cancelled. Raises Conflict for oneself and the last operator.
    """
    user_id, by_id = user.id, by.id
    _not_oneself(user_id, by_id)
    with transaction() as session:
        _keep_an_operator(session, without=user_id, by=by_id)
        if user.suspended_at is not None:
            return 0
        user.suspended_at, user.session_key = utc_now(), new_uid()
        cancelled = cancelling.cancel_for_lost_role(user.id)
        _note("suspended", user, by, cancelled=cancelled)
        return cancelled


def unsuspend(user: User, *, by: User) -> None:
    """Let somebody in again. What was cancelled stays so; new events are sent."""
    with transaction():
        _demand_operator(by)
        if user.suspended_at is not None:
            user.suspended_at = None
            _note("unsuspended", user, by)


def delete(user: User, *, by: User) -> None:
    """Delete somebody with their webhooks and what those sent. Nothing that they did in projects goes.

    What only they owned passes on, see `succession`. Raises Conflict for oneself and for the last operator.
    """
    user_id, by_id = user.id, by.id
    _not_oneself(user_id, by_id)
    with transaction() as session:
        _keep_an_operator(session, without=user_id, by=by_id)
        detail = {"name": user.name, "email": user.email}
        passed_on = succession.pass_on(session, user)
        _note("deleted", user, by, **detail, passed_on=[str(each.subject_id) for each in passed_on])
        own = sa.select(Webhook.id).where(Webhook.created_by_id == user.id)
        for statement in (  # deliveries first, in the order in which the recorder locks rows, too
            sa.delete(Delivery).where(Delivery.webhook_id.in_(own)),
            sa.delete(User).where(User.id == user.id),
        ):
            session.execute(statement.execution_options(synchronize_session=False))
        session.expunge(user)


def _new_link(session: Session, user: User) -> str:
    if links.can_be_mailed():
        session.add(Notice(user_id=user.id, template=NoticeTemplate.WELCOME, values={}))
    return new_link(session, user_id=user.id, expires_at=utc_now() + links.WELCOME_LASTS)


def _keep_an_operator(session: Session, *, without: str, by: str) -> None:
    """Raises Conflict unless there is another active operator, NotFound when `by` has ceased to be one.

    One at a time: two could unmake each other.
    """
    turns.wait_for(session, OPERATORS_TURN)
    active = set(session.scalars(sa.select(User.id).where(User.is_operator, User.suspended_at.is_(None))))
    if by not in active:
        raise NotFound(ONLY_OPERATORS)
    if not active - {without}:
        raise Conflict(AN_OPERATOR_IS_NEEDED)


def _demand_operator(by: User) -> None:
    if not by.is_operator:
        raise NotFound(ONLY_OPERATORS)


def _not_oneself(user_id: str, by_id: str) -> None:
    if user_id == by_id:
        raise Conflict("Ask another operator to do that: it would shut you out.")


def _note(action: str, user: User, by: User, **detail: object) -> None:
    audit.note(f"user.{action}", f"user:{user.id}", by, **detail)
