"""The verdict of a filter on an event: nothing, or the rule that refuses it and what that rule saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webapp.delivery.filters.comparing import text_of
from webapp.delivery.filters.rules import Filter, Match, Operator, Rule
from webapp.delivery.filters.values import Found, Values

MAX_SHOWN = 80  # characters of a value that a refusal quotes
MAX_SHOWN_VALUES = 5  # of those that a path found
MORE = "…"


@dataclass(frozen=True)
class Refusal:
    """Why a filter says no. With `any` every rule refused, and this is the first; `rule` is None when there is none.

    `found` and, for rules about changes, `before` are JSON values that are short enough to be kept: what the path led
    to, a list when it led to several; null also when it led nowhere.
    """

    match: Match
    index: int
    rule: Rule | None
    found: Any = None
    before: Any = None

    @property
    def stored(self) -> dict[str, Any]:
        """As it is kept with the event. `rule` counts from 0."""
        if self.rule is None:
            return {"match": str(self.match)}
        kept = {name: _short_all(value) for name, value in self.rule.stored.items()}
        kept |= {"match": str(self.match), "rule": self.index, "found": self.found}
        return kept | {"before": self.before} if self.rule.operator.looks_back else kept


@dataclass(frozen=True)
class Finding:
    """What one rule says about an event, whatever the others say; `found` and `before` are as in a refusal."""

    rule: Rule
    holds: bool
    found: Any = None
    before: Any = None


def explain(record_filter: Filter, values: Values) -> list[Finding]:
    """What each rule of a filter says, in their order. Never raises."""
    findings = []
    for index, rule in enumerate(record_filter.rules):
        seen = _refusal(record_filter, index, values)
        findings.append(Finding(rule, _holds(rule, values), seen.found, seen.before))
    return findings


def judge(record_filter: Filter, values: Values) -> Refusal | None:
    """None when the filter lets the event pass, else why not. Never raises, and takes at most some milliseconds."""
    if record_filter.match is Match.ALL:
        for index, rule in enumerate(record_filter.rules):
            if not _holds(rule, values):
                return _refusal(record_filter, index, values)
        return None
    if any(_holds(rule, values) for rule in record_filter.rules):
        return None
    return _refusal(record_filter, 0, values)


def _holds(rule: Rule, values: Values) -> bool:
    if rule.is_on_record and not values.has_record:
        return True
    found = values.found(rule.path)
    if not found.is_there and not rule.operator.looks_back:
        return rule.operator is Operator.NOT_EXISTS
    return _CLAIMS[rule.operator](rule, found, values)


def _is(rule: Rule, found: Found, _values: Values) -> bool:
    return any(rule.wanted.equals(value) for value in found.values)


def _contains(rule: Rule, _found: Found, values: Values) -> bool:
    return any(part in text for part in rule.wanted.texts for text in values.folded(rule.path))


def _starts(rule: Rule, _found: Found, values: Values) -> bool:
    return any(text.startswith(part) for part in rule.wanted.texts for text in values.folded(rule.path))


def _exists(_rule: Rule, found: Found, _values: Values) -> bool:
    return any(value is not None and value != "" for value in found.values)


def _has_changed_to(rule: Rule, found: Found, values: Values) -> bool:
    if values.before is None or not _is(rule, found, values):
        return False
    return not _is(rule, values.found(rule.path, before=True), values)


_CLAIMS: dict[Operator, Callable[[Rule, Found, Values], bool]] = {
    Operator.IS: _is,
    Operator.IS_NOT: lambda rule, found, values: not _is(rule, found, values),
    Operator.CONTAINS: _contains,
    Operator.NOT_CONTAINS: lambda rule, found, values: not _contains(rule, found, values),
    Operator.STARTS_WITH: _starts,
    Operator.IN: _is,
    Operator.GREATER: lambda rule, found, _: any(rule.wanted.is_greater(value) for value in found.values),
    Operator.LESS: lambda rule, found, _: any(rule.wanted.is_less(value) for value in found.values),
    Operator.EXISTS: _exists,
    Operator.NOT_EXISTS: lambda rule, found, values: not _exists(rule, found, values),
    Operator.CHANGED: lambda rule, _, values: values.has_changed(rule.path),
    Operator.CHANGED_TO: _has_changed_to,
}


def _refusal(record_filter: Filter, index: int, values: Values) -> Refusal:
    if not record_filter.rules:
        return Refusal(record_filter.match, 0, None)
    rule = record_filter.rules[index]
    found = _short_all(list(values.found(rule.path).values))
    if not rule.operator.looks_back or values.before is None:
        return Refusal(record_filter.match, index, rule, found)
    return Refusal(
        record_filter.match, index, rule, found, _short_all(list(values.found(rule.path, before=True).values))
    )


def _short_all(value: Any) -> Any:
    """A value, or the first ones of a list, short enough to be kept; a list of one is that one, an empty one null."""
    if not isinstance(value, list):
        return _short(value)
    shown = [_short(each) for each in value[:MAX_SHOWN_VALUES]]
    if len(value) > MAX_SHOWN_VALUES:
        return [*shown, MORE]
    return shown if len(shown) > 1 else next(iter(shown), None)


def _short(value: Any) -> Any:
    """Objects by a sign, long texts cut, numbers that not every reader keeps as texts."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < 2**53:
        return value
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    text = text_of(value)
    if text is None:
        return MORE
    shown = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + MORE
    return shown.replace("\0", "�").encode(errors="replace").decode()
