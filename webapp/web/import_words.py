"""What an import is in words: what columns hold, the first records as they would become, and what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from flask_babel.speaklater import LazyString

from webapp.models import CustomField, ProjectMember
from webapp.web.errors import said
from webapp.web.formats import absolute, day
from webapp.web.forms import lazy_text as _l
from webapp.workspace import moments
from webapp.workspace.import_columns import FIELD, LEFT_OUT
from webapp.workspace.import_lines import Fault, Judged
from webapp.workspace.imports import Preview
from webapp.workspace.value_rules import Given

TARGETS: dict[str, LazyString] = {
    LEFT_OUT: _l("Leave out"),
    "title": _l("Title"),
    "description": _l("Description"),
    "started_at": _l("Start"),
    "dued_at": _l("Due date"),
    "tags": _l("Tags"),
    "assignees": _l("Assignees"),
    "done": _l("Done"),
}
SHOWN_ROWS = 10
SHOWN_TEXT = 80


def labels(fields: list[CustomField]) -> dict[str, str]:
    """What a column may be, in the order of the choice."""
    return {target: str(label) for target, label in TARGETS.items()} | {FIELD + one.id: one.name for one in fields}


def examples(seen: Preview) -> list[str]:
    """The first thing that stands in each column."""
    columns = range(len(seen.table.head))
    return [next((_cut(line.cells[at]) for line in seen.table.lines if line.cells[at].strip()), "") for at in columns]


def rows(seen: Preview, project_people: Mapping[str, str]) -> list[list[str]]:
    """The first records as they would become, a text for each column that is not left out."""
    fields = {FIELD + field.id: field for field in seen.fields}
    targets = [target for target in seen.choices.columns if target]
    return [
        [_cut(_shown(one, target, fields.get(target), project_people)) for target in targets]
        for one in seen.right[:SHOWN_ROWS]
    ]


def people(seen: Preview, names: list[ProjectMember]) -> dict[str, str]:
    """The names of the project's members, by their ids; empty where nobody is named in the file."""
    return {one.user_id: one.user.name for one in names} if "assignees" in seen.choices.columns else {}


def sentence(number: int, fault: Fault) -> str:
    """What is wrong in a line, and where."""
    if not fault.column:
        return _("Line %(line)s: %(sentence)s", line=number, sentence=said(fault.error))
    return _("Line %(line)s, %(column)s: %(sentence)s", line=number, column=fault.column, sentence=said(fault.error))


def reasons(faults: Sequence[Fault]) -> str:
    """All that is wrong in a line, in one cell of a file."""
    return " ".join(f"{fault.column}: {said(fault.error)}" if fault.column else said(fault.error) for fault in faults)


def _shown(one: Judged, target: str, field: CustomField | None, project_people: Mapping[str, str]) -> str:
    changes = one.changes
    if field is not None:
        return _value(field, changes.get("field_values", {}).get(field.id))
    if target in {"started_at", "dued_at"}:
        return _date(str(changes.get(target) or ""), changes["timezone"], is_due=target == "dued_at")
    if target == "tags":
        return ", ".join(changes.get("tag_titles", ()))
    if target == "assignees":
        return ", ".join(project_people.get(each, each) for each in changes.get("assignee_ids", ()))
    if target == "done":
        return _("Yes") if changes["done"] else _("No")
    return changes["title"] if target == "title" else changes.get("description", "")


def _date(typed: str, zone: str | None, *, is_due: bool) -> str:
    moment = moments.read("dued_at", typed, zone, is_due=is_due)
    if moment is None:
        return ""
    return absolute(moment) if "T" in moments.shown(moment, zone, is_due=is_due) else day(moment)


def _value(field: CustomField, given: Given) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return _("Yes") if given else _("No")
    if isinstance(given, Mapping):
        return f"{given['amount']} {given['currency'] or field.currency or ''}".strip()
    options = {option.id: option.title for option in field.options}
    if isinstance(given, str | float | int):
        return options.get(str(given), str(given))
    return ", ".join(options.get(each, each) for each in given)


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_TEXT else text[: SHOWN_TEXT - 1] + "…"
