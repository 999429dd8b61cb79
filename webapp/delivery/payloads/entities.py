"""Rows as payloads show them: Blue's keys in Blue's order, up the chain to the company (reference: blue.md 3.2 and 6).

A record's position is a decimal text, a list's a number. Secrets, passwords and tokens have no place here.
"""

from __future__ import annotations

from webapp.delivery.payloads.json_bytes import instant, instant_or_none, number_text
from webapp.delivery.payloads.tags_and_fields import bare_field, bare_tag, field_value, record_tag
from webapp.models import Company, CustomField, Project, Record, RecordAssignee, RecordList, Tag, User, Webhook

Value = dict[str, object]


def company(row: Company) -> Value:
    """A company: fourteen keys."""
    return {
        "id": row.id,
        "uid": row.uid,
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "freeTrialExpiredAt": instant_or_none(row.free_trial_expired_at),
        "freeTrialStartedAt": instant_or_none(row.free_trial_started_at),
        "subscribedAt": instant_or_none(row.subscribed_at),
        "imageId": row.image_id,
        "subscriptionPlanId": row.subscription_plan_id,
        "freeTrialExtendedById": row.free_trial_extended_by_id,
        "freeTrialExtendedAt": instant_or_none(row.free_trial_extended_at),
    }


def project(row: Project) -> Value:
    """A project: fifteen keys, the last one its company."""
    return {
        "id": row.id,
        "uid": row.uid,
        "slug": row.slug,
        "name": row.name,
        "description": row.description,
        "archived": row.archived,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "isTemplate": row.is_template,
        "isOfficialTemplate": row.is_official_template,
        "category": row.category,
        "companyId": row.company_id,
        "imageId": row.image_id,
        "hideEmailFromRoles": row.hide_email_from_roles,
        "company": company(row.company),
    }


def record_list(row: RecordList) -> Value:
    """A list (Blue's TodoList): nine keys, the last one its project."""
    return {
        "id": row.id,
        "uid": row.uid,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "title": row.title,
        "position": row.position,
        "createdById": row.created_by_id,
        "projectId": row.project_id,
        "project": project(row.project),
    }


def record(row: Record) -> Value:
    """A record (Blue's Todo): nineteen keys, the last one its list."""
    return {
        **_record_scalars(row),
        "todoCustomFields": [field_value(value) for value in row.field_values],
        "todoUsers": [_assignee(assignee) for assignee in row.assignees],
        "todoTags": [record_tag(tag) for tag in row.tags],
        "todoList": record_list(row.list),
    }


def parent_record(row: Record) -> Value:
    """A record above a comment or a checklist: sixteen keys, without values, people and tags."""
    return {**_record_scalars(row), "todoList": record_list(row.list)}


def _record_scalars(row: Record) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "html": row.html,
        "text": row.text,
        "position": number_text(row.position),
        "archived": row.archived,
        "done": row.done,
        "startedAt": instant_or_none(row.started_at),
        "duedAt": instant_or_none(row.dued_at),
        "timezone": row.timezone,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "createdById": row.created_by_id,
        "todoListId": row.list_id,
    }


def _assignee(row: RecordAssignee) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "todoId": row.record_id,
        "userId": row.user_id,
        "user": user(row.user),
    }


def tag(row: Tag) -> Value:
    """A tag: eight keys, the last one its project."""
    return {**bare_tag(row), "project": project(row.project)}


def custom_field(row: CustomField) -> Value:
    """A custom field: twenty keys, the last one its project."""
    return {**bare_field(row), "project": project(row.project)}


def user(row: User) -> Value:
    """A person, as an assignee or author: fourteen keys. What this installation does not ask for is null."""
    first_name, _, last_name = row.name.partition(" ")
    return {
        "id": row.id,
        "uid": row.uid,
        "username": row.email,
        "email": row.email,
        "firstName": first_name,
        "lastName": last_name,
        "jobTitle": None,
        "phoneNumber": None,
        "timezone": row.time_zone or None,
        "locale": row.locale or None,
        "dateFormat": row.date_format or None,
        "imageId": None,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
    }


def webhook(row: Webhook) -> Value:
    """A webhook: eleven keys. Its secret is always the empty text, whether there is one or not."""
    return {
        "id": row.id,
        "uid": row.uid,
        "name": row.name,
        "url": row.url,
        "secret": "",
        "status": row.status,
        "enabled": row.enabled,
        "metadata": {"events": list(row.events), "projectIds": list(row.project_ids)},
        "createdById": row.created_by_id,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
    }
