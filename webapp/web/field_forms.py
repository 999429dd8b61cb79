"""The form of a custom field: each kind has its own controls, options come as rows and as lines for further ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Self, cast

from flask import request
from wtforms import StringField, TextAreaField

from webapp.models import CustomField, FieldKind
from webapp.web.colors import COLORS
from webapp.web.forms import Form, Required, RowsField
from webapp.web.forms import lazy_text as _l
from webapp.workspace.custom_fields import FieldChanges
from webapp.workspace.field_rules import LIMITED, Choice, Definition

KINDS = {
    FieldKind.TEXT: _l("Text"),
    FieldKind.NUMBER: _l("Number"),
    FieldKind.CHECKBOX: _l("Checkbox"),
    FieldKind.SELECT_SINGLE: _l("One option"),
    FieldKind.SELECT_MULTI: _l("Several options"),
    FieldKind.DATE: _l("Date"),
    FieldKind.URL: _l("Web address"),
    FieldKind.EMAIL: _l("E-mail"),
    FieldKind.CURRENCY: _l("Amount of money"),
    FieldKind.RATING: _l("Rating"),
}
OPTION_PARTS = ("option_id", "option_title", "option_color")


@dataclass(frozen=True)
class OptionRow:
    """An option as it stands in the form; one whose title is emptied goes."""

    id: str
    title: str
    color: str


class OptionsField(RowsField):
    """The options that are there, in their order."""

    def process(self, formdata: Any, data: Any = (), extra_filters: Any = None) -> None:
        """The rows that were sent, else those of `data`."""
        super().process(None, data, extra_filters)
        self.data = [OptionRow(option.id, option.title, option.color) for option in data or ()]
        if formdata is not None:
            columns = [formdata.getlist(part) for part in OPTION_PARTS]
            self.data = [OptionRow(*row) for row in zip_longest(*columns, fillvalue="")]


class FieldForm(Form):
    """All controls; `of_kind` leaves those that the kind does not have."""

    name = StringField(_l("Name"), [Required()])
    description = TextAreaField(_l("Description"))
    min = StringField(_l("Smallest value"))
    max = StringField(_l("Largest value"))
    currency = StringField(_l("Currency"))
    options = OptionsField(_l("Options"))
    further = TextAreaField(_l("Further options"))
    kind: FieldKind

    @classmethod
    def of_kind(cls, kind: FieldKind, **values: Any) -> Self:
        """The form for a field of this kind, with what this request sent, if it sent one."""
        form = cls(formdata=request.form if request.method == "POST" else None, **values)
        form.kind = kind
        return form._without_what_it_lacks()

    @classmethod
    def of(cls, field: CustomField) -> Self:
        """The form for a field as it is."""
        shown = {"min": _number(field.min), "max": _number(field.max), "options": field.options}
        return cls.of_kind(
            field.kind, name=field.name, description=field.description or "", currency=field.currency or "", **shown
        )

    @property
    def changes(self) -> FieldChanges:
        """What the form asks for."""
        changes: dict[str, Any] = {"name": self.name.data or ""}
        for name in ("description", "min", "max", "currency"):
            if name in self._fields:
                changes[name] = self._fields[name].data or None
        if self.kind.has_options:
            changes["options"] = self._choices
        return cast(FieldChanges, changes)

    @property
    def definition(self) -> Definition:
        """A new field as it was typed."""
        return Definition(**self.changes)

    @property
    def fields(self) -> dict[str, str]:
        """Where the errors of options stand that were typed as lines: there is no row for them yet."""
        rows = len([row for row in self.options.data if row.title.strip()]) if "options" in self._fields else 0
        places = range(rows, rows + len(self._lines))
        return {f"options.{place}.{part}": "further" for place in places for part in ("title", "color")}

    @property
    def _choices(self) -> list[Choice]:
        rows = [Choice(row.title, row.color or None, row.id or None) for row in self.options.data if row.title.strip()]
        colors = list(COLORS)
        lines = [Choice(line, colors[(len(rows) + number) % len(colors)]) for number, line in enumerate(self._lines)]
        return rows + lines

    @property
    def _lines(self) -> list[str]:
        if "further" not in self._fields:
            return []
        return [line.strip() for line in (self.further.data or "").splitlines() if line.strip()]

    def _without_what_it_lacks(self) -> Self:
        has = {
            "min": self.kind in LIMITED,
            "max": self.kind in LIMITED or self.kind is FieldKind.RATING,
            "currency": self.kind is FieldKind.CURRENCY,
            "options": self.kind.has_options,
            "further": self.kind.has_options,
        }
        for name in [name for name, is_there in has.items() if not is_there]:
            del self[name]
        return self


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"
