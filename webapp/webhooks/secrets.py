"""Secrets of webhooks: encrypted at rest, told once when they are made, and later only to who gives the password again.

A rotation keeps the secret before it valid for a while, so that a receiver can change over without losing a request.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

import sqlalchemy as sa
from cryptography.fernet import InvalidToken

from webapp.models import Conflict, Invalid, User, Webhook, transaction, utc_now
from webapp.models.base import UnreadableSecret, decrypt, keyring
from webapp.webhooks import access, audit, rules, words
from webapp.webhooks.rules import GENERATED, NONE, SecretChoice

SHOWN_AFTER_SETTING = timedelta(minutes=10)
MAX_OVERLAP_HOURS = 168
OVERLAP_HOURS = 24

UNSIGNED = "This webhook has no secret. Its requests are unsigned."
UNREADABLE = (
    "The secret was encrypted with a key that this installation does not have. "
    "Rotate it, or ask the operator for the key."
)


def rotate(
    webhook: Webhook, *, by: User, secret: SecretChoice | str = GENERATED, overlap_hours: int = OVERLAP_HOURS
) -> str:
    """Give a webhook a new secret and return its text, the only time that it is handed out without the password.

    The old secret goes on signing for `overlap_hours`; 0 ends it at once, and so does rotating again. A webhook without
    a secret gets its first one. Raises NotFound, and Invalid at `secret` or `overlap_hours`.
    """
    checked = rules.collect([("secret", lambda: _new(secret)), ("overlap_hours", lambda: _overlap(overlap_hours))])
    text: str = checked["secret"]
    with transaction() as session:
        access.lock(session, webhook, by)
        old = _readable(webhook.secret_ciphertext)
        if old is not None and hmac.compare_digest(old.encode(), text.encode()):
            raise Invalid("secret", "This is the secret already. Enter another one.")
        was_signed = webhook.is_signed
        # One that cannot be read would spoil every attempt of the overlap.
        _keep(webhook, webhook.secret_ciphertext if old else None, checked["overlap_hours"])
        webhook.secret_ciphertext = seal(text)
        _note_rotation(webhook, by, was_signed=was_signed)
    return text


def end_overlap(webhook: Webhook, *, by: User) -> None:
    """The secret before the last rotation ends now. Does nothing when there is none any more. Raises NotFound."""
    with transaction() as session:
        access.lock(session, webhook, by)
        was_valid = words.old_secret_until(webhook, utc_now()) is not None
        _forget_previous(webhook)
        if was_valid:
            audit.note("secret_overlap_ended", webhook, by)


def remove(webhook: Webhook, *, by: User) -> None:
    """Requests are unsigned from now on. Does nothing to a webhook without a secret. Raises NotFound."""
    with transaction() as session:
        access.lock(session, webhook, by)
        was_signed = webhook.is_signed
        webhook.secret_ciphertext = None
        _forget_previous(webhook)
        if was_signed:
            audit.note("secret_removed", webhook, by)


def reveal(webhook: Webhook, *, by: User) -> str:
    """The secret's text, for somebody who has given their password just now: the caller sees to that.

    Raises NotFound, and Conflict when there is no secret or no key of this installation fits.
    """
    with transaction() as session:
        access.lock(session, webhook, by)
        if webhook.secret_ciphertext is None:
            raise Conflict(UNSIGNED)
        text = _readable(webhook.secret_ciphertext)
        if text is None:
            raise Conflict(UNREADABLE)
        audit.note("secret_revealed", webhook, by)
    return text


def valid(webhook: Webhook) -> list[str]:
    """The texts of the secrets that sign now, newest first. Never to be shown. Raises Invalid when no key fits."""
    is_overlap = words.old_secret_until(webhook, utc_now()) is not None
    ciphertexts = [webhook.secret_ciphertext, webhook.previous_secret_ciphertext if is_overlap else None]
    texts = [text for each in ciphertexts if (text := _readable(each)) is not None]
    if not texts:
        raise Invalid("secret", UNREADABLE)
    return texts


def wipe_expired() -> int:
    """Delete old secrets whose overlap is over; returns how many. They are not used any more, here or there."""
    is_over = sa.and_(Webhook.previous_secret_ciphertext.is_not(None), Webhook.previous_secret_until <= utc_now())
    with transaction() as session:
        expired = session.scalars(sa.select(Webhook).where(is_over).with_for_update(of=Webhook)).all()
        for webhook in expired:
            _forget_previous(webhook)
    return len(expired)


def seal(secret: str | None) -> str | None:
    """The ciphertext that is stored for a secret."""
    return None if secret is None else keyring().encrypt(secret.encode()).decode()


def of_new(webhook: Webhook) -> str | None:
    """The current secret, if it was set within the last ten minutes; None for an older, unreadable or missing one.

    The caller sees to it that this is asked once, by who set it.
    """
    if webhook.secret_ciphertext is None:
        return None
    try:
        return keyring().decrypt(webhook.secret_ciphertext, ttl=int(SHOWN_AFTER_SETTING.total_seconds())).decode()
    except InvalidToken:
        return None


def _new(choice: SecretChoice | str) -> str:
    if choice is NONE or choice == "":
        raise Invalid("secret", "Enter a secret, or let one be generated.")
    return str(rules.secret(choice))


def _overlap(hours: int) -> timedelta:
    if not 0 <= hours <= MAX_OVERLAP_HOURS:
        raise Invalid("overlap_hours", "Choose 0 to %(most)s hours.", most=MAX_OVERLAP_HOURS)
    return timedelta(hours=hours)


def _readable(ciphertext: str | None) -> str | None:
    try:
        return None if ciphertext is None else decrypt(ciphertext)
    except UnreadableSecret:
        return None


def _keep(webhook: Webhook, ciphertext: str | None, overlap: timedelta) -> None:
    """The current secret becomes the previous one, for as long as it shall be valid."""
    _forget_previous(webhook)
    if ciphertext is not None and overlap:
        webhook.previous_secret_ciphertext = ciphertext
        webhook.previous_secret_until = utc_now() + overlap


def _forget_previous(webhook: Webhook) -> None:
    webhook.previous_secret_ciphertext = None
    webhook.previous_secret_until = None


def _note_rotation(webhook: Webhook, by: User, *, was_signed: bool) -> None:
    until = webhook.previous_secret_until
    audit.note(
        "secret_rotated" if was_signed else "secret_added",
        webhook,
        by,
        secret="changed" if was_signed else "set",
        previous_until=until.isoformat() if until else None,
    )
