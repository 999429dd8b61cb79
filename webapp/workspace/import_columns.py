"""What each column of a file holds: guessed by its name, in English and German, and chosen by people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from webapp.models import CustomField, FieldKind, Invalid
from webapp.workspace import import_cells
from webapp.workspace.csv_files import Table
from webapp.workspace.import_cells import DATE_ORDERS, DECIMAL_MARKS, DateOrder, DecimalMark

LEFT_OUT = ""
TARGETS = ("title", "description", "started_at", "dued_at", "tags", "assignees", "done")
FIELD = "field:"  # and the id of a custom field

CHOOSE_TITLE = "Choose which column is the title."
TWICE = "Two columns cannot be the same. Leave one of them out."
UNKNOWN = "Choose what each column is."

_NAMES = {
    "title": "title titel name task aufgabe subject betreff record eintrag",
    "description": "description beschreibung notes notizen text details body inhalt",
    "started_at": "start startdate started startdatum beginn begin anfang startedat",
    "dued_at": "due duedate fällig fälligkeit fälligam fälligkeitsdatum deadline frist ende enddate dueat duedat",
    "tags": "tags tag labels label schlagwörter schlagwort schlagworte stichwörter etiketten",
    "assignees": "assignees assignee assignedto zuständig zuständige zugewiesen zugewiesenan verantwortlich owner",
    "done": "done erledigt completed complete finished fertig abgeschlossen",
}
_TARGET_OF = {name: target for target, names in _NAMES.items() for name in names.split()}
_NUMBERS = {FieldKind.NUMBER, FieldKind.CURRENCY, FieldKind.RATING}


@dataclass(frozen=True)
class Choices:
    """How a file is understood: a target for each column, and how its dates and numbers are written."""

    columns: tuple[str, ...]
    date_order: DateOrder = ""
    decimal_mark: DecimalMark = "."
    zone: str = "UTC"  # that dates are meant in

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Choices:
        """From the JSON value that is kept with an import."""
        return cls(tuple(kept["columns"]), kept["dateOrder"], kept["decimalMark"], kept["timezone"])

    def kept(self) -> dict[str, Any]:
        """The JSON value that is kept with an import."""
        written = {"dateOrder": self.date_order, "decimalMark": self.decimal_mark, "timezone": self.zone}
        return {"columns": list(self.columns), **written}

    def places(self) -> dict[str, int]:
        """Where each target stands."""
        return {target: place for place, target in enumerate(self.columns) if target}


def guess(table: Table, fields: Iterable[CustomField], zone: str) -> Choices:
    """How a file is understood until somebody says otherwise. A column that is a second one of its kind is left out."""
    targets = {field.name.casefold(): FIELD + field.id for field in fields}
    columns: list[str] = []
    for name in table.head:
        target = targets.get(name.casefold()) or _TARGET_OF.get(_key(name), LEFT_OUT)
        columns.append(LEFT_OUT if target in columns else target)
    choices = Choices(tuple(columns), decimal_mark="," if table.delimiter == ";" else ".", zone=zone)
    return replace(choices, date_order=import_cells.order_of(dates(table, choices, fields)))


def changed(
    former: Choices, columns: Sequence[str], date_order: str, decimal_mark: str, fields: Iterable[CustomField]
) -> Choices:
    """Other choices for the same file, if they make sense. Raises Invalid at `columns`."""
    known = {LEFT_OUT, *TARGETS, *(FIELD + field.id for field in fields)}
    chosen = [target for target in columns if target]
    if len(columns) != len(former.columns) or not set(chosen) <= known:
        raise Invalid("columns", UNKNOWN)
    if len(set(chosen)) < len(chosen):
        raise Invalid("columns", TWICE)
    if date_order not in DATE_ORDERS or decimal_mark not in DECIMAL_MARKS:
        raise Invalid("columns", UNKNOWN)
    return replace(former, columns=tuple(columns), date_order=date_order, decimal_mark=decimal_mark)


def dates(table: Table, choices: Choices, fields: Iterable[CustomField]) -> list[str]:
    """The cells that hold dates."""
    targets = {"started_at", "dued_at", *(FIELD + field.id for field in fields if field.kind is FieldKind.DATE)}
    places = [place for target, place in choices.places().items() if target in targets]
    return [line.cells[place] for line in table.lines for place in places]


def has_numbers(choices: Choices, fields: Iterable[CustomField]) -> bool:
    """Whether one of the chosen columns holds numbers, so that it matters how they are written."""
    return any(FIELD + field.id in choices.columns for field in fields if field.kind in _NUMBERS)


def _key(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalpha())
