"""What lies in the queue: JSON with the name of a task and its arguments, and nothing that could run code.

Plain huey items are pickles, so whoever can write to the queue could run code in the worker. Here an item is
`{"v":1,"id":"…","task":"webapp.tasks.deliver_due","args":[],"kwargs":{}}`. What a law keeps out of the queue (a time,
a chain, a retry) has no place in that format and is refused when it is written.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import json
from typing import Any, NoReturn

from huey.registry import Message
from huey.serializer import Serializer

VERSION = 1
MAX_ITEM_BYTES = 65_536
MAX_NAME_CHARS = 200

_TASK_KEYS = {"v", "id", "task", "args", "kwargs"}
_VALUE_KEYS = {"v", "value"}
# Due times and retries are rows: huey takes what is due out of its schedule before it enqueues it, and a kill loses it.
_NOT_CARRIED = ("eta", "retries", "on_complete", "on_error", "expires", "expires_resolved", "timeout", "chord_config")


class UnreadableItemError(ValueError):
    """What was read from the queue is not an item of ours; the text says why and never repeats it."""


class JsonSerializer(Serializer):
    """Writes and reads huey's tasks, and the few values of its own that huey keeps (locks), as JSON.

    `serialize` raises TypeError for arguments that are not JSON values and ValueError for what an item does not carry;
    `deserialize` raises UnreadableItemError for everything that `serialize` did not write.
    """

    def __init__(self) -> None:
        super().__init__(compression=False)

    def serialize(self, data: Any) -> bytes:
        """The item or value as UTF-8 JSON."""
        content = _task_content(data) if isinstance(data, Message) else {"value": data}
        written = json.dumps({"v": VERSION, **content}, separators=(",", ":"), allow_nan=False).encode()
        if len(written) > MAX_ITEM_BYTES:
            raise ValueError(f"an item of the queue may have {MAX_ITEM_BYTES} bytes, this one has {len(written)}")
        return written

    def deserialize(self, data: Any) -> Any:
        """The item as huey knows it, or the value."""
        content = _read(data)
        if content.keys() == _VALUE_KEYS:
            return content["value"]
        if content.keys() != _TASK_KEYS:
            raise UnreadableItemError("its keys are not those of an item")
        _check_types(content)
        fields = {"id": content["id"], "name": content["task"], "args": tuple(content["args"])}
        return Message(**fields, kwargs=content["kwargs"])


def _task_content(item: Any) -> dict[str, Any]:
    for field in _NOT_CARRIED:
        if getattr(item, field):
            raise ValueError(f"the queue carries no {field!r}: what must happen later is a row")
    args, kwargs = list(item.args), dict(item.kwargs)
    _check_json(args)
    _check_json(kwargs)
    return {"id": item.id, "task": item.name, "args": args, "kwargs": kwargs}


def _check_json(value: object) -> None:
    """Raise TypeError for what JSON would refuse or silently change (a tuple, a key that is no text)."""
    if isinstance(value, list):
        for element in value:
            _check_json(element)
    elif isinstance(value, dict):
        for key, element in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key of an argument is {type(key).__name__}, not text")
            _check_json(element)
    elif value is not None and not isinstance(value, (str, int, float)):
        raise TypeError(f"an argument is {type(value).__name__}, not a JSON value")


def _read(data: object) -> dict[str, Any]:
    if not isinstance(data, bytes):
        raise UnreadableItemError(f"it is {type(data).__name__}, not bytes")
    if len(data) > MAX_ITEM_BYTES:
        raise UnreadableItemError(f"it is longer than {MAX_ITEM_BYTES} bytes")
    try:
        content = json.loads(data.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableItemError(f"it is not JSON ({type(error).__name__})") from error
    if not isinstance(content, dict) or type(content.get("v")) is not int or content["v"] != VERSION:
        raise UnreadableItemError(f"it is not of version {VERSION}")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_types(content: dict[str, Any]) -> None:
    for key in ("id", "task"):
        if not isinstance(content[key], str) or not 0 < len(content[key]) <= MAX_NAME_CHARS:
            raise UnreadableItemError(f"its {key!r} is not a short text")
    if not isinstance(content["args"], list) or not isinstance(content["kwargs"], dict):
        raise UnreadableItemError("its arguments are not a list and an object")
