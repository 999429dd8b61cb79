"""The keys of payloads in Blue's order, and a check that a value has them at every depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webapp.delivery.event_types import event_types

COMPANY = (
    "id uid slug name description createdAt updatedAt freeTrialExpiredAt freeTrialStartedAt subscribedAt imageId "
    "subscriptionPlanId freeTrialExtendedById freeTrialExtendedAt"
)
PROJECT = (
    "id uid slug name description archived createdAt updatedAt isTemplate isOfficialTemplate category companyId "
    "imageId hideEmailFromRoles company"
)
LIST = "id uid createdAt updatedAt title position createdById projectId project"
PERSON = (
    "id uid username email firstName lastName jobTitle phoneNumber timezone locale dateFormat imageId "
    "createdAt updatedAt"
)
TODO = (
    "id uid title html text position archived done startedAt duedAt timezone createdAt updatedAt createdById todoListId"
)
TAG = "id uid title color createdAt updatedAt projectId"
FIELD = (
    "id uid name type position description min max currency prefix isDueDate buttonType buttonConfirmText formula "
    "regionCode createdAt updatedAt projectId customFieldOptions"
)
OPTION = "id uid title color position createdAt updatedAt customFieldId"
ITEM = "id uid title position done startedAt duedAt createdAt updatedAt createdById checklistId checklistItemUsers"
CHECKLIST = "id uid title position createdAt updatedAt createdById todoId"
KEYS = {
    "record": f"{TODO} todoCustomFields todoUsers todoTags todoList",
    "checklist": f"{CHECKLIST} checklistItems todo",
    "checklistItem": f"{ITEM} checklist",
    "list": LIST,
    "customField": f"{FIELD} project",
    "tag": f"{TAG} project",
    "comment": "id uid html text category createdAt updatedAt deletedAt userId todoId discussionId statusUpdateId user "
    "todo files",
}
INNER_KEYS = {  # below the entity
    "company": COMPANY,
    "project": PROJECT,
    "todoList": LIST,
    "todo": f"{TODO} todoList",
    "checklist": f"{CHECKLIST} todo",
    "user": PERSON,
    "tag": TAG,
    "customField": FIELD,
    "todoUsers": "id uid createdAt updatedAt todoId userId user",
    "todoTags": "id uid createdAt updatedAt todoId tagId tag",
    "checklistItems": ITEM,
    "checklistItemUsers": "id uid createdAt updatedAt checklistItemId userId user",
    "customFieldOptions": OPTION,
    "customFieldOption": OPTION,
    "todoCustomFieldOptions": "id uid createdAt updatedAt todoCustomFieldId customFieldOptionId customFieldOption",
    "todoCustomFields": "id uid number text regionCode countryCodes checked latitude longitude currency startDate "
    "endDate timezone createdAt updatedAt todoId customFieldId customFieldOptionId customField customFieldOption "
    "todoCustomFieldOptions todoCustomFieldFiles",
}


def below(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object inside a value, with the key that leads to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for each in inner if isinstance(inner, list) else [inner]:
                if isinstance(each, dict):
                    yield key, each
                    yield from below(each)


def check_shape(code: str, value: dict[str, Any]) -> None:
    """AssertionError unless the value has the keys of its event type, here and in everything inside."""
    assert " ".join(value) == KEYS[event_types(None)[code].entity]
    for key, inner in below(value):
        assert " ".join(inner) == INNER_KEYS[key], key
