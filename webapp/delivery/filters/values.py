"""What a path finds in the values of an event. They are parsed once, and each path is looked up once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from webapp.delivery.event_types import event_types
from webapp.delivery.filters.comparing import folded

MAX_ITEMS = 50  # of lists, that one step of a path goes on with
MAX_LOOKS = 150  # of one step: at items, and at lists in lists, which may be empty
MAX_NODES = 4_000  # of both values, compared for one event; what is larger than that counts as changed

RECORD = "record"  # how paths begin, and the word of the catalogue for this entity
SELECTED_BY = ("id", "customFieldId", "tagId", "userId")  # ids by which an item of a list is picked
_END = object()


@dataclass(frozen=True)
class Found:
    """What a path leads to. `is_there` is False at a dead end: no key is called like that.

    Null on the way and an empty list are no dead end: they are there, and nothing is in them.
    """

    values: tuple[Any, ...]
    is_there: bool


@dataclass
class Values:
    """The values of one event as its filters see them. `before` is None unless there are two to compare."""

    is_record: bool | None
    now: Any
    before: Any
    _found: dict[tuple[str, bool], Found] = field(default_factory=dict)
    _folded: dict[str, list[str]] = field(default_factory=dict)
    _changed: dict[str, bool] = field(default_factory=dict)
    _nodes_left: int = MAX_NODES

    @classmethod
    def of(cls, code: str, previous: bytes | None, current: bytes | None) -> Values:
        """Parse the JSON of both values. What is no JSON counts as null: nothing raises here."""
        kind = event_types(None).get(code)
        before, now = _parsed(previous), _parsed(current)
        if now is None:
            before, now = None, before
        return cls(is_record=kind.entity == RECORD if kind else False, now=now, before=before)

    @property
    def has_record(self) -> bool:
        """Whether the event is about a record or belongs to one."""
        return self.is_record or _record_of(self.now) is not None

    def found(self, path: str, *, before: bool = False) -> Found:
        """What the path leads to now, or before."""
        key = (path, before)
        if key not in self._found:
            self._found[key] = self._find(path, self.before if before else self.now)
        return self._found[key]

    def folded(self, path: str) -> list[str]:
        """The texts that the path leads to now, in small letters."""
        if path not in self._folded:
            self._folded[path] = folded(self.found(path).values)
        return self._folded[path]

    def has_changed(self, path: str) -> bool:
        """Whether the path leads to something else than before. False unless there are two values to compare."""
        if self.before is None:
            return False
        if path not in self._changed:
            one, other = self.found(path, before=True), self.found(path)
            self._changed[path] = one.is_there != other.is_there or not self._is_same(one.values, other.values)
        return self._changed[path]

    def _find(self, path: str, value: Any) -> Found:
        root, *names = path.split(".")
        if root == RECORD and not self.is_record:
            value = _record_of(value)
        level, is_there = [value], value is not None
        for step in names:
            items = _flat(level)
            name, _, wanted = step.partition("[")
            level = [item[name] for item in items if isinstance(item, dict) and name in item]
            is_there = is_there and (bool(level) or all(item is None for item in items))
            if wanted:
                level = [item for item in _flat(level) if _is_selected(item, wanted.removesuffix("]"))]
        return Found(tuple(_flat(level)), is_there)

    def _is_same(self, one: Any, other: Any) -> bool:
        """Whether two values are equal as JSON: true is not 1. A loop, so that no depth can exhaust the stack."""
        pairs = [(one, other)]
        while pairs:
            one, other = pairs.pop()
            self._nodes_left -= len(one) if isinstance(one, dict | list | tuple) else 0
            if self._nodes_left < 0 or not _is_alike(one, other):
                return False
            if isinstance(one, dict):
                pairs += [(value, other[name]) for name, value in one.items()]
            elif isinstance(one, list | tuple):
                pairs += zip(one, other, strict=True)
        return True


def _is_selected(item: Any, wanted: str) -> bool:
    return isinstance(item, dict) and any(item.get(name) == wanted for name in SELECTED_BY)


def _parsed(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _record_of(value: Any) -> Any:
    """The record that an entity belongs to, of which some applications tell only the id; None when there is none."""
    while isinstance(value, dict):
        if isinstance(value.get("todo"), dict):
            return value["todo"]
        if isinstance(value.get("todoId"), str):
            return {"id": value["todoId"]}
        value = value.get("checklist")
    return None


def _flat(items: list[Any]) -> list[Any]:
    """The items, those of lists among them in their place: MAX_ITEMS at most."""
    if list not in map(type, items):
        return items
    return list(islice(_flattened(items), MAX_ITEMS))


def _flattened(items: list[Any]) -> Iterator[Any]:
    open_lists = [iter(items)]
    for _ in range(MAX_LOOKS):
        if not open_lists:
            return
        item = next(open_lists[-1], _END)
        if item is _END:
            open_lists.pop()
        elif isinstance(item, list):
            open_lists.append(iter(item))
        else:
            yield item


def _is_alike(one: Any, other: Any) -> bool:
    """Whether two values are equal, looked at from outside: containers by their names and lengths."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys()
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
