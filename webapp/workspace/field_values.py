"""The values of custom fields on a record: set, shown and compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import ChosenOption, CustomField, FieldKind, Invalid, Record, RecordFieldValue
from webapp.workspace import value_rules
from webapp.workspace.value_rules import Given


def assign(record: Record, given: Mapping[str, Given]) -> None:
    """Inside transaction(): let the fields of these ids have these values on the record; None or empty is none.

    Raises Invalid at `field_values.<id>` for each value that its field does not take, and for ids of other projects.
    """
    fields, errors = _fields(record, given), []
    for field_id, value in given.items():
        try:
            _assign(record, _field_of(fields, field_id), value)
        except Invalid as error:
            errors.append(Invalid(f"field_values.{field_id}", error.template, **error.values))
    if errors:
        raise Invalid.many(errors)


def refresh(record_ids: Collection[str]) -> None:
    """Inside transaction(): read the fields of these records together, which one by one would be read anew.

    Whatever was loaded before the transaction began has expired.
    """
    used = sa.select(RecordFieldValue.field_id).where(RecordFieldValue.record_id.in_(record_ids))
    db.session.scalars(sa.select(CustomField).where(CustomField.id.in_(used))).all()


def shown(value: RecordFieldValue) -> Any:
    """A value as value_rules.read() takes it."""
    kind = value.field.kind
    if kind is FieldKind.SELECT_MULTI:
        return [link.option_id for link in value.chosen]
    if kind is FieldKind.CURRENCY:
        return {"amount": value.number, "currency": value.currency}
    if kind is FieldKind.DATE:
        return value.start_date and value.start_date.date().isoformat()
    return {
        FieldKind.NUMBER: value.number,
        FieldKind.RATING: value.number,
        FieldKind.CHECKBOX: value.checked,
        FieldKind.SELECT_SINGLE: value.option_id,
    }.get(kind, value.text)


def content(value: RecordFieldValue) -> tuple[Any, ...]:
    """What tells two values of a field apart."""
    chosen = frozenset(link.option_id for link in value.chosen)
    dates = (value.start_date, value.end_date)
    return (value.field_id, value.text, value.number, value.checked, value.currency, *dates, value.option_id, chosen)


def _fields(record: Record, given: Mapping[str, Given]) -> dict[str, CustomField]:
    """The fields of the record's project among these ids, kept until the transaction ends."""
    if not given:
        return {}
    query = sa.select(CustomField).where(
        CustomField.project_id == record.list.project_id, CustomField.id.in_(list(given))
    )
    locked = query.with_for_update(read=True, key_share=True, of=CustomField)
    return {field.id: field for field in db.session.scalars(locked)}


def _field_of(fields: Mapping[str, CustomField], field_id: str) -> CustomField:
    if field_id not in fields:
        raise Invalid("value", "This project has no such custom field.")
    return fields[field_id]


def _assign(record: Record, field: CustomField, given: Given) -> None:
    columns = value_rules.read(field, given)
    row = next((value for value in record.field_values if value.field_id == field.id), None)
    if columns is None:
        if row is not None:
            record.field_values.remove(row)
        return
    if row is None:
        if columns == {"checked": False}:  # which it is already
            return
        row = RecordFieldValue(field_id=field.id, field=field)
        record.field_values.append(row)
    option_ids = columns.pop("chosen", ())
    for name, value in columns.items():
        setattr(row, name, value)
    _choose(row, field, option_ids)


def _choose(row: RecordFieldValue, field: CustomField, option_ids: Sequence[str]) -> None:
    options = {option.id: option for option in field.options}
    if field.kind is FieldKind.SELECT_SINGLE:
        row.option = options[row.option_id or ""]
    there = {link.option_id: link for link in row.chosen}
    if set(there) != set(option_ids):
        row.chosen = [
            there.get(option_id) or ChosenOption(option_id=option_id, option=options[option_id])
            for option_id in option_ids
        ]
