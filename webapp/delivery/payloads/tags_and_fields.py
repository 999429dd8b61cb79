"""What hangs on a record: tags and the values of custom fields, with their definitions but not the project above."""

from __future__ import annotations

from webapp.delivery.payloads.json_bytes import instant, instant_or_none
from webapp.models import ChosenOption, CustomField, CustomFieldOption, RecordFieldValue, RecordTag, Tag

Value = dict[str, object]


def bare_tag(row: Tag) -> Value:
    """A tag without its project: seven keys."""
    return {
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "color": row.color,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "projectId": row.project_id,
    }


def record_tag(row: RecordTag) -> Value:
    """A tag on a record (Blue's TodoTag): seven keys, the last one the tag."""
    return {
        "id": row.id,
        "uid": row.uid,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "todoId": row.record_id,
        "tagId": row.tag_id,
        "tag": bare_tag(row.tag),
    }


def bare_field(row: CustomField) -> Value:
    """A custom field without its project: nineteen keys, the last one its options. What no kind here has is null."""
    return {
        "id": row.id,
        "uid": row.uid,
        "name": row.name,
        "type": row.kind,
        "position": row.position,
        "description": row.description,
        "min": row.min,
        "max": row.max,
        "currency": row.currency,
        "prefix": None,
        "isDueDate": None,
        "buttonType": None,
        "buttonConfirmText": None,
        "formula": None,
        "regionCode": None,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "projectId": row.project_id,
        "customFieldOptions": [_option(option) for option in row.options],
    }


def field_value(row: RecordFieldValue) -> Value:
    """The value of a field on a record (Blue's TodoCustomField): 22 keys. A date stands in both of Blue's dates."""
    return {
        "id": row.id,
        "uid": row.uid,
        "number": row.number,
        "text": row.text,
        "regionCode": None,
        "countryCodes": None,
        "checked": row.checked,
        "latitude": None,
        "longitude": None,
        "currency": row.currency,
        "startDate": instant_or_none(row.start_date),
        "endDate": instant_or_none(row.end_date),
        "timezone": None,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "todoId": row.record_id,
        "customFieldId": row.field_id,
        "customFieldOptionId": row.option_id,
        "customField": bare_field(row.field),
        "customFieldOption": None if row.option is None else _option(row.option),
        "todoCustomFieldOptions": [_chosen(link) for link in row.chosen],
        "todoCustomFieldFiles": [],
    }


def _option(row: CustomFieldOption) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "color": row.color,
        "position": row.position,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "customFieldId": row.field_id,
    }


def _chosen(row: ChosenOption) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "todoCustomFieldId": row.value_id,
        "customFieldOptionId": row.option_id,
        "customFieldOption": _option(row.option),
    }
