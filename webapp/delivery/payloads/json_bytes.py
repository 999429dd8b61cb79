"""The one way to write JSON here: compact, UTF-8, and byte for byte what JavaScript's JSON.stringify writes.

Many receivers parse a body, write it again and check the signature over that. It only fits when both sides write alike
(reference: blue.md 3.6), and Python's own writer differs in numbers: 131070.0, 1e-05, 1e+16.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

MAX_DEPTH = 200  # levels of nesting
PLAIN_DEPTH = 64  # below that the writer in C goes as deep as it must
FIRST_WITH_EXPONENT = 1e21  # JavaScript writes smaller whole numbers digit by digit
SMALLEST_WITHOUT_EXPONENT = -6  # and 0.000001, but 1e-7

_text = json.JSONEncoder(ensure_ascii=False).encode
_plain = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode
_ALIKE = frozenset({str, int, bool, type(None)})  # what Python's writer in C and JavaScript write alike


class NotJson(ValueError):
    """A value has no place in JSON. Its text is a sentence that says which and why."""


def to_json(value: object) -> bytes:
    """A value of None, bool, int, float, str, list, tuple and dict as compact JSON in UTF-8, keys in their order.

    Whole floats are written as integers; integers keep all their digits. Raises NotJson for a float that is no number,
    half a surrogate pair, and nesting below MAX_DEPTH; TypeError for any other kind of value or key.
    """
    if _is_plain(value, PLAIN_DEPTH):  # faster, and nearly always so
        text = _plain(value)
    else:
        parts: list[str] = []
        _write(value, parts.append, 0)
        text = "".join(parts)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise NotJson(f"A text holds {half}, which is only half of a character.") from None


def number_text(value: float) -> str:
    """A number as JavaScript writes it: the fewest digits that read back as the same number. Raises NotJson."""
    if not math.isfinite(value):
        raise NotJson(f"JSON has no number for {value}.")
    text = repr(value)
    if value.is_integer() and abs(value) < FIRST_WITH_EXPONENT:
        return str(int(Decimal(text)))
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text
    if SMALLEST_WITHOUT_EXPONENT <= int(exponent) < 0:
        return f"{Decimal(text):f}"
    return f"{digits}e{int(exponent):+d}"


def instant(moment: datetime) -> str:
    """A moment as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, in UTC, cut to milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant_or_none(moment: datetime | None) -> str | None:
    """The same of a moment that there may not be."""
    return None if moment is None else instant(moment)


def _is_plain(value: Any, levels: int) -> bool:
    """Whether Python's own writer, which is in C, writes exactly what the one below writes. When in doubt, no."""
    parts: Iterable[Any]
    if type(value) is dict:
        for name in value:
            if type(name) is not str:
                return False
        parts = value.values()
    elif type(value) is list:
        parts = value
    else:
        return type(value) in _ALIKE or (type(value) is float and _is_alike(value))
    if levels == 0:
        return False
    for part in parts:  # noqa: SIM110 - a loop is faster here than all()
        if type(part) not in _ALIKE and not _is_plain(part, levels - 1):
            return False
    return True


def _is_alike(number: float) -> bool:
    """Whether Python writes this number as JavaScript does: no whole one, and none with an exponent."""
    return math.isfinite(number) and not number.is_integer() and "e" not in float.__repr__(number)


def _write(value: object, write: Callable[[str], None], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotJson(f"Values can be nested {MAX_DEPTH} levels deep at most.")
    if isinstance(value, dict):
        write("{")
        _write_members(value.items(), write, depth + 1)
        write("}")
    elif isinstance(value, list | tuple):
        write("[")
        for index, item in enumerate(value):
            if index:
                write(",")
            _write(item, write, depth + 1)
        write("]")
    else:
        write(_scalar(value))


def _write_members(members: Iterable[tuple[object, object]], write: Callable[[str], None], depth: int) -> None:
    for index, (name, item) in enumerate(members):
        if not isinstance(name, str):
            raise TypeError(f"a key of {type(name).__name__} in JSON")
        write(f",{_text(name)}:" if index else f"{_text(name)}:")
        _write(item, write, depth)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return number_text(value)
    raise TypeError(f"{type(value).__name__} in JSON")
