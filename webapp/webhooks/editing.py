"""Setting up webhooks: create, edit, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import snapshots
from webapp.models import Invalid, PayloadFormat, User, Webhook, WebhookHealth, transaction, utc_now
from webapp.webhooks import access, activation, audit, headers, rules, secrets, targets
from webapp.webhooks.headers import Typed
from webapp.webhooks.rules import GENERATED, NONE, Advice, SecretChoice

__all__ = ["GENERATED", "NONE", "Created", "Saved", "WebhookChanges", "WebhookValues", "create", "delete", "edit"]

MAX_WEBHOOKS = 2_000  # of one person: an event makes no more deliveries than that for each administrator

# Payloads show no filter, so a new one makes no new snapshot, nor a new `updatedAt`, which they do show.
NOT_IN_PAYLOADS = frozenset(["filter"])
OTHER_NAME = "This is not its name. Type it as it stands above."


@dataclass(frozen=True)
class WebhookValues:
    """What a new webhook is made from, as it was typed. Empty lists mean all event types and all own projects.

    None in place of a list says that some were to be chosen and none was, which is refused.
    """

    name: str
    url: str
    secret: SecretChoice | str = GENERATED
    events: Sequence[str] | None = ()
    project_ids: Sequence[str] | None = ()
    payload_format: str = PayloadFormat.FULL
    enabled: bool = True
    headers: Sequence[Typed] = ()
    filter: Mapping[str, Any] | None = None


class WebhookChanges(TypedDict, total=False):
    """What of a webhook is to change; a value that is left out stays as it is.

    `headers` are all that it shall have; one with None for its value keeps the value that is stored. `filter` None or
    without rules is none.
    """

    name: str
    url: str
    events: Sequence[str] | None
    project_ids: Sequence[str] | None
    payload_format: str
    enabled: bool
    headers: Sequence[Typed]
    filter: Mapping[str, Any] | None


@dataclass(frozen=True)
class Saved:
    """A webhook that was saved, and what is odd about it."""

    webhook: Webhook
    warnings: list[Advice] = field(default_factory=list)


@dataclass(frozen=True)
class Created(Saved):
    """A webhook that was made, with its secret in plain text: the only time that it is handed out."""

    secret: str | None = None


def create(values: WebhookValues, *, by: User) -> Created:
    """Make a webhook. No request is sent. Raises Forbidden for people who administer no project, Invalid for values."""
    access.require_administrator(by)
    checked, warnings = _check(
        {
            "name": values.name,
            "url": values.url,
            "events": values.events,
            "project_ids": values.project_ids,
            "payload_format": values.payload_format,
            "secret": values.secret,
            "headers": values.headers,
            "filter": values.filter,
        },
        by,
    )
    secret, rows = checked.pop("secret"), checked.pop("headers")
    with transaction() as session:
        _refuse_too_many(session, by)
        webhook = Webhook(
            **checked, secret_ciphertext=secrets.seal(secret), enabled=values.enabled, created_by_id=by.id
        )
        webhook.health = WebhookHealth()
        headers.save(webhook, rows, url=webhook.url)
        if not values.enabled:
            activation.mark_disabled(webhook, utc_now())
        session.add(webhook)
        snapshots.take(session, webhook)
        audit.note("created", webhook, by, **_shown(webhook), secret="set" if secret else "none")
    return Created(webhook, warnings, secret)


def _refuse_too_many(session: Session, by: User) -> None:
    """Nobody can multiply an event without end. Whoever adds several at once waits for the turn of each."""
    session.execute(sa.select(User.id).where(User.id == by.id).with_for_update(key_share=True))
    own = sa.select(sa.func.count()).where(Webhook.created_by_id == by.id, Webhook.deleted_at.is_(None))
    count = session.scalar(own) or 0
    if count >= MAX_WEBHOOKS:
        raise Invalid("name", "You have %(count)s webhooks already. Delete one first.", count=count)


def edit(webhook: Webhook, changes: WebhookChanges, *, by: User) -> Saved:
    """Change a webhook. Raises NotFound for somebody else's, Invalid for values.

    `enabled` False switches it off with the rest. True saves the rest first, then enables as `activation.enable` does;
    whether that worked stands in the webhook.
    """
    checked, warnings = _check({key: value for key, value in changes.items() if key != "enabled"}, by, webhook)
    with transaction() as session:
        access.lock(session, webhook, by)
        warnings += _save(session, webhook, checked, by, switches_off=changes.get("enabled") is False)
    if changes.get("enabled") and not webhook.enabled:
        activation.enable(webhook, by=by)
    return Saved(webhook, warnings)


def delete(webhook: Webhook, *, by: User, typed_name: str | None = None) -> None:
    """Delete a webhook: what has not been delivered is cancelled, its log stays as long as other logs.

    Where a person had to type its name, `typed_name` is that. Raises NotFound, and Invalid at `name`.
    """
    with transaction() as session:
        access.lock(session, webhook, by)
        if typed_name is not None and typed_name.split() != webhook.name.split():
            raise Invalid("name", OTHER_NAME)
        now = utc_now()
        webhook.deleted_at = now
        webhook.enabled = False
        cancelled = activation.cancel_unsettled(session, webhook, "webhook_deleted", now)
        audit.note("deleted", webhook, by, name=webhook.name, url=webhook.url, cancelled=cancelled)


def _check(values: dict[str, Any], by: User, webhook: Webhook | None = None) -> tuple[dict[str, Any], list[Advice]]:
    """The values as they are stored and what is odd about them. Looks names up, so never inside a transaction."""
    warnings: list[Advice] = []
    checks: dict[str, Callable[[Any], Any]] = {
        "name": rules.name,
        "url": partial(targets.checked_url, warnings=warnings),
        "events": rules.events,
        "project_ids": partial(rules.project_ids, user=by),
        "payload_format": rules.payload_format,
        "filter": rules.record_filter,
        "secret": rules.secret,
        "headers": partial(headers.checked, known=(headers.names(webhook) or ()) if webhook else ()),
    }
    checked = rules.collect([(key, partial(checks[key], value)) for key, value in values.items()])
    if "name" in checked:
        warnings += rules.name_advice(checked["name"], by, webhook)
    return checked, warnings


def _save(session: Session, webhook: Webhook, checked: dict[str, Any], by: User, *, switches_off: bool) -> list[Advice]:
    before = _shown(webhook)
    saved = headers.save(webhook, checked.pop("headers", None), url=checked.get("url", webhook.url))
    for key, value in checked.items():
        setattr(webhook, key, value)
    after = _shown(webhook)
    changed = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if saved.is_changed:  # perhaps only values, which are told to nobody
        changed["headers"] = [before["headers"], after["headers"]]
    if changed:
        audit.note("edited", webhook, by, **changed)
    is_switched_off = switches_off and activation.switch_off(session, webhook, by)
    if changed.keys() - NOT_IN_PAYLOADS or is_switched_off:
        snapshots.retake(session, webhook)
    return saved.advice


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "project_ids": list(webhook.project_ids),
        "payload_format": str(webhook.payload_format),
        "headers": headers.names(webhook),
        "filter": webhook.filter,
    }
