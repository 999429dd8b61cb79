"""What a filter may be. `check` reads one that somebody wrote, `restore` one that was stored."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webapp.delivery.filters.comparing import Wanted, moment_of, number_of
from webapp.models.errors import Invalid

MAX_RULES = 25
MAX_NAMES = 8  # of one path, after its beginning
MAX_NAME = 64  # characters
MAX_VALUE = 500  # characters
MAX_VALUES = 100  # of one rule with `in`
MAX_FILTER_BYTES = 16 * 1024  # as JSON

# In brackets stands an id, not the place in a list: [0] would be the first item only by chance.
_PATH = re.compile(rf"(record|value)(\.[\w@$-]{{1,{MAX_NAME}}}(\[(?!\d+\])[\w-]{{1,{MAX_NAME}}}\])?){{1,{MAX_NAMES}}}")


class Match(StrEnum):
    """How many of the rules must hold."""

    ALL = "all"
    ANY = "any"


class Operator(StrEnum):
    """How a rule compares."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    IN = "in"
    GREATER = "greater"
    LESS = "less"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"
    CHANGED = "changed"
    CHANGED_TO = "changed_to"

    @property
    def takes_value(self) -> bool:
        """Whether a rule with it has a value."""
        return self not in {Operator.EXISTS, Operator.NOT_EXISTS, Operator.CHANGED}

    @property
    def is_ordering(self) -> bool:
        """Whether its value must be a number or a date."""
        return self in {Operator.GREATER, Operator.LESS}

    @property
    def looks_back(self) -> bool:
        """Whether it compares with the previous value."""
        return self in {Operator.CHANGED, Operator.CHANGED_TO}


@dataclass(frozen=True)
class Rule:
    """One rule. `value` is as it was written: a list for `in`, None for operators without one."""

    path: str
    operator: Operator
    value: Any
    wanted: Wanted

    @property
    def is_on_record(self) -> bool:
        """Whether it asks for the event's record rather than for the entity."""
        return self.path.startswith("record.")

    @property
    def stored(self) -> dict[str, Any]:
        """As it is kept and shown."""
        shown = {"path": self.path, "operator": str(self.operator)}
        return shown | {"value": self.value} if self.operator.takes_value else shown


@dataclass(frozen=True)
class Filter:
    """A filter that was read."""

    match: Match
    rules: tuple[Rule, ...]

    @property
    def stored(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {"match": str(self.match), "rules": [rule.stored for rule in self.rules]}


# One that says yes to no event: of no rules none holds.
NOTHING = Filter(Match.ANY, ())


def check(written: Any) -> Filter:
    """Read a filter that somebody wrote. Raises one Invalid that names each wrong place: ``filter.rules.2.path``."""
    members = _object("filter", written, ("match", "rules"))
    errors: list[Invalid] = []
    match, rules = Match.ALL, members.get("rules", [])
    try:
        match = Match(_text("filter.match", members.get("match", "all")))
    except ValueError:
        errors.append(Invalid("filter.match", "Either all of the rules must hold or any: send all or any."))
    except Invalid as error:
        errors.append(error)
    if not isinstance(rules, list):
        raise Invalid("filter.rules", "Send a list of rules.")
    if len(rules) > MAX_RULES:
        raise Invalid("filter.rules", "A filter has at most %(most)s rules.", most=MAX_RULES)
    read = [_rule(f"filter.rules.{index}", rule, errors) for index, rule in enumerate(rules)]
    if errors:
        raise Invalid.many(errors)
    checked = Filter(match, tuple(rule for rule in read if rule is not None))
    if len(json.dumps(checked.stored, ensure_ascii=False).encode()) > MAX_FILTER_BYTES:
        raise Invalid("filter", "The filter is too large: %(most)s bytes are the most.", most=MAX_FILTER_BYTES)
    return checked


def restore(stored: Any) -> Filter:
    """A filter as `Filter.stored` gave it. Never raises: what cannot be read lets no event pass."""
    try:
        return check(stored)
    except Invalid:
        return NOTHING


def _rule(place: str, written: Any, errors: list[Invalid]) -> Rule | None:
    """The rule, or None when something in it is wrong, which is then among the errors."""
    before = len(errors)
    try:
        members = _object(place, written, ("path", "operator", "value"))
    except Invalid as error:
        errors.append(error)
        return None
    path = operator = value = None
    try:
        path = _path(f"{place}.path", members.get("path"))
    except Invalid as error:
        errors.append(error)
    try:
        operator = _operator(f"{place}.operator", members.get("operator"))
        value = _value(f"{place}.value", operator, members.get("value"))
    except Invalid as error:
        errors.append(error)
    if path is None or operator is None or len(errors) > before:
        return None
    return Rule(path, operator, value, Wanted(tuple(value) if isinstance(value, list) else (value,)))


def _object(place: str, written: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise Invalid(place, "Send a JSON object with %(names)s.", names=", ".join(names))
    unknown = next((name for name in written if name not in names), None)
    if unknown is not None:
        raise Invalid(
            place, "There is no “%(name)s” here. There are: %(names)s.", name=_shown(unknown), names=", ".join(names)
        )
    return written


def _path(place: str, written: Any) -> str:
    path = _text(place, written)
    if not path:
        raise Invalid(place, "Enter a path, such as record.title.")
    if not _PATH.fullmatch(path):
        raise Invalid(
            place,
            "This path cannot be read: %(path)s. It begins with record. or value. and goes on with up to %(most)s "
            "names, a dot between them.",
            path=_shown(path),
            most=MAX_NAMES,
        )
    return path


def _operator(place: str, written: Any) -> Operator:
    word = _text(place, written)
    try:
        return Operator(word)
    except ValueError:
        known = ", ".join(Operator)
        raise Invalid(
            place, "There is no operator “%(word)s”. There are: %(known)s.", word=_shown(word), known=known
        ) from None


def _value(place: str, operator: Operator, written: Any) -> Any:
    if not operator.takes_value:
        return None
    if operator is Operator.IN:
        if not isinstance(written, list) or not written:
            raise Invalid(place, "Enter at least one value, in a list.")
        if len(written) > MAX_VALUES:
            raise Invalid(place, "A rule has at most %(most)s values.", most=MAX_VALUES)
        return [_single(place, each) for each in written]
    value = _single(place, written)
    if operator.is_ordering and number_of(value) is None and moment_of(value) is None:
        raise Invalid(place, "Enter a number, such as 12.5, or a date, such as 2026-05-04.")
    return value


def _single(place: str, written: Any) -> Any:
    """A text without blanks at its ends, a number, true or false."""
    if isinstance(written, bool):
        return written
    if isinstance(written, int | float):
        if not math.isfinite(written) or abs(written) >= 10**20:
            raise Invalid(place, "This number is too large.")
        return written
    text = _text(place, written).strip()
    if not text:
        raise Invalid(place, "Enter a value.")
    if len(text) > MAX_VALUE:
        raise Invalid(place, "Use at most %(longest)s characters.", longest=MAX_VALUE)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise Invalid(place, "Leave out the control characters.")
    return text


def _text(place: str, written: Any) -> str:
    if written is None:
        return ""
    if not isinstance(written, str):
        raise Invalid(place, "Send a text, a number, true or false." if place.endswith(".value") else "Send a text.")
    return written


def _shown(text: Any) -> str:
    """The beginning of a text, as an error quotes it."""
    return str(text)[:80].encode(errors="backslashreplace").decode()
