"""A record filter in words: what its rules look at, how they compare, and why one refused an event.

Texts are English; whoever shows them hands over the translation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from webapp.delivery.filters import Match, Operator
from webapp.webhooks import filter_fields

Translate = Callable[[str], str]
Names = Mapping[str, str]  # what custom fields are called, by path: only who may see them knows that


def N_(text: str) -> str:  # noqa: N802 - the name by which Babel finds texts that are translated later
    """Mark a text for translation."""
    return text


# The plain choices: paths of the full format that people know by these names.
PATHS = {
    "record.todoList.title": N_("List"),
    "record.title": N_("Title"),
    "record.done": N_("Done"),
    "record.duedAt": N_("Due date"),
    "record.todoUsers.user.email": N_("Assignee"),
    "record.todoTags.tag.title": N_("Tag"),
}
OPERATORS = {
    Operator.IS: N_("is"),
    Operator.IS_NOT: N_("is not"),
    Operator.CONTAINS: N_("contains"),
    Operator.NOT_CONTAINS: N_("does not contain"),
    Operator.STARTS_WITH: N_("starts with"),
    Operator.IN: N_("is one of"),
    Operator.GREATER: N_("is greater than"),
    Operator.LESS: N_("is less than"),
    Operator.EXISTS: N_("is there"),
    Operator.NOT_EXISTS: N_("is not there"),
    Operator.CHANGED: N_("has changed"),
    Operator.CHANGED_TO: N_("has changed to"),
}
REFUSED = N_("Filter: rule %(number)s, %(rule)s - found %(found)s.")
REFUSED_BEFORE = N_("Filter: rule %(number)s, %(rule)s - found %(found)s, before %(before)s.")
NONE_HELD = N_("Filter: no rule holds; rule %(number)s, %(rule)s - found %(found)s.")
NOTHING = N_("nothing")
CUSTOM_FIELD = N_("Custom field")
QUOTED = N_("“%(text)s”")
EMPTY: Names = MappingProxyType({})


def what(path: str, translate: Translate = str, names: Names = EMPTY) -> str:
    """What a rule looks at: its plain name, or the path."""
    if path in names:
        return names[path]
    if filter_fields.is_field(path):
        return translate(CUSTOM_FIELD)
    return translate(PATHS[path]) if path in PATHS else path


def rule(shown: Mapping[str, Any], translate: Translate = str, names: Names = EMPTY) -> str:
    """A rule in words: ``Title contains “Ada”``. `shown` has path, operator and value as they are kept."""
    operator = Operator(shown["operator"])
    words = [what(shown["path"], translate, names), translate(OPERATORS[operator])]
    return " ".join([*words, value(shown.get("value"), translate)] if operator.takes_value else words)


def sentence(refusal: Mapping[str, Any], translate: Translate = str, names: Names = EMPTY) -> str:
    """Why a filter refused an event, from what is kept of it: ``Filter: rule 2, Title contains “X” - found “Y”.``"""
    template = REFUSED_BEFORE if "before" in refusal else REFUSED
    if refusal["match"] == Match.ANY:
        template = NONE_HELD
    return translate(template) % {
        "number": refusal["rule"] + 1,
        "rule": rule(refusal, translate, names),
        "found": value(refusal.get("found"), translate),
        "before": value(refusal.get("before"), translate),
    }


def value(shown: Any, translate: Translate = str) -> str:
    """A value of a rule, or one that it found, for people: texts in quotes, several with commas."""
    if isinstance(shown, list):
        return ", ".join(value(each, translate) for each in shown)
    if shown is None:
        return translate(NOTHING)
    return translate(QUOTED) % {"text": shown} if isinstance(shown, str) else json.dumps(shown)
