"""The rules for what a custom field is: its name, its limits, its currency, the options that people choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babel.numbers import is_currency

from webapp.models import FieldKind, Invalid
from webapp.models.texts import NAME_LENGTH, checked, one_line, paragraphs
from webapp.workspace import tags

DESCRIPTION_LENGTH = 1000
OPTION_LENGTH = 100
MAX_OPTIONS = 50  # of one field
MAX_STARS, STARS = 10, 5  # of a rating: the most, and what there are unless told
LARGEST = 1e15  # beyond it whole numbers are no longer told apart
LIMITED = frozenset([FieldKind.NUMBER, FieldKind.CURRENCY])

_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?")


@dataclass(frozen=True)
class Choice:
    """An option as it was typed. `id` names one that is there already; without a colour it gets the default one."""

    title: str
    color: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Definition:
    """A custom field as it was typed. Numbers may be texts; what its kind does not have is left out."""

    name: str
    description: str | None = None
    min: float | str | None = None
    max: float | str | None = None
    currency: str | None = None
    options: Sequence[Choice] = ()


def kind(value: str) -> FieldKind:
    """The kind by Blue's word. Raises Invalid at `kind`."""
    try:
        return FieldKind(value)
    except ValueError:
        kinds = ", ".join(each.value for each in FieldKind)
        raise Invalid("kind", "Choose one of %(kinds)s.", kinds=kinds) from None


def read(of_kind: FieldKind, typed: Definition) -> dict[str, Any]:
    """The values of a field by column, `options` as Choices. Raises Invalid with each wrong field."""
    values = checked(
        name=lambda: one_line("name", typed.name, longest=NAME_LENGTH, empty="Enter a name."),
        description=lambda: paragraphs("description", typed.description, longest=DESCRIPTION_LENGTH) or None,
        min=lambda: _minimum(of_kind, typed.min),
        max=lambda: _maximum(of_kind, typed.max),
        currency=lambda: _currency_of(of_kind, typed.currency),
        options=lambda: _options(of_kind, typed.options),
    )
    if values["min"] is not None and values["max"] is not None and values["max"] < values["min"]:
        raise Invalid("max", "The largest value is smaller than the smallest one.")
    return values


def number(field: str, value: object) -> float:
    """A number of a size that is kept exactly, also one that was typed, with a point. Raises Invalid at `field`."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(field, "Enter a number, such as 12 or 12.5.")
    if not abs(value) <= LARGEST:  # nor is it nan
        raise Invalid(field, "This number is too large.")
    return float(value)


def currency(field: str, value: str) -> str:
    """A currency by its code of three letters. Raises Invalid at `field`."""
    code = value.strip().upper()
    if not is_currency(code):
        raise Invalid(field, "Enter a currency code such as EUR.")
    return code


def _minimum(of_kind: FieldKind, value: float | str | None) -> float | None:
    if _is_empty(value):
        return None
    if of_kind not in LIMITED:
        raise Invalid("min", "Only numbers and amounts of money have a smallest value.")
    return number("min", value)


def _maximum(of_kind: FieldKind, value: float | str | None) -> float | None:
    if of_kind is FieldKind.RATING:
        stars = number("max", STARS if _is_empty(value) else value)
        if not (stars.is_integer() and 1 <= stars <= MAX_STARS):
            raise Invalid("max", "Choose 1 to %(most)s stars.", most=MAX_STARS)
        return stars
    if _is_empty(value):
        return None
    if of_kind not in LIMITED:
        raise Invalid("max", "Only numbers, amounts of money and ratings have a largest value.")
    return number("max", value)


def _is_empty(value: object) -> bool:
    return value is None or value == ""


def _currency_of(of_kind: FieldKind, value: str | None) -> str | None:
    if not (value or "").strip():
        return None
    if of_kind is not FieldKind.CURRENCY:
        raise Invalid("currency", "Only amounts of money have a currency.")
    return currency("currency", value or "")


def _options(of_kind: FieldKind, options: Sequence[Choice]) -> list[Choice]:
    if options and not of_kind.has_options:
        raise Invalid("options", "Only fields that people choose in have options.")
    if len(options) > MAX_OPTIONS:
        raise Invalid("options", "A field has at most %(most)s options.", most=MAX_OPTIONS)
    read_options = [_option(index, option) for index, option in enumerate(options)]
    titles = [option.title.casefold() for option in read_options]
    for index, title in enumerate(titles):
        if title in titles[:index]:
            raise Invalid(f"options.{index}.title", "This option is there already.")
    return read_options


def _option(index: int, option: Choice) -> Choice:
    place = f"options.{index}"
    title = one_line(f"{place}.title", option.title, longest=OPTION_LENGTH, empty="Enter a title.")
    return Choice(title, tags.color(f"{place}.color", option.color), option.id)
