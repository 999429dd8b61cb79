"""Custom fields of a project: what its records hold beside their own values. A field's kind never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import (
    ChosenOption,
    CustomField,
    CustomFieldOption,
    Invalid,
    NotFound,
    Project,
    ProjectMember,
    RecordFieldValue,
    User,
    transaction,
    utc_now,
)
from webapp.workspace import access, field_rules, ordering, positions
from webapp.workspace.field_rules import Choice, Definition

__all__ = ["Choice", "Definition", "FieldChanges", "FieldUse", "create", "delete", "edit", "load", "of", "shift"]

MAX_FIELDS = 50  # of one project


class FieldChanges(TypedDict, total=False):
    """What of a field is to change; a value that is left out stays. `options` are all that it shall have, in order."""

    name: str
    description: str | None
    min: float | str | None
    max: float | str | None
    currency: str | None
    options: Sequence[Choice]


@dataclass(frozen=True)
class FieldUse:
    """A custom field, and how many records have a value in it."""

    field: CustomField
    records: int


def create(kind: str, definition: Definition, *, project: Project, by: User) -> CustomField:
    """A new field behind the others. Raises Invalid with each wrong field, Forbidden, Conflict when archived."""
    field_kind = field_rules.kind(kind)
    values, project_id = field_rules.read(field_kind, definition), project.id
    with transaction() as session:
        project = access.load_project(project_id, by)
        access.demand(project, by, "add_fields")
        count, highest = session.execute(
            sa.select(sa.func.count(), sa.func.max(CustomField.position)).where(CustomField.project_id == project_id)
        ).one()
        if count >= MAX_FIELDS:
            raise Invalid("name", "A project has at most %(most)s custom fields.", most=MAX_FIELDS)
        options = values.pop("options")
        field = CustomField(**values, kind=field_kind, position=positions.last(highest), project=project)
        session.add(field)
        _set_options(field, options)
        session.flush()
        outbox.publish("CUSTOM_FIELD_CREATED", project=project, by=by, current=payloads.custom_field(field))
    return field


def edit(field: CustomField, changes: FieldChanges, *, by: User) -> None:
    """Change what a field is called, its limits or its options; what changes nothing publishes nothing.

    Records lose the values whose option goes, without events of their own. Raises Invalid with each wrong field,
    Forbidden, Conflict when the project is archived.
    """
    field_id = field.id
    with transaction() as session:
        field = _editable(field_id, by)
        values = field_rules.read(field.kind, replace(_definition(field), **changes))
        before, previous = _definition(field), payloads.custom_field(field)
        _set_options(field, values.pop("options"))
        for name, value in values.items():
            setattr(field, name, value)
        if _definition(field) == before:
            return
        field.updated_at = utc_now()
        session.flush()
        current = payloads.custom_field(field)
        outbox.publish("CUSTOM_FIELD_UPDATED", project=field.project, by=by, previous=previous, current=current)


def shift(field: CustomField, steps: int, *, by: User) -> None:
    """Move a field up (negative) or down among the others; publishes nothing. Raises Forbidden, Conflict."""
    field_id = field.id
    with transaction():
        field = _editable(field_id, by)
        ordering.shift(field, steps, among=CustomField.project_id == field.project_id)


def delete(field: CustomField, *, by: User) -> None:
    """Delete a field and all its values, which publish nothing of their own. Raises Forbidden, Conflict."""
    field_id = field.id
    with transaction() as session:
        field = _editable(field_id, by)
        previous = payloads.custom_field(field)
        outbox.publish("CUSTOM_FIELD_DELETED", project=field.project, by=by, previous=previous, current=None)
        session.delete(field)


def load(field_id: str, user: User, *, is_locked: bool = False) -> CustomField:
    """A field of a project that `user` is a member of; raises NotFound. `is_locked`: nobody changes it meanwhile."""
    query = sa.select(CustomField).join(CustomField.project).join(Project.members).join(Project.company)
    query = query.where(CustomField.id == field_id, ProjectMember.user_id == user.id)
    query = query.options(contains_eager(CustomField.project).contains_eager(Project.company))
    field = db.session.scalar(query.with_for_update(of=CustomField) if is_locked else query)
    if field is None:
        raise NotFound("There is no such custom field.")
    return field


def of(project: Project) -> list[FieldUse]:
    """A project's fields in their order with their options, and how many records have a value in each."""
    records = sa.select(sa.func.count()).where(RecordFieldValue.field_id == CustomField.id).scalar_subquery()
    query = sa.select(CustomField, records).where(CustomField.project_id == project.id)
    rows = db.session.execute(query.order_by(CustomField.position, CustomField.id))
    return [FieldUse(field, count) for field, count in rows]


def _editable(field_id: str, by: User) -> CustomField:
    field = load(field_id, by, is_locked=True)
    access.demand(field.project, by, "edit_fields")
    return field


def _definition(field: CustomField) -> Definition:
    """What a field is, as it would be typed: what edit() starts from, and tells a change by."""
    options = tuple(Choice(option.title, option.color, option.id) for option in field.options)
    return Definition(field.name, field.description, field.min, field.max, field.currency, options)


def _set_options(field: CustomField, options: Sequence[Choice]) -> None:
    """Let the field have these options in this order. Raises Invalid for an id that is none of its own."""
    there = {option.id: option for option in field.options}
    rows = []
    for index, (option, position) in enumerate(zip(options, positions.numbered(len(options)), strict=True)):
        values: dict[str, Any] = {"title": option.title, "color": option.color, "position": position}
        row = CustomFieldOption() if option.id is None else there.pop(option.id, None)
        if row is None:
            raise Invalid(f"options.{index}.id", "This field has no such option, or it is named twice.")
        for name, value in values.items():
            setattr(row, name, value)
        rows.append(row)
    field.options = rows
    if there:
        _forget_values_without_options(field)


def _forget_values_without_options(field: CustomField) -> None:
    """The database drops what names an option that is gone; of several options chosen, none may be left."""
    db.session.flush()
    left = sa.exists().where(ChosenOption.value_id == RecordFieldValue.id)
    empty = sa.delete(RecordFieldValue).where(
        RecordFieldValue.field_id == field.id, RecordFieldValue.option_id.is_(None), ~left
    )
    db.session.execute(empty.execution_options(synchronize_session=False))
