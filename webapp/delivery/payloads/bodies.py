"""The two formats of a body: `full` as Blue sends it, `compact` as a short form with the person who did it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from webapp.delivery.payloads.json_bytes import to_json

HEALTH_CHECK = "WEBHOOK_HEALTH_CHECK"
NULL = b"null"
MAX_WORDS = 256  # event types that are remembered as bytes; there are fewer

# How event types begin: in the full format, in the compact one, and the key of their entity there. The first that fits.
_COMPACT_NAMES = (
    ("TODO_LIST_", "LIST_", "list"),
    ("TODO_CHECKLIST_ITEM_", "CHECKLIST_ITEM_", "checklistItem"),
    ("TODO_CHECKLIST_", "CHECKLIST_", "checklist"),
    ("TODO_", "RECORD_", "record"),
    ("COMMENT_", "COMMENT_", "comment"),
    ("TAG_", "TAG_", "tag"),
    ("CUSTOM_FIELD_", "CUSTOM_FIELD_", "customField"),
    ("", "", "value"),
)
_NAMED_BESIDE = frozenset(["todo", "project"])  # parents that the compact form names beside the entity
_PARENTS = _NAMED_BESIDE | {"todoList", "checklist"}


@lru_cache(MAX_WORDS)
def _word(code: str) -> bytes:
    return to_json(code)


def body(*, code: str, snapshot: bytes, previous: bytes | None, current: bytes | None) -> bytes:
    """A body in the full format, composed of JSON bytes. None = no such key, ``null`` = a key without a value."""
    pieces = [b'{"event":', _word(code), b',"webhook":', snapshot]
    if previous is not None:
        pieces += [b',"previousValue":', previous]
    if current is not None:
        pieces += [b',"currentValue":', current]
    return b"".join([*pieces, b"}"])


def health_check(snapshot: bytes) -> bytes:
    """Blue's body with two keys, of health checks and pings, the same in both formats."""
    return body(code=HEALTH_CHECK, snapshot=snapshot, previous=None, current=None)


def compact_word(code: str) -> str:
    """An event type's name in the compact format: ``TODO_CREATED`` is ``RECORD_CREATED``."""
    return _compact_names(code)[0]


def compact(
    *,
    code: str,
    previous: bytes | None,
    current: bytes | None,
    company_id: str,
    project_id: str,
    user_id: str | None,
) -> bytes:
    """A body in the compact format: event, entity, its record, what changed, and the ids of company, project and user.

    The entity is the current value, or the previous one when nothing is left. The record and the project it belongs to
    stand beside it and not inside. `changes` is there when both values are. Without a `user_id` (a token or a program
    acted for nobody in particular) `user` is null.
    """
    word, key = _compact_names(code)
    before, after = _value(previous), _value(current)
    entity = before if after is None else after
    document: dict[str, object] = {"event": word, key: _without_named(entity)}
    if key != "record" and (found := _record_of(entity)) is not None:
        document["record"] = _without_named(found)
    if previous is not None and after is not None:
        document["changes"] = _changes(before, after)
    document["company"] = {"id": company_id}
    document["project"] = {"id": project_id}
    document["user"] = None if user_id is None else {"id": user_id}
    return to_json(document)


def _compact_names(code: str) -> tuple[str, str]:
    return next((new + code.removeprefix(old), key) for old, new, key in _COMPACT_NAMES if code.startswith(old))


def _value(value: bytes | None) -> Any:
    return json.loads(value or NULL)


def _without_named(value: Any) -> Any:
    """The value without the record and the project above it, also in the lists and checklists between."""
    if not isinstance(value, dict):
        return value
    return {
        name: _without_named(item) if name in _PARENTS else item
        for name, item in value.items()
        if not (name in _NAMED_BESIDE and isinstance(item, dict))
    }


def _record_of(value: Any) -> Any:
    """The record that a comment, a checklist or a checklist item belongs to; None when the value names none."""
    while isinstance(value, dict):
        if isinstance(value.get("todo"), dict):
            return value["todo"]
        value = value.get("checklist")
    return None


def _changes(before: Any, after: Any) -> dict[str, object]:
    """Each of the entity's own keys that differs, from and to. Parents are left to the keys that hold their ids."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return {}
    return {
        name: {"from": before.get(name), "to": after.get(name)}
        for name in after | before
        if name != "updatedAt"
        and not (name in _PARENTS and isinstance(after.get(name, before.get(name)), dict))
        and _comparable(before.get(name)) != _comparable(after.get(name))
    }


def _comparable(value: Any) -> str:
    """Tells true from 1, which Python does not, and minds no order of keys."""
    return json.dumps(value, sort_keys=True)
