"""What a test of a webhook sends: the catalogue's example of a type, or values that a person has typed as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

from webapp.delivery import payloads
from webapp.delivery.event_types import Kind, event_types, sample_values
from webapp.models import Invalid
from webapp.webhooks.pings import Values

ENTER_OBJECT = "Enter a JSON object, in braces."
NOT_JSON = "This is not valid JSON (line %(line)s)."
TOO_MUCH = "A number or the nesting in this JSON is too large."


@dataclass(frozen=True)
class Draft:
    """The two values as people read and type them. None where events of this type have no such value to edit."""

    previous: str | None
    current: str | None


def example(code: str) -> Draft:
    """The example of a type, over several lines. Raises KeyError for a type that is not in the catalogue."""
    kind = event_types(None)[code].kind
    previous, current = sample_values(code)
    return Draft(
        previous=None if previous is None else _indented(previous),
        current=None if current is None or kind is Kind.DELETED else _indented(current),
    )


def typed(code: str, draft: Draft) -> Values:
    """The values that were typed for a type, as they are sent.

    Raises Invalid at `previous_value` and `current_value`, with the line where the JSON ends to be any.
    """
    kind = event_types(None)[code].kind
    errors: list[Invalid] = []
    previous = None if kind is Kind.CREATED else _written("previous_value", draft.previous or "", errors)
    current = b"null" if kind is Kind.DELETED else _written("current_value", draft.current or "", errors)
    if errors:
        raise Invalid.many(errors)
    return Values(previous, current)


def json_object(field: str, text: str) -> dict[str, Any]:
    """The object in a text that somebody typed. Raises Invalid at `field`, and NotJson for a word like NaN."""
    if not text.strip():
        raise Invalid(field, ENTER_OBJECT)
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Invalid(field, NOT_JSON, line=error.lineno) from None
    except payloads.NotJson:
        raise
    except (ValueError, RecursionError):
        raise Invalid(field, TOO_MUCH) from None
    if not isinstance(value, dict):
        raise Invalid(field, ENTER_OBJECT)
    return value


def _written(field: str, text: str, errors: list[Invalid]) -> bytes | None:
    """The JSON of a field, written as everything that is sent; what is wrong with it goes to the errors."""
    try:
        return payloads.to_json(json_object(field, text))
    except payloads.NotJson as error:
        errors.append(Invalid(field, "%(reason)s", reason=str(error)))
    except Invalid as error:
        errors.append(error)
    return None


def _no_number(word: str) -> NoReturn:
    raise payloads.NotJson(f"JSON has no number for {word}.")


def _indented(value: bytes) -> str:
    return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
