"""Forms parse; the rules live in the actions. Here the two meet: an action's named errors come back at the fields."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

from webapp.models import Invalid, Project
from webapp.web.errors import said

Value = TypeVar("Value")

NO_PLACES = {"Factory", "localtime"}  # what a machine was told, or not told

# WTForms takes texts that are translated when they are shown; its type stubs do not know that. Import it as `_l`.
lazy_text: Callable[[str], Any] = lazy_gettext


def choice(value: str, label: Any, group: str | None = None) -> Any:
    """One choice of a select field or of radio buttons, under the heading `group` if there is one."""
    return SelectChoice(value, label, optgroup=group)


def project_choices(projects: Sequence[Project], for_all: str) -> list[Any]:
    """All of them as the first choice, then each; under the names of their companies where there are several."""
    has_companies = len({each.company_id for each in projects}) > 1
    groups = [each.company.name if has_companies else None for each in projects]
    each_one = [choice(each.id, each.name, group) for each, group in zip(projects, groups, strict=True)]
    return [choice("", for_all), *each_one]


def time_zones() -> list[Any]:
    """The time zones to choose from: places, and UTC."""
    return list(_time_zones())


@functools.cache
def _time_zones() -> tuple[Any, ...]:
    """Read once: the names are files on disk, and looking through them takes longer than showing them."""
    names = zoneinfo.available_timezones() - NO_PLACES
    return tuple(choice(name, name) for name in sorted(names) if not name.startswith("Etc/"))


class Form(FlaskForm):
    """The base of all forms. CSRF is checked for every request, before any view; templates send it with csrf()."""

    class Meta:
        """No CSRF field of its own: it would be the second one."""

        csrf = False

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)  # type: ignore[no-untyped-call]


class RowsField(Field):
    """A field of several rows. `errors_at` says at which place (`2.name`, or "" for all of it) each error belongs."""

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, **options)
        self.errors_at: dict[str, str] = {}


class Required:
    """Marks a field for the page: a star, and the browser asks for it. What is right the action decides."""

    field_flags = {"required": True}  # noqa: RUF012 - WTForms reads it so

    def __call__(self, form: Any, field: Any) -> None:
        """Accept whatever was sent."""


@dataclass(frozen=True)
class Accepted(Generic[Value]):
    """What the action returned. Always true, whatever that is."""

    value: Value


def run(form: FlaskForm, act: Callable[[], Value], *, fields: dict[str, str] | None = None) -> Accepted[Value] | None:
    """Run the action when the form could be parsed. None = something is wrong, and the form says it at its fields.

    Answer None with the same page and status 422; the values are still in the form. `fields` names the form's field
    where the action calls it otherwise; an error of a field that the form does not have stands above the form.
    """
    if not form.validate_on_submit():
        return None
    try:
        return Accepted(act())
    except Invalid as error:
        show(form, error, fields=fields)
        return None


def show(form: FlaskForm, error: Invalid, *, fields: dict[str, str] | None = None) -> None:
    """Put an action's error at the form's fields, in the person's language."""
    for name, each in error.fields.items():
        head, _, place = name.partition(".")
        field = form._fields.get((fields or {}).get(name, head))
        if field is None:
            form.form_errors.append(said(each))
            continue
        field.errors = [*field.errors, said(each)]
        if isinstance(field, RowsField):
            field.errors_at[place] = said(each)
