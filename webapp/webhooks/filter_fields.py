"""Custom fields in a record filter: each has a path of its own, by its id, so that renaming it breaks no rule."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from webapp.extensions import db
from webapp.models import CustomField, FieldKind, User
from webapp.webhooks import access

MAX_FIELDS = 200  # that a form offers
# Where the value of a field stands, by its kind.
LEAVES = {
    FieldKind.TEXT: "text",
    FieldKind.URL: "text",
    FieldKind.EMAIL: "text",
    FieldKind.NUMBER: "number",
    FieldKind.CURRENCY: "number",
    FieldKind.RATING: "number",
    FieldKind.CHECKBOX: "checked",
    FieldKind.DATE: "startDate",
    FieldKind.SELECT_SINGLE: "customFieldOption.title",
    FieldKind.SELECT_MULTI: "todoCustomFieldOptions.customFieldOption.title",
}
_PATH = re.compile(rf"record\.todoCustomFields\[([\w-]+)\]\.({'|'.join(map(re.escape, set(LEAVES.values())))})")


@dataclass(frozen=True)
class FieldChoice:
    """A custom field that a rule can ask for. `options` are the titles to choose from, if it has such."""

    path: str
    label: str
    options: tuple[str, ...]


def path_of(field: CustomField) -> str:
    """Where the value of a field stands in the full format."""
    return f"record.todoCustomFields[{field.id}].{LEAVES[field.kind]}"


def is_field(path: str) -> bool:
    """Whether a path is that of a custom field, of one that there is or of another."""
    return _PATH.fullmatch(path) is not None


def choices(user: User, project_ids: Collection[str] = ()) -> list[FieldChoice]:
    """The fields of these projects, empty = all, that this person administers: by name, then by project."""
    administered = {project.id for project in access.administered_projects(user)}
    chosen = administered.intersection(project_ids) if project_ids else administered
    query = (
        sa.select(CustomField)
        .join(CustomField.project)
        .options(contains_eager(CustomField.project))
        .where(CustomField.project_id.in_(chosen))
        .order_by(sa.func.lower(CustomField.name), CustomField.project_id, CustomField.position)
        .limit(MAX_FIELDS)
    )
    return [
        FieldChoice(
            path=path_of(field),
            label=field.name if len(chosen) == 1 else f"{field.name} ({field.project.name})",
            options=tuple(option.title for option in field.options),
        )
        for field in db.session.scalars(query)
    ]
