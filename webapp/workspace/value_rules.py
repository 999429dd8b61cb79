"""What each kind of custom field takes as a value on a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from webapp.delivery.payloads.json_bytes import number_text
from webapp.models import CustomField, FieldKind, Invalid
from webapp.models.account import EMAIL_LENGTH
from webapp.models.texts import one_line
from webapp.workspace import field_rules

TEXT_LENGTH = 1000
URL_LENGTH = 2000

Given = str | float | bool | Sequence[str] | Mapping[str, Any] | None
Columns = dict[str, Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def read(field: CustomField, given: Given) -> Columns | None:
    """The columns of this value, None for no value. Raises Invalid at `value`.

    A text, a URL and an e-mail address are texts; numbers and ratings may be; a date is `2026-05-04`; one option is its
    id, several a list of ids; money is a number in the field's currency, or `{"amount", "currency"}`.
    """
    if isinstance(given, str):
        given = given.strip()
    if given is None or (not given and not isinstance(given, bool | int | float)):
        return None
    return _READERS[field.kind](field, given)


def _text(_: CustomField, given: Given) -> Columns | None:
    text = one_line("value", _as_text(given), longest=TEXT_LENGTH)
    return {"text": text} if text else None


def _url(_: CustomField, given: Given) -> Columns | None:
    text = one_line("value", _as_text(given), longest=URL_LENGTH)
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text
    except ValueError:
        is_address = False
    if text and not is_address:
        raise Invalid("value", "Enter an address that begins with https:// or http://.")
    return {"text": text} if text else None


def _email(_: CustomField, given: Given) -> Columns | None:
    text = one_line("value", _as_text(given), longest=EMAIL_LENGTH)
    if text and not _EMAIL.fullmatch(text):
        raise Invalid("value", "Enter an e-mail address.")
    return {"text": text} if text else None


def _number(field: CustomField, given: Given) -> Columns:
    return {"number": _within(field, field_rules.number("value", given))}


def _rating(field: CustomField, given: Given) -> Columns:
    stars, most = field_rules.number("value", given), int(field.max or field_rules.STARS)
    if not (stars.is_integer() and 0 <= stars <= most):
        raise Invalid("value", "Choose 0 to %(most)s stars.", most=most)
    return {"number": stars}


def _checkbox(_: CustomField, given: Given) -> Columns:
    if not isinstance(given, bool):
        raise Invalid("value", "Choose yes or no.")
    return {"checked": given}


def _date(_: CustomField, given: Given) -> Columns:
    try:
        day = datetime.combine(date.fromisoformat(_as_text(given)), time(), UTC)
    except ValueError:
        raise Invalid("value", "Enter a date such as 2026-05-04.") from None
    return {"start_date": day, "end_date": day}


def _one(field: CustomField, given: Given) -> Columns:
    if given not in [option.id for option in field.options]:
        raise Invalid("value", "Choose an option of this field.")
    return {"option_id": given}


def _several(field: CustomField, given: Given) -> Columns:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise Invalid("value", "Choose options of this field.")
    for option_id in given:
        _one(field, option_id)
    return {"chosen": list(dict.fromkeys(given))}


def _currency(field: CustomField, given: Given) -> Columns | None:
    money = given if isinstance(given, Mapping) else {"amount": given}
    amount, code = money.get("amount"), money.get("currency") or field.currency
    if amount is None or amount == "":
        return None
    number = _within(field, field_rules.number("value", amount))
    if not isinstance(code, str):
        raise Invalid("value", "Say which currency, such as EUR.")
    return {"number": number, "currency": field_rules.currency("value", code)}


def _within(field: CustomField, number: float) -> float:
    if field.min is not None and number < field.min:
        raise Invalid("value", "Enter a number from %(least)s upwards.", least=number_text(field.min))
    if field.max is not None and number > field.max:
        raise Invalid("value", "Enter a number up to %(most)s.", most=number_text(field.max))
    return number


def _as_text(given: Given) -> str:
    if not isinstance(given, str):
        raise Invalid("value", "Enter a text.")
    return given


_READERS: dict[FieldKind, Callable[[CustomField, Any], Columns | None]] = {
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.CHECKBOX: _checkbox,
    FieldKind.SELECT_SINGLE: _one,
    FieldKind.SELECT_MULTI: _several,
    FieldKind.DATE: _date,
    FieldKind.URL: _url,
    FieldKind.EMAIL: _email,
    FieldKind.CURRENCY: _currency,
    FieldKind.RATING: _rating,
}
