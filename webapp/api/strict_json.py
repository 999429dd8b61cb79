"""Reading JSON without loss: whatever cannot be kept exactly as it came is refused, with a sentence that says why.

Pure: bytes in, values out. Python's own reader is more generous than the format: it takes NaN, lets the last of two
equal names win, rounds numbers, and passes half characters on.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_DEPTH = 64  # levels of nesting
MAX_NAMES = 1000  # in one object
MAX_DIGITS = 1000  # of one number
MAX_SHOWN = 40  # characters of a value that a sentence quotes

_CONTAINERS = frozenset({dict, list})

TOO_DEEP = f"The values are nested too deeply: {MAX_DEPTH} levels are the most."


class NotStrict(ValueError):
    """The bytes are no JSON that can be kept exactly. Its text is a sentence that says what and where."""


def loads(data: bytes) -> Any:
    """The value of a JSON text in UTF-8; integers keep all their digits. Raises NotStrict."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotStrict(f"The body is not UTF-8: byte {error.start + 1} does not fit. Send JSON in UTF-8.") from None
    if not text.strip():
        raise NotStrict("The body is empty. Send a JSON object.")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise NotStrict(f"The body is not JSON: {error.msg.removesuffix(' at')} at {place}.") from None
    except RecursionError:
        raise NotStrict(TOO_DEEP) from None
    _require_bounded(value)
    if "\\ud" in text or "\\uD" in text:  # the only way that half a character comes in: UTF-8 has none
        _require_whole_characters(value)
    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members) > MAX_NAMES:
        raise NotStrict(f"An object has {len(members)} names; {MAX_NAMES} are the most.")
    value = dict(members)
    if len(value) < len(members):
        twice = Counter(name for name, _ in members).most_common(1)[0][0]
        raise NotStrict(f"An object has the name “{_shown(twice)}” twice. Send each name once.")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise NotStrict(f"The number {_shown(text)} has more than {MAX_DIGITS} digits. Send it as a text.")
    return int(text)


def _float(text: str) -> float:
    """The number, when a receiver can read it back: it is what a double prints as, with however many digits."""
    number = float(text)
    if math.isinf(number):
        raise NotStrict(f"The number {_shown(text)} is too large to be kept. Send it as a text.")
    if repr(number) != text and not _names(number, text):
        raise NotStrict(f"The number {_shown(text)} would lose digits: JSON readers keep about 16. Send it as a text.")
    return number


def _names(number: float, text: str) -> bool:
    """Whether the text is this number written with as many digits as the text has."""
    try:
        wanted = Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return False
    digits = len(wanted.as_tuple().digits)
    if digits > MAX_DIGITS:
        return False
    return Decimal(repr(number)) == wanted or Decimal(f"{number:.{digits - 1}e}") == wanted


def _no_number(word: str) -> NoReturn:
    raise NotStrict(f"JSON has no number {word}. Send null, or a text.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_no_number, strict=True
)


def _require_bounded(value: Any) -> None:
    """Look at every level. A loop, so that no depth can exhaust the stack."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            part
            for item in level
            for part in (item.values() if type(item) is dict else item)
            if type(part) in _CONTAINERS
        ]
    if level:
        raise NotStrict(TOO_DEEP)


def _require_whole_characters(value: Any) -> None:
    """Look at every text, also at names."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(text[error.start]):04x}"
        raise NotStrict(f"A text holds {half}, which is only half of a character. Send both halves, or none.") from None


def _shown(text: str) -> str:
    short = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return short.encode(errors="backslashreplace").decode()
