"""Rows for tests, made directly: sensible values for all that a test does not care about."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from webapp.delivery import counting, payloads
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Base,
    Checklist,
    ChecklistItem,
    Comment,
    Company,
    CompanyMember,
    CustomField,
    CustomFieldOption,
    Delivery,
    DeliveryKind,
    Event,
    FieldKind,
    Project,
    ProjectMember,
    Record,
    RecordList,
    Role,
    Tag,
    User,
    Webhook,
    WebhookHealth,
    WebhookSnapshot,
    transaction,
    utc_now,
)
from webapp.models.base import keyring

PASSWORD = "correct horse battery staple"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

# argon2id of PASSWORD with the cheapest parameters, so that making a person costs nothing.
PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$Siswv/j+SDV0t7eUSi5BCw$53qVIoG8tQemhKRwbl8Lw6dEOEPwM96oizKGa9dwo6Y"

_numbers = itertools.count(1)
Row = TypeVar("Row", bound=Base)


class Make:
    """`make.webhook(by=ada)`: a row with sensible values, written in a transaction of its own (or the open one)."""

    def user(self, **values: Any) -> User:
        number = next(_numbers)
        return _write(
            User(
                **{
                    "email": f"person{number}@example.com",
                    "name": f"Person {number}",
                    "password_hash": PASSWORD_HASH,
                    **values,
                }
            )
        )

    def company(self, owner: User | None = None, **values: Any) -> Company:
        number = next(_numbers)
        company = Company(**{"name": f"Company {number}", "slug": f"company-{number}", **values})
        if owner:
            company.members.append(CompanyMember(user_id=owner.id, role=Role.OWNER))
        return _write(company)

    def project(self, owner: User | None = None, company: Company | None = None, **values: Any) -> Project:
        owner = owner or self.user()
        company = company or self.company(owner)
        number = next(_numbers)
        project = Project(
            **{"name": f"Project {number}", "slug": f"project-{number}", "company_id": company.id, **values}
        )
        project.members.append(ProjectMember(user_id=owner.id, role=Role.OWNER))
        return _write(project)

    def member(self, project: Project, user: User, role: Role = Role.MEMBER) -> ProjectMember:
        return _write(ProjectMember(project_id=project.id, user_id=user.id, role=role))

    def project_of(self, user: User) -> Project:
        """The first project that this person is a member of."""
        query = (
            sa.select(Project)
            .join(Project.members)
            .where(ProjectMember.user_id == user.id)
            .order_by(Project.created_at)
        )
        return db.session.scalars(query).first()

    def list(self, project: Project | None = None, **values: Any) -> RecordList:
        project = project or self.project()
        return _write(RecordList(**{"title": "To do", "position": 65535.0, "project_id": project.id, **values}))

    def record(self, list_: RecordList | None = None, **values: Any) -> Record:
        list_ = list_ or self.list()
        return _write(Record(**{"title": "Call Ada", "position": 65535.0, "list_id": list_.id, **values}))

    def comment(self, record: Record | None = None, by: User | None = None, **values: Any) -> Comment:
        record = record or self.record()
        text = values.setdefault("text", "Looks good")
        now = utc_now()
        defaults = {"html": f"<p>{text}</p>", "created_at": now, "updated_at": now, "user_id": by.id if by else None}
        return _write(Comment(**{**defaults, "record_id": record.id, **values}))

    def checklist(self, record: Record | None = None, **values: Any) -> Checklist:
        record = record or self.record()
        return _write(Checklist(**{"title": "Before launch", "position": 65535.0, "record_id": record.id, **values}))

    def item(self, checklist: Checklist | None = None, **values: Any) -> ChecklistItem:
        checklist = checklist or self.checklist()
        defaults = {"title": "Check every link", "position": 65535.0, "checklist_id": checklist.id}
        return _write(ChecklistItem(**{**defaults, **values}))

    def tag(self, project: Project | None = None, title: str = "Urgent", **values: Any) -> Tag:
        project = project or self.project()
        return _write(Tag(**{"title": title, "color": "#4a9fff", "project_id": project.id, **values}))

    def field(
        self, project: Project | None = None, kind: str = "TEXT_SINGLE", *, options: str = "", **values: Any
    ) -> CustomField:
        """`options` are titles with blanks between them."""
        project = project or self.project()
        defaults = {"name": "Channel", "kind": FieldKind(kind), "position": 65535.0, "project_id": project.id}
        field = CustomField(**{**defaults, **values})
        for number, title in enumerate(options.split(), 1):
            field.options.append(CustomFieldOption(title=title, color="#4a9fff", position=65535.0 * number))
        return _write(field)

    def webhook(
        self, by: User | None = None, url: str = "https://example.com/hooks", secret: str | None = SECRET, **values: Any
    ) -> Webhook:
        if by is None:
            by = self.user()
            self.project(owner=by)
        ciphertext = keyring().encrypt(secret.encode()).decode() if secret else None
        webhook = Webhook(
            **{"name": "Orders", "url": url, "created_by_id": by.id, "secret_ciphertext": ciphertext, **values}
        )
        webhook.health = WebhookHealth()
        _write(webhook)
        with _writing() as session:
            snapshot = WebhookSnapshot(webhook_id=webhook.id, body=payloads.to_json(payloads.webhook(webhook)))
            session.add(snapshot)
            session.flush()
            webhook.snapshot_seq = snapshot.seq
        return webhook

    def event(self, project: Project | None = None, **values: Any) -> Event:
        project = project or self.project()
        defaults = {
            "type": "TODO_CREATED",
            "project_id": project.id,
            "company_id": project.company_id,
            "current_value": b'{"id":"clb4zna6x0000vt1swuwso25f","title":"Call Ada"}',
        }
        return _write(Event(**{**defaults, **values}))

    def delivery(self, webhook: Webhook | None = None, event: Event | None = None, **values: Any) -> Delivery:
        webhook = webhook or self.webhook()
        if event is None and values.get("kind", "event") == "event":
            event = self.event(self.project_of(webhook.created_by), fanned_out_at=utc_now())
        defaults = {
            "webhook_id": webhook.id,
            "snapshot_seq": webhook.snapshot_seq,
            "event_seq": event.seq if event else None,
            "event_type": event.type if event else "WEBHOOK_HEALTH_CHECK",
            "project_id": event.project_id if event else None,
            "next_attempt_at": utc_now() if values.get("state", "pending") == "pending" else None,
        }
        return _write(Delivery(**{**defaults, **values}))

    def attempt(self, delivery: Delivery, **values: Any) -> Attempt:
        now: datetime = utc_now()
        defaults = {
            "delivery_seq": delivery.seq,
            "number": delivery.attempts_made + 1,
            "claim_token": delivery.claim_token,
            "worker": "test:1",
            "claimed_at": now,
            "started_at": now,
            "finished_at": now,
            "status": 200,
            "url": delivery.webhook.url,
            "total_ms": 12.0,
        }
        with _writing():
            delivery.attempts_made += 1
        attempt = _write(Attempt(**{**defaults, **values}))
        if delivery.kind is DeliveryKind.EVENT:
            outcome = counting.outcome_of(attempt.status, attempt.error)
            bucket = counting.bucket_of(attempt.total_ms)
            with _writing() as session:
                one = counting.Counted(delivery.webhook_id, attempt.claimed_at, attempt.number == 1, outcome, bucket)
                counting.count(session.connection(), [one])
        return attempt


class _Joined:
    """Use the transaction that is open already."""

    def __enter__(self) -> Any:
        return db.session()

    def __exit__(self, *_: object) -> None:
        db.session.flush()


def _writing() -> Any:
    return _Joined() if "transaction" in db.session().info else transaction()


def _write(row: Row) -> Row:
    with _writing() as session:
        session.add(row)
    return row
