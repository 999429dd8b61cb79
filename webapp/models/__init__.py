"""The tables. A model knows itself and its neighbours, never HTTP, never huey. Only `transaction()` commits."""

from webapp.models.account import ApiToken, EndedSession, FailedSignIn, Role, User, webhook_roles
from webapp.models.agreement import Agreement
from webapp.models.assignee import RecordAssignee
from webapp.models.audit import AuditEntry
from webapp.models.base import (
    Base,
    NestedTransaction,
    UnreadableSecret,
    WriteOutsideTransaction,
    database_now,
    ring_after_commit,
    transaction,
    utc_now,
)
from webapp.models.checklist import Checklist, ChecklistItem, ChecklistItemAssignee
from webapp.models.comment import Comment
from webapp.models.custom_field import ChosenOption, CustomField, CustomFieldOption, FieldKind, RecordFieldValue
from webapp.models.delivery import (
    UNSETTLED,
    Attempt,
    Delivery,
    DeliveryKind,
    DeliveryState,
    ErrorWord,
    Redelivery,
)
from webapp.models.errors import Conflict, Forbidden, Invalid, NotFound, RequestError, TooMany
from webapp.models.event import Event
from webapp.models.handover import HandoverOffer
from webapp.models.hour import WebhookHour
from webapp.models.idempotency_key import IdempotencyKey
from webapp.models.inbox import Inbox, InboxRequest
from webapp.models.invitation import Invitation, OneTimeLink
from webapp.models.notice import Notice, NoticeTemplate
from webapp.models.record import Record
from webapp.models.record_import import RecordImport, RefusedLine
from webapp.models.replay import Replay
from webapp.models.tag import RecordTag, Tag
from webapp.models.upkeep import Upkeep
from webapp.models.webhook import PayloadFormat, Webhook, WebhookHealth, WebhookSnapshot, WebhookStatus
from webapp.models.worker import Worker
from webapp.models.workspace import Company, CompanyMember, Project, ProjectMember, RecordList

__all__ = [
    "UNSETTLED",
    "Agreement",
    "ApiToken",
    "Attempt",
    "AuditEntry",
    "Base",
    "Checklist",
    "ChecklistItem",
    "ChecklistItemAssignee",
    "ChosenOption",
    "Comment",
    "Company",
    "CompanyMember",
    "Conflict",
    "CustomField",
    "CustomFieldOption",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "EndedSession",
    "ErrorWord",
    "Event",
    "FailedSignIn",
    "FieldKind",
    "Forbidden",
    "HandoverOffer",
    "IdempotencyKey",
    "Inbox",
    "InboxRequest",
    "Invalid",
    "Invitation",
    "NestedTransaction",
    "NotFound",
    "Notice",
    "NoticeTemplate",
    "OneTimeLink",
    "PayloadFormat",
    "Project",
    "ProjectMember",
    "Record",
    "RecordAssignee",
    "RecordFieldValue",
    "RecordImport",
    "RecordList",
    "RecordTag",
    "Redelivery",
    "RefusedLine",
    "Replay",
    "RequestError",
    "Role",
    "Tag",
    "TooMany",
    "UnreadableSecret",
    "Upkeep",
    "User",
    "Webhook",
    "WebhookHealth",
    "WebhookHour",
    "WebhookSnapshot",
    "WebhookStatus",
    "Worker",
    "WriteOutsideTransaction",
    "database_now",
    "ring_after_commit",
    "transaction",
    "utc_now",
    "webhook_roles",
]
