"""What stands in a cell, as the rules of the actions read it: dates, numbers and words as people type them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from webapp.models import CustomField, CustomFieldOption, FieldKind, Invalid
from webapp.workspace.value_rules import Given

DateOrder = Literal["", "day", "month"]  # what comes first in 03/04/2026; "" = nobody has said so yet
DecimalMark = Literal[".", ","]
DATE_ORDERS: tuple[DateOrder, ...] = ("", "day", "month")
DECIMAL_MARKS: tuple[DecimalMark, ...] = (".", ",")
YES = frozenset(["1", "yes", "y", "true", "x", "✓", "done", "ja", "j", "wahr", "erledigt"])
NO = frozenset(["", "0", "no", "n", "false", "-", "open", "nein", "falsch", "offen"])
SYMBOLS = {"€": "EUR", "$": "USD", "£": "GBP"}

SAY_ORDER = "Say above which comes first, the day or the month."
NO_OPTION = "There is no option “%(title)s”."
YES_OR_NO = "Write yes or no."

_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:,?[ T](\d{1,2}:\d{2}(?::\d{2})?))?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?[ T](\d{1,2}:\d{2}(?::\d{2})?))?")
_PARTS = re.compile(r"[,;|\n]")
_GROUPED = {".": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"), ",": re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")}
_PLAIN_COMMA = re.compile(r"[+-]?\d+,\d+")
_MONEY = re.compile(r"([A-Z]{3}|[€$£])?(.*?)([A-Z]{3}|[€$£])?", re.DOTALL)


def day(field: str, cell: str, order: DateOrder) -> str:
    """A date, with a time or without, as 2026-05-04 or 2026-05-04T14:30. What it is not goes on as it is.

    Raises Invalid at `field` when nobody said what comes first, and the date may be read in two ways.
    """
    text = " ".join(cell.split())
    if found := _DOTTED.fullmatch(text):
        return _iso(text, found[3], found[2], found[1], found[4])
    if found := _SLASHED.fullmatch(text):
        if not order and found[1] != found[2]:
            raise Invalid(field, SAY_ORDER)
        month, day_ = (found[1], found[2]) if order == "month" else (found[2], found[1])
        return _iso(text, found[3], month, day_, found[4])
    return text


def order_of(cells: Sequence[str]) -> DateOrder:
    """What comes first in these dates, as far as they say it themselves: no month has a number above 12."""
    found = [match for cell in cells if (match := _SLASHED.fullmatch(" ".join(cell.split())))]
    is_day_first = any(int(match[1]) > 12 for match in found)
    is_month_first = any(int(match[2]) > 12 for match in found)
    return "" if is_day_first == is_month_first else "day" if is_day_first else "month"


def has_slashes(cells: Sequence[str]) -> bool:
    """Whether one of these is a date that the order decides about."""
    return any(_SLASHED.fullmatch(" ".join(cell.split())) for cell in cells)


def number(cell: str, mark: DecimalMark) -> str:
    """A number with a point and without marks between thousands. What is none goes on as it is."""
    text = re.sub(r"[\s'’]", "", cell)
    if _GROUPED[mark].fullmatch(text):
        text = text.replace("," if mark == "." else ".", "")
    if mark == "," and _PLAIN_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return text


def yes_or_no(field: str, cell: str) -> bool:
    """Whether that word, in English or German, means yes. Raises Invalid at `field`."""
    word = cell.strip().casefold()
    if word not in YES | NO:
        raise Invalid(field, YES_OR_NO)
    return word in YES


def several(cell: str, known: Collection[str] = ()) -> list[str]:
    """The things that stand in one cell, with commas, semicolons or line breaks between them.

    A cell that is `known` as a whole, in small letters, is one thing.
    """
    if cell.strip().casefold() in known:
        return [cell.strip()]
    return [part.strip() for part in _PARTS.split(cell) if part.strip()]


def value(field: CustomField, cell: str, *, order: DateOrder, mark: DecimalMark) -> Given:
    """The value of a custom field, as value_rules.read() takes it; nothing is None. Raises Invalid at `value`."""
    text = cell.strip()
    if not text:
        return None
    if field.kind in {FieldKind.SELECT_SINGLE, FieldKind.SELECT_MULTI}:
        return _options(field, text)
    if field.kind is FieldKind.CHECKBOX:
        return yes_or_no("value", text)
    if field.kind is FieldKind.DATE:
        return day("value", text, order)
    if field.kind is FieldKind.CURRENCY:
        return _money(text, mark)
    return number(text, mark) if field.kind in {FieldKind.NUMBER, FieldKind.RATING} else text


def _iso(text: str, year: str, month: str, day_: str, clock: str | None) -> str:
    """Such a date in the order of the norm; one that no calendar has goes on as it was typed."""
    try:
        iso = date(int(year), int(month), int(day_)).isoformat()
    except ValueError:
        return text
    return f"{iso}T{clock.zfill(5) if len(clock) < 6 else clock.zfill(8)}" if clock else iso


def _money(text: str, mark: DecimalMark) -> Mapping[str, Any]:
    before, amount, after = (part or "" for part in _match(text))
    code = before or after
    return {"amount": number(amount, mark) or text, "currency": SYMBOLS.get(code, code) or None}


def _match(text: str) -> tuple[str | None, ...]:
    found = _MONEY.fullmatch(text)
    return found.groups() if found else (None, text, None)


def _options(field: CustomField, text: str) -> Given:
    options = {option.title.casefold(): option for option in field.options}
    titles = several(text, options) if field.kind is FieldKind.SELECT_MULTI else [text]
    ids = [_option(options, title).id for title in titles]
    return ids if field.kind is FieldKind.SELECT_MULTI else ids[0]


def _option(options: Mapping[str, CustomFieldOption], title: str) -> CustomFieldOption:
    found = options.get(" ".join(title.split()).casefold())
    if found is None:
        raise Invalid("value", NO_OPTION, title=title[:100])
    return found
