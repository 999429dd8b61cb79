"""When a value that a path found fits the value of a rule. Numbers, dates, and true or false may come as texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

MAX_CHARACTERS = 8_000  # of a text that are looked at, and of all texts of one path together
MAX_DIGITS = 20  # before and after the point of a number in a text
_NUMBER = re.compile(rf"-?[0-9]{{1,{MAX_DIGITS}}}(\.[0-9]{{1,{MAX_DIGITS}}})?([eE][+-]?[0-9]{{1,3}})?", re.ASCII)
_FLAGS = {"true": True, "false": False}

Number = int | float
Moment = date | datetime


@dataclass(frozen=True)
class Wanted:
    """The value of a rule, or the several of `in`, read in each way that it can be read."""

    values: tuple[Any, ...]

    @cached_property
    def texts(self) -> frozenset[str]:
        """As texts, in small letters."""
        return frozenset(text.casefold() for value in self.values if (text := text_of(value)) is not None)

    @cached_property
    def numbers(self) -> frozenset[Number]:
        """As numbers, those that can be."""
        return frozenset(number for value in self.values if (number := number_of(value)) is not None)

    @cached_property
    def flags(self) -> frozenset[bool]:
        """As true or false, those that can be."""
        return frozenset(flag for value in self.values if (flag := _flag_of(value)) is not None)

    @cached_property
    def moments(self) -> frozenset[Moment]:
        """As days or moments, those that can be."""
        return frozenset(moment for value in self.values if (moment := moment_of(value)) is not None)

    def equals(self, found: Any) -> bool:
        """Whether one of the values equals what was found, which decides how they are compared."""
        if isinstance(found, bool):
            return found in self.flags
        if isinstance(found, int | float):
            return found in self.numbers
        if not isinstance(found, str):
            return False
        return found[:MAX_CHARACTERS].casefold() in self.texts or self._has_moment(found)

    def is_less(self, found: Any) -> bool:
        """Whether what was found is less, or earlier."""
        return self._is_ordered(found, -1)

    def is_greater(self, found: Any) -> bool:
        """Whether what was found is greater, or later."""
        return self._is_ordered(found, 1)

    def _has_moment(self, found: str) -> bool:
        moment = moment_of(found) if self.moments else None
        return moment is not None and (_day(moment) in self.moments or _instant(moment) in self.moments)

    def _is_ordered(self, found: Any, sign: int) -> bool:
        if self.numbers:
            number = number_of(found)
            return number is not None and any((number > each) - (number < each) == sign for each in self.numbers)
        moment = moment_of(found)
        return moment is not None and any(_order(moment, each) == sign for each in self.moments)


def folded(values: Iterable[Any]) -> list[str]:
    """The texts among the values (numbers as they are written) in small letters, MAX_CHARACTERS of all together."""
    texts: list[str] = []
    left = MAX_CHARACTERS
    for value in values:
        if left <= 0:
            break
        text = text_of(value)
        if text is not None:
            texts.append(text[:left].casefold())
            left -= len(text)
    return texts


def text_of(value: Any) -> str | None:
    """A text, or a number, true or false as JSON writes it; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, bool | int | float):
        try:
            return json.dumps(value)
        except ValueError:  # an integer of more digits than Python writes
            return None
    return None


def number_of(value: Any) -> Number | None:
    """A number, also one in a text; None for anything else, and for what is no finite number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > 2 * MAX_DIGITS + 10 or not _NUMBER.fullmatch(value):
            return None
        value = int(value) if value.lstrip("-").isdigit() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def moment_of(value: Any) -> Moment | None:
    """A day or a moment in a text of ISO 8601, the moment in UTC; None for anything else."""
    if not isinstance(value, str) or not 10 <= len(value) <= 32 or value[4] != "-" or value[7] != "-":
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        if value[10] not in "T ":
            return None
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _flag_of(value: Any) -> bool | None:
    return value if isinstance(value, bool) else _FLAGS.get(value.lower()) if isinstance(value, str) else None


def _order(found: Moment, wanted: Moment) -> int:
    """-1, 0 or 1: earlier, the same, later. A wanted day stands for all of it, a found one for its first moment."""
    one, other = (_day(found), _day(wanted)) if not isinstance(wanted, datetime) else (_instant(found), wanted)
    return (one > other) - (one < other)


def _day(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _instant(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
