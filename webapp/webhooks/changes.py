"""What an event changed: the fields in which the value before and the value after differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

MAX_ROWS = 100
MAX_LEVELS = 40  # a value that is nested deeper is compared, and shown, as one
NOISE = frozenset(["position", "uid", "updatedAt"])  # of no interest to people, so they stand last
MEMBER_NAMES = ("id", "uid")


class Nothing(Enum):
    """Where a value is not there at all, which is not the same as null."""

    MISSING = "missing"


MISSING = Nothing.MISSING


@dataclass(frozen=True)
class Change:
    """One field that differs. A member of a list stands in its path by its id: ``todoTags``, ``[cl…]``, ``title``."""

    path: tuple[str, ...]
    before: Any
    after: Any

    @property
    def name(self) -> str:
        """The path as one text: ``todoTags[cl…].title``."""
        return ".".join(self.path).replace(".[", "[")

    @property
    def field(self) -> str:
        """The path without the members of lists, as record filters write it."""
        return ".".join(part for part in self.path if not part.startswith("["))


@dataclass(frozen=True)
class Changes:
    """The first rows; `left_off` says how many more there are."""

    rows: list[Change] = field(default_factory=list)
    left_off: int = 0


def of_bytes(previous: bytes | None, current: bytes | None) -> Changes:
    """What differs between the two values of an event; nothing unless both are JSON."""
    if previous is None or current is None:
        return Changes()
    try:
        return changes(json.loads(previous), json.loads(current))
    except (ValueError, RecursionError):
        return Changes()


def changes(previous: Any, current: Any) -> Changes:
    """What differs between two values; nothing where one is null, as it is made or deleted as a whole."""
    if previous is None or current is None:
        return Changes()
    found = list(_differing((), previous, current))
    found.sort(key=lambda change: _dullness(change.path[-1] if change.path else ""))
    return Changes(found[:MAX_ROWS], max(0, len(found) - MAX_ROWS))


def _dullness(name: str) -> int:
    """First what people read, then ids, then what changes with everything."""
    return 2 if name in NOISE else int(name == "id" or name.endswith("Id"))


def _differing(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if _same(before, after):
        return
    if len(path) < MAX_LEVELS and isinstance(before, dict) and isinstance(after, dict):
        yield from _of_each(path, before, after)
    elif len(path) < MAX_LEVELS and isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    else:
        yield Change(path, before, after)


def _of_each(path: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in [*after, *(name for name in before if name not in after)]:
        yield from _differing((*path, name), before.get(name, MISSING), after.get(name, MISSING))


def _of_lists(path: tuple[str, ...], before: list[Any], after: list[Any]) -> Iterator[Change]:
    """Member by member where all have an id of their own, else as a whole."""
    old, new = _by_id(before), _by_id(after)
    if old is None or new is None or old == new:
        yield Change(path, before, after)
        return
    yield from _of_each(path, old, new)


def _by_id(members: list[Any]) -> dict[str, Any] | None:
    found = {f"[{name}]": member for member in members if (name := _id(member))}
    return found if len(found) == len(members) else None


def _id(member: Any) -> str:
    names = (member.get(name) for name in MEMBER_NAMES) if isinstance(member, dict) else ()
    return next((name for name in names if isinstance(name, str) and name), "")


def _same(before: Any, after: Any) -> bool:
    """Equal as JSON: unlike in Python, true is not 1."""
    if isinstance(before, Nothing) or isinstance(after, Nothing):
        return before is after
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
