"""A record comes into another project: what exists there by name stays on it, everything else goes."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Checklist, ChecklistItem, CustomField, FieldKind, ProjectMember, Record, RecordFieldValue, Tag


def adapt(record: Record) -> None:
    """Inside transaction(): fit assignees, tags and field values to the project that the record is in now.

    Who is no member there goes, from the items of its checklists, too. Tags stay by title, values by the name and kind
    of their field, options by title.
    """
    project_id = record.list.project_id
    _keep_members(record, project_id)
    _keep_tags(record, project_id)
    _keep_values(record, project_id)


def _keep_members(record: Record, project_id: str) -> None:
    query = sa.select(ProjectMember.user_id).where(ProjectMember.project_id == project_id)
    members = set(db.session.scalars(query))
    record.assignees = [one for one in record.assignees if one.user_id in members]
    for item in db.session.scalars(sa.select(ChecklistItem).join(Checklist).where(Checklist.record_id == record.id)):
        item.assignees = [one for one in item.assignees if one.user_id in members]


def _keep_tags(record: Record, project_id: str) -> None:
    keys = [link.tag.title_key for link in record.tags]
    query = sa.select(Tag).where(Tag.project_id == project_id, Tag.title_key.in_(keys))
    there = {tag.title_key: tag for tag in db.session.scalars(query.with_for_update(read=True, key_share=True))}
    kept = [link for link in record.tags if link.tag.title_key in there]
    for link in kept:
        link.tag = there[link.tag.title_key]
    record.tags = kept


def _keep_values(record: Record, project_id: str) -> None:
    query = sa.select(CustomField).where(CustomField.project_id == project_id)
    query = query.order_by(CustomField.position.desc(), CustomField.id.desc())
    fields = db.session.scalars(query.with_for_update(read=True, key_share=True, of=CustomField))
    there = {(field.name.casefold(), field.kind): field for field in fields}
    record.field_values = [value for value in record.field_values if _is_kept(value, there)]


def _is_kept(value: RecordFieldValue, there: dict[tuple[str, FieldKind], CustomField]) -> bool:
    """Whether the value has a place in the new project; it then belongs to the field that is there."""
    field = there.pop((value.field.name.casefold(), value.field.kind), None)
    if field is None:
        return False
    options = {option.title.casefold(): option for option in field.options}
    if value.option is not None:
        value.option = options.get(value.option.title.casefold())
        if value.option is None:
            return False
    if value.chosen:
        value.chosen = [link for link in value.chosen if link.option.title.casefold() in options]
        for link in value.chosen:
            link.option = options[link.option.title.casefold()]
        if not value.chosen:
            return False
    value.field = field
    return True
