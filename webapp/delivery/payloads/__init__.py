"""What is sent, as bytes. Pure: rows or values in, bytes out.

In reading order: `json_bytes` (the one way to write JSON), `entities` (a row as a payload shows it) with
`discussion` and `checklists`, `bodies` (the two
formats). Values are rendered once, when something happens; a body is composed of these bytes and never parsed again.
"""

from webapp.delivery.payloads.bodies import HEALTH_CHECK, body, compact, compact_word, health_check
from webapp.delivery.payloads.checklists import checklist, checklist_item
from webapp.delivery.payloads.discussion import comment
from webapp.delivery.payloads.entities import company, custom_field, project, record, record_list, tag, user, webhook
from webapp.delivery.payloads.json_bytes import NotJson, instant, to_json

__all__ = [
    "HEALTH_CHECK",
    "NotJson",
    "body",
    "checklist",
    "checklist_item",
    "comment",
    "compact",
    "compact_word",
    "company",
    "custom_field",
    "health_check",
    "instant",
    "project",
    "record",
    "record_list",
    "tag",
    "to_json",
    "user",
    "webhook",
]
