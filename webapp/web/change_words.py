"""What changed, in words: the names of fields, and values as people read them."""

from __future__ import annotations

import json
from typing import Any

from flask_babel import gettext as _

from webapp.webhooks.changes import MISSING, Change
from webapp.webhooks.filter_words import PATHS

OF_RECORD = "record."


def field_name(change: Change) -> str:
    """The plain name of the field, where record filters know one; else empty."""
    known = PATHS.get(OF_RECORD + change.field)
    return _(known) if known else ""


def value_text(value: Any) -> str | None:
    """A value as text; None for one that is not there."""
    if value is MISSING:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
