"""What an action should tell, and whether what arrived tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Told:
    """An event that an action should publish: its type, and each key of the entity that changes, from and to."""

    code: str
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def at(value: Any, path: str) -> Any:
    """The value of a key; `todoTags.tagId` is a list of that key of each."""
    key, _, inner = path.partition(".")
    return [each[inner] for each in value[key]] if inner else value[key]


def follows(body: Any, latest: dict[str, Any]) -> None:
    """The value before is the one that the last event of the same thing told. Only a checklist changes in silence."""
    before, after = body.get("previousValue"), body["currentValue"]
    entity_id = (before or after)["id"]
    if before is None:
        assert entity_id not in latest
    elif body["event"] != "TODO_CHECKLIST_DELETED":
        assert before == latest[entity_id]
    latest[entity_id] = after
