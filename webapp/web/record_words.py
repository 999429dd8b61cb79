"""Words of a record's page: dates in a record's zone, values of custom fields, texts with their addresses as links."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from flask_babel import format_date, format_time
from flask_babel import gettext as _
from markupsafe import Markup, escape

from webapp.delivery.payloads.json_bytes import number_text
from webapp.models import CustomField, FieldKind
from webapp.web.badges import state_badge
from webapp.web.person import time_zone
from webapp.web.record_history import fingerprint
from webapp.webhooks import filter_words
from webapp.webhooks.verdicts import SENTENCES, WebhookVerdict
from webapp.workspace import moments

_ADDRESS = re.compile(r"https?://[^\s<>\"“”]*[^\s<>\"“”.,;:!?)\]}']")


def init_app(app: Flask) -> None:
    """Bind the filters to the templates."""
    filters = {
        "in_zone": in_zone,
        "linked": linked,
        "field_value": field_value,
        "typed_number": typed_number,
        "told": fingerprint,
        "verdict_words": verdict_words,
        "state_badge": state_badge,
    }
    app.jinja_env.filters.update(filters)


def in_zone(at: datetime, zone: str | None, *, is_due: bool = False) -> str:
    """A day, or day and time, in that zone (else the person's), which is named where it is not theirs."""
    own = time_zone()
    text = moments.shown(at, zone or own, is_due=is_due)
    day = str(format_date(date.fromisoformat(text[: moments.DAY_LENGTH])))
    if len(text) == moments.DAY_LENGTH:
        return day
    local = at.astimezone(ZoneInfo(zone or own))
    clock = str(format_time(local, "short", rebase=False))
    return f"{day}, {clock}" if (zone or own) == own else f"{day}, {clock} ({zone})"


def linked(text: str) -> Markup:
    """A text of a stranger: all of it escaped, its http and https addresses as links."""
    parts, end = [], 0
    for found in _ADDRESS.finditer(text):
        parts += [escape(text[end : found.start()]), _link(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def field_value(field: CustomField, value: Any) -> str:
    """A value as field_values.shown() gives it, for people who may only read it."""
    titles = {option.id: option.title for option in field.options}
    if value is None or value == []:
        return "–"
    if field.kind is FieldKind.CHECKBOX:
        return _("Yes") if value else _("No")
    if field.kind is FieldKind.CURRENCY:
        return f"{number_text(value['amount'])} {value['currency']}"
    if field.kind is FieldKind.DATE:
        return str(format_date(date.fromisoformat(value)))
    if field.kind.has_options:
        return ", ".join(titles[option_id] for option_id in (value if isinstance(value, list) else [value]))
    return typed_number(value)


def typed_number(value: Any) -> str:
    """A value as it is typed: numbers without needless decimals, nothing as the empty text."""
    return number_text(value) if isinstance(value, float) else str(value if value is not None else "")


def verdict_words(verdict: WebhookVerdict) -> str:
    """Why a webhook did not get an event, in the person's language."""
    if verdict.refusal is not None and "rule" in verdict.refusal:
        return filter_words.sentence(verdict.refusal, _)
    return str(_(SENTENCES[verdict.word]))


def _link(address: str) -> Markup:
    return Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>').format(address)
