"""Lines of a file as the changes that make a record, or as what is wrong with them: by the rules of the actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.models import CustomField, Forbidden, Invalid, Project, RequestError, User
from webapp.workspace import access, custom_fields, import_cells, members, record_changes, tags, value_rules
from webapp.workspace.csv_files import Line
from webapp.workspace.import_columns import FIELD, Choices
from webapp.workspace.record_changes import MAX_ASSIGNEES, MAX_TAGS, RecordChanges
from webapp.workspace.value_rules import Given

TOO_MANY_CELLS = "This line has more cells than the first one."
NO_MEMBER = "Nobody in this project has the address “%(email)s”."
MANY_ASSIGNEES = "A record has at most %(most)s assignees."
MANY_TAGS = "A record has at most %(most)s tags."
PROJECT_TAGS = "A project has at most %(most)s tags."


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line, and under which name of a column; "" where it is the line as a whole."""

    column: str
    error: RequestError

    def kept(self) -> dict[str, Any]:
        """The JSON value that is kept with a refused line."""
        return {"column": self.column, "template": self.error.template, "values": self.error.values}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Fault:
        """From the JSON value that is kept with a refused line."""
        return cls(kept["column"], RequestError(kept["template"], **kept["values"]))


@dataclass(frozen=True)
class Judged:
    """A line, and either what it changes on a new record or what is wrong with it."""

    line: Line
    changes: RecordChanges
    faults: tuple[Fault, ...] = ()


class Judge:
    """Reads lines against a project as it is now. It asks the database when it is made, and not again.

    One of the chosen columns must be the title.
    """

    def __init__(self, project: Project, choices: Choices, head: Sequence[str], *, by: User) -> None:
        self._choices, self._head = choices, head
        self._places = choices.places()
        self._people = {one.user.email.casefold(): one.user_id for one in members.of(project)}
        self._fields: dict[str, CustomField] = {use.field.id: use.field for use in custom_fields.of(project)}
        self._tags = {use.tag.title_key for use in tags.of(project)}
        self._new_tags: dict[str, str] = {}
        self._may_not_tag = _refusal(project, by)

    @property
    def new_tags(self) -> list[str]:
        """The tags that the right ones of the lines judged so far would make, by title."""
        return sorted(self._new_tags.values(), key=str.casefold)

    def judge(self, line: Line) -> Judged:
        """What becomes of a line."""
        changes, faults = RecordChanges(timezone=self._choices.zone), []
        for name, rule in self._rules(line):
            try:
                rule(changes)
            except Invalid as error:
                faults += [Fault(self._column(name, field), each) for field, each in error.fields.items()]
        if any(cell.strip() for cell in line.cells[len(self._head) :]):
            faults.append(Fault("", RequestError(TOO_MANY_CELLS)))
        if not faults:
            self._new_tags = self._new(changes.get("tag_titles", ())) | self._new_tags
        return Judged(line, changes, tuple(faults))

    def _rules(self, line: Line) -> Iterator[tuple[str, Callable[[RecordChanges], None]]]:
        """What reads each chosen column into the changes; each may raise Invalid."""
        yield "title", lambda changes: self._own(line, changes)
        for target, place in self._places.items():
            cell = line.cells[place]
            if target.startswith(FIELD):
                yield target, lambda changes, cell=cell, target=target: self._value(target, cell, changes)  # type: ignore[misc]
            elif target == "assignees":
                yield target, lambda changes, cell=cell: self._assignees(cell, changes)  # type: ignore[misc]
            elif target == "tags":
                yield target, lambda changes, cell=cell: self._titles(cell, changes)  # type: ignore[misc]

    def _own(self, line: Line, changes: RecordChanges) -> None:
        """The record's own columns, judged together: a due date must not lie before the start."""
        order, cells = self._choices.date_order, {name: line.cells[place] for name, place in self._places.items()}
        changes["title"] = cells["title"]
        if "description" in cells:
            changes["description"] = cells["description"]
        if "done" in cells:
            changes["done"] = import_cells.yes_or_no("done", cells["done"])
        if "started_at" in cells:
            changes["started_at"] = import_cells.day("started_at", cells["started_at"], order)
        if "dued_at" in cells:
            changes["dued_at"] = import_cells.day("dued_at", cells["dued_at"], order)
        record_changes.check(changes)

    def _assignees(self, cell: str, changes: RecordChanges) -> None:
        emails = import_cells.several(cell)
        for email in emails:
            if email.casefold() not in self._people:
                raise Invalid("assignees", NO_MEMBER, email=email[:100])
        changes["assignee_ids"] = list(dict.fromkeys(self._people[email.casefold()] for email in emails))
        if len(changes["assignee_ids"]) > MAX_ASSIGNEES:
            raise Invalid("assignees", MANY_ASSIGNEES, most=MAX_ASSIGNEES)

    def _titles(self, cell: str, changes: RecordChanges) -> None:
        titles = [tags.checked_title("tags", title) for title in import_cells.several(cell, self._tags)]
        if len({title.casefold() for title in titles}) > MAX_TAGS:
            raise Invalid("tags", MANY_TAGS, most=MAX_TAGS)
        new = self._new(titles)
        if new and self._may_not_tag:
            raise Invalid("tags", self._may_not_tag)
        if len(self._tags) + len(self._new_tags | new) > tags.MAX_TAGS:
            raise Invalid("tags", PROJECT_TAGS, most=tags.MAX_TAGS)
        changes["tag_titles"] = titles

    def _new(self, titles: Sequence[str]) -> dict[str, str]:
        return {title.casefold(): title for title in titles if title.casefold() not in self._tags}

    def _value(self, target: str, cell: str, changes: RecordChanges) -> None:
        field = self._fields.get(target.removeprefix(FIELD))
        if field is None:
            raise Invalid("value", "This project has no such custom field.")
        order, mark = self._choices.date_order, self._choices.decimal_mark
        given: Given = import_cells.value(field, cell, order=order, mark=mark)
        value_rules.read(field, given)
        if given is not None:
            changes["field_values"] = {**changes.get("field_values", {}), field.id: given}

    def _column(self, name: str, field: str) -> str:
        """The name of the column that an error belongs to."""
        place = self._places.get(field, self._places.get(name))
        return "" if place is None else self._head[place]


def _refusal(project: Project, by: User) -> str:
    """Why this person may not make tags there; empty when they may."""
    try:
        access.demand(project, by, "add_tags")
    except Forbidden as error:
        return error.template
    return ""
