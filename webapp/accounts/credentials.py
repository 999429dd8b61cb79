"""What somebody signs in with, changed by themselves: the password, and the address. Both ask for the password."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.accounts import guessing, passwords, sign_in
from webapp.models import Invalid, Notice, NoticeTemplate, OneTimeLink, User, audit, transaction
from webapp.models.addresses import checked_email
from webapp.models.base import new_uid


def change_password(person: User, *, old: str, new: str, address: str = "") -> None:
    """A new password ends all sessions of this person. Raises Invalid at `old` or `new`, and TooMany.

    `address` is the network address of the caller.
    """
    sign_in.confirm(person, old, address=address, field="old")
    stored = passwords.hash_of(passwords.accept(new, field="new", email=person.email))
    with transaction() as session:
        person.password_hash = stored
        person.session_key = new_uid()
        session.execute(sa.delete(OneTimeLink).where(OneTimeLink.user_id == person.id))
        audit.note("user.password_changed", f"user:{person.id}", person)


def change_email(person: User, email: str, *, password: str, address: str = "") -> None:
    """Another address to sign in with; the old one is told by mail. Raises Invalid at `email` or `password`, TooMany.

    Links that were sent to the old address end.
    """
    checked = checked_email(email)
    guessing.count_try(f"{person.id} changes the address", address=address)  # whether it is taken is no secret here
    sign_in.confirm(person, password, address=address)
    try:
        with transaction() as session:
            before, person.email = person.email, checked
            if checked == before:
                return
            session.flush()
            session.execute(sa.delete(OneTimeLink).where(OneTimeLink.user_id == person.id))
            values = {"person": person.name, "locale": person.locale, "to": checked}
            session.add(Notice(email=before, template=NoticeTemplate.EMAIL_CHANGED, values=values))
            audit.note("user.email_changed", f"user:{person.id}", person, email=[before, checked])
    except IntegrityError:
        raise Invalid("email", "Somebody with this address exists already.") from None
