"""What can happen: the catalogue of event types, their texts and examples, for forms, pages, the API and tests.

The data lies beside this file in `event_types.json`: groups, types in the order in which people see them, and sample
objects. An entity's example is the object of its name; ``"@name"`` stands for another object, and `before` and `after`
say what differs at one type. Texts are English and are translated where they are shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from webapp.delivery.payloads import HEALTH_CHECK, body, compact, compact_word, health_check, to_json
from webapp.models import PayloadFormat

__all__ = [
    "GROUPS",
    "HEALTH_CHECK",
    "RECORD_UPDATED",
    "EventType",
    "Group",
    "Kind",
    "by_group",
    "compact_word",
    "event_types",
    "example",
    "extract_texts",
    "sample_snapshot",
    "sample_values",
]

_CATALOGUE: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_TEXTS = ("label", "description", "sentWhen")


class Kind(StrEnum):
    """Which values an event type has: created ones no previous, deleted ones no current, all others both."""

    CREATED = "created"
    DELETED = "deleted"
    CHANGED = "changed"


@dataclass(frozen=True)
class Group:
    """Types that people see together."""

    code: str
    label: str


@dataclass(frozen=True)
class EventType:
    """One kind of thing that can happen. `entity` is what its values show, by its key in the compact format."""

    code: str
    group: str
    label: str
    description: str
    sent_when: str
    entity: str
    kind: Kind

    @property
    def compact_code(self) -> str:
        """Its name in the compact format."""
        return compact_word(self.code)


def _event_type(row: Mapping[str, str]) -> EventType:
    return EventType(
        code=row["code"],
        group=row["group"],
        label=row["label"],
        description=row["description"],
        sent_when=row["sentWhen"],
        entity=row["entity"],
        kind=Kind(row["kind"]),
    )


GROUPS = tuple(Group(**row) for row in _CATALOGUE["groups"])
_TYPES = MappingProxyType({row["code"]: _event_type(row) for row in _CATALOGUE["types"]})

# What the shortcut "Record updated" ticks.
RECORD_UPDATED = tuple(each.code for each in _TYPES.values() if each.entity == "record" and each.kind is Kind.CHANGED)


def event_types(company_id: str | None) -> Mapping[str, EventType]:
    """The types that can happen in a company, by code, in the order in which people see them. None = in any."""
    return _TYPES


def by_group(company_id: str | None) -> dict[Group, tuple[EventType, ...]]:
    """The same types, under their groups."""
    types = event_types(company_id).values()
    return {group: tuple(each for each in types if each.group == group.code) for group in GROUPS}


@cache
def example(code: str, payload_format: PayloadFormat) -> bytes:
    """A whole example body, always the same bytes. Raises KeyError for a type that is not in the catalogue."""
    if code == HEALTH_CHECK:
        return health_check(sample_snapshot())
    previous, current = sample_values(code)
    if payload_format == PayloadFormat.FULL:
        return body(code=code, snapshot=sample_snapshot(), previous=previous, current=current)
    return compact(
        code=code,
        previous=previous,
        current=current,
        company_id=_sample_id("company"),
        project_id=_sample_id("project"),
        user_id=_sample_id("ada"),
    )


@cache
def sample_values(code: str) -> tuple[bytes | None, bytes | None]:
    """The previous and the current value of the example: None = no such key. Raises KeyError for an unknown type."""
    kind = _TYPES[code].kind
    previous = None if kind is Kind.CREATED else _sample_value(code, "before")
    current = b"null" if kind is Kind.DELETED else _sample_value(code, "after")
    return previous, current


def sample_snapshot() -> bytes:
    """The webhook object of all examples."""
    return to_json(_CATALOGUE["objects"]["webhook"])


def extract_texts(
    file: BinaryIO, keywords: Sequence[str], comment_tags: Sequence[str], options: Mapping[str, str]
) -> Iterator[tuple[int, str, str, list[str]]]:
    """The texts of `event_types.json` for Babel: an extraction method, named in `.babel.cfg`."""
    catalogue = json.load(file)
    for row in [*catalogue["groups"], *catalogue["types"]]:
        for name in _TEXTS:
            if name in row:
                yield 0, "gettext", row[name], []


def _sample_value(code: str, moment: str) -> bytes:
    row = next(row for row in _CATALOGUE["types"] if row["code"] == code)
    return to_json(_expanded("@" + row["entity"]) | _expanded(row.get(moment, {})))


def _expanded(value: Any) -> Any:
    """The value with the objects in place of their names."""
    if isinstance(value, str) and value.startswith("@"):
        return _expanded(_CATALOGUE["objects"][value[1:]])
    if isinstance(value, dict):
        return {name: _expanded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    return value


def _sample_id(name: str) -> str:
    found: str = _CATALOGUE["objects"][name]["id"]
    return found
