"""The audit log of a webhook in words: who did what, and what changed. Secrets and header values only as “changed”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.webhooks.audit import Noted

ACTIONS: dict[str, LazyString] = {
    "created": _l("Created the webhook"),
    "edited": _l("Changed the settings"),
    "deleted": _l("Deleted the webhook"),
    "enabled": _l("Enabled the webhook"),
    "enabling_failed": _l("Tried to enable the webhook; the health check failed"),
    "disabled": _l("Disabled the webhook"),
    "secret_added": _l("Added a secret"),
    "secret_rotated": _l("Rotated the secret"),
    "secret_removed": _l("Removed the secret"),
    "secret_revealed": _l("Looked at the secret"),
    "secret_overlap_ended": _l("Ended the old secret"),
    "redelivered": _l("Sent a delivery again"),
    "delivery_cancelled": _l("Cancelled a delivery"),
    "replayed": _l("Started a replay"),
    "replay_stopped": _l("Stopped a replay"),
    "held_released": _l("Decided on held deliveries"),
    "handover_offered": _l("Offered the webhook to somebody"),
    "handover_withdrawn": _l("Withdrew the offer"),
    "handover_refused": _l("Refused the offer"),
    "handed_over": _l("Took the webhook over"),
}
FIELDS: dict[str, LazyString] = {
    "name": _l("Name"),
    "url": _l("URL"),
    "events": _l("Events"),
    "project_ids": _l("Projects"),
    "payload_format": _l("Payload format"),
    "headers": _l("Headers"),
    "filter": _l("Filter"),
    "secret": _l("Secret"),
}
COUNTED = frozenset(["events", "project_ids"])
NOT_TOLD = frozenset(["headers", "filter"])


@dataclass(frozen=True)
class Line:
    """One line: `details` are names of settings, and how each changed."""

    at: datetime
    who: str
    what: LazyString | str
    details: list[tuple[str, str]]


def line(noted: Noted) -> Line:
    """An entry of the audit log as the page shows it."""
    changes = noted.entry.detail if noted.action in {"edited", "secret_rotated"} else {}
    return Line(
        at=noted.entry.at,
        who=noted.by.name if noted.by else _("Nobody who is known any more"),
        what=ACTIONS.get(noted.action, noted.action),
        details=[(str(FIELDS[key]), _change(key, value)) for key, value in changes.items() if key in FIELDS],
    )


def _change(key: str, value: Any) -> str:
    if key in NOT_TOLD or not isinstance(value, list):
        return _("changed")
    before, after = value
    if key in COUNTED:
        return f"{_count(before)} → {_count(after)}" if len(before) != len(after) else _("changed")
    return f"{before} → {after}"


def _count(chosen: list[str]) -> str:
    return str(len(chosen)) if chosen else _("All")
