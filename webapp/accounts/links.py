"""One-time links by which people choose a password, and the tokens in mails: made when the mail is written.

A mail that waits holds no token, and asking for one costs the same for an address that nobody here has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from webapp.accounts import guessing, passwords
from webapp.accounts.letters import Recipient
from webapp.config import current
from webapp.extensions import db
from webapp.models import (
    Invitation,
    NotFound,
    Notice,
    NoticeTemplate,
    OneTimeLink,
    User,
    audit,
    transaction,
    utc_now,
)
from webapp.models.addresses import checked_email
from webapp.models.base import new_uid
from webapp.models.invitation import new_link, token_digest

RESET_LASTS = timedelta(hours=1)
WELCOME_LASTS = timedelta(days=7)
RESETS_PER_ADDRESS = 3  # in the span that guesses are counted in
OVER = "This link is not valid: it was used, is too old, or was never one."


@dataclass(frozen=True)
class Addressed:
    """Whom a mail goes to, and the token of the link in it."""

    to: Recipient
    token: str = ""


def can_be_mailed() -> bool:
    """Whether this installation can send links: it has a mail server, and knows the address that people use."""
    return current().mail_server is not None and bool(current().base_url)


def ask_for_reset(email: str, *, address: str) -> None:
    """Owe a mail with a link to that address. Whether somebody here has it is looked up by who sends the mail.

    Raises Invalid at `email` for what is no address, TooMany, and NotFound where no mail can be sent.
    """
    if not can_be_mailed():
        raise NotFound("Ask the operator for a new password.")
    email = checked_email(email)
    guessing.count_try(f"{email} asks for a password", address=address, most=RESETS_PER_ADDRESS)
    with transaction() as session:
        session.add(Notice(email=email, template=NoticeTemplate.PASSWORD_RESET, values={}))


def holder(token: str) -> User:
    """Whom a link lets choose a password. Raises NotFound, alike for what was used, is too old or never was one."""
    valid = (OneTimeLink.token_sha256 == token_digest(token), OneTimeLink.expires_at > utc_now())
    person = db.session.scalar(sa.select(User).join(OneTimeLink, OneTimeLink.user_id == User.id).where(*valid))
    if person is None or not person.is_active:
        raise NotFound(OVER)
    return person


def choose_password(token: str, new: str) -> User:
    """A new password, by a link. All links and sessions of the person end, tokens of programs go on working.

    Raises NotFound as `holder` does, and Invalid at `new`.
    """
    person = holder(token)
    stored = passwords.hash_of(passwords.accept(new, field="new", email=person.email))
    with transaction() as session:
        session.execute(sa.select(User.id).where(User.id == person.id).with_for_update())
        holder(token)  # of two at once the second finds it gone
        session.execute(sa.delete(OneTimeLink).where(OneTimeLink.user_id == person.id))
        person.password_hash, person.session_key = stored, new_uid()
        audit.note("user.password_chosen", f"user:{person.id}", person)
    return person


def addressed(notice: Notice) -> Addressed | None:
    """Whom this notice goes to; None when there is nobody, or nothing to say any more. Makes the link it carries."""
    if notice.template == NoticeTemplate.INVITATION:
        return _invited(notice)
    if notice.template == NoticeTemplate.EMAIL_CHANGED:
        known = {name: str(notice.values.get(name, "")) for name in ("person", "locale")}
        return Addressed(Recipient(email=notice.email or "", name=known["person"], locale=known["locale"]))
    person = _person(notice)
    if person is None or not person.is_active:
        return None
    to = Recipient.of(person)
    if notice.template == NoticeTemplate.PASSWORD_RESET:
        return Addressed(to, _made(user_id=person.id, expires_at=utc_now() + RESET_LASTS))
    if notice.template == NoticeTemplate.WELCOME:
        return Addressed(to, _made(user_id=person.id, expires_at=utc_now() + WELCOME_LASTS))
    return Addressed(to)


def _invited(notice: Notice) -> Addressed | None:
    invitation = db.session.get(Invitation, notice.values.get("invitationId") or "")
    if invitation is None or invitation.expires_at <= utc_now():
        return None
    known = _person(notice)
    to = Recipient.of(known) if known else Recipient(email=invitation.email)
    return Addressed(to, _made(invitation_id=invitation.id, expires_at=invitation.expires_at))


def _person(notice: Notice) -> User | None:
    if notice.user_id is not None:
        return db.session.get(User, notice.user_id)
    return db.session.scalar(sa.select(User).where(User.email == notice.email))


def _made(*, expires_at: datetime, user_id: str | None = None, invitation_id: str | None = None) -> str:
    with transaction() as session:
        return new_link(session, user_id=user_id, invitation_id=invitation_id, expires_at=expires_at)
