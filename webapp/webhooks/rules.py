"""What the values of a webhook may be. A rule gives back the value as it is stored, or raises Invalid at its field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from webapp.delivery import filters, signing
from webapp.delivery.event_types import event_types
from webapp.extensions import db
from webapp.models import Invalid, PayloadFormat, User, Webhook
from webapp.models.texts import NAME_LENGTH, one_line
from webapp.webhooks import access

MAX_SHOWN_CODES = 5  # unknown codes that one error names
UNKNOWN_EVENT = "There is no event type %(codes)s. See the list of event types."


class SecretChoice(Enum):
    """A secret that is not a text of one's own."""

    GENERATED = "generated"
    NONE = "none"


GENERATED = SecretChoice.GENERATED
NONE = SecretChoice.NONE


@dataclass(frozen=True)
class Advice:
    """Something odd that does not keep a webhook from being saved. `template` and `values` are for its translation."""

    field: str
    template: str
    values: dict[str, object]

    @property
    def sentence(self) -> str:
        """The sentence in English."""
        return self.template % self.values if self.values else self.template


def name(text: str) -> str:
    """A name of 1 to 100 characters on one line."""
    return one_line("name", text, longest=NAME_LENGTH, empty="Enter a name.")


def name_advice(text: str, user: User, webhook: Webhook | None) -> list[Advice]:
    """The same name twice is allowed, but worth a word."""
    query = sa.select(Webhook.id).where(
        Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None), Webhook.name == text
    )
    if webhook is not None:
        query = query.where(Webhook.id != webhook.id)
    if db.session.scalar(query.limit(1)) is None:
        return []
    return [Advice("name", "You have another webhook with this name.", {})]


def events(codes: Iterable[str] | None) -> list[str]:
    """Codes of event types, each once. An empty list means all; None (nothing chosen) and unknown ones are refused."""
    if codes is None:
        raise Invalid("events", "Choose at least one event.")
    chosen = list(dict.fromkeys(codes))
    known = event_types(None)
    unknown = [code for code in chosen if code not in known]
    if unknown:
        shown = ", ".join(code[:64] for code in unknown[:MAX_SHOWN_CODES])
        raise Invalid("events", UNKNOWN_EVENT, codes=shown)
    return chosen


def project_ids(ids: Iterable[str] | None, user: User) -> list[str]:
    """Ids of projects that this person administers, each once. An empty list means all; None (no choice) is refused."""
    if ids is None:
        raise Invalid("project_ids", "Choose at least one project.")
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        return []
    administered = {project.id for project in access.administered_projects(user)}
    foreign = [project_id[:64] for project_id in chosen if project_id not in administered]
    if foreign:
        raise Invalid(
            "project_ids",
            "You administer no project with the id %(ids)s. Choose among your own projects.",
            ids=", ".join(foreign[:MAX_SHOWN_CODES]),
        )
    return chosen


def secret(choice: SecretChoice | str) -> str | None:
    """The secret's text: generated, none, or one's own."""
    if choice is NONE:
        return None
    if choice is GENERATED:
        return signing.generate_secret()
    text = str(choice)
    if not text:
        raise Invalid("secret", "Enter a secret, or choose None.")
    signing.check_secret(text)
    return text


def payload_format(word: str) -> PayloadFormat:
    """One of the two payload formats."""
    try:
        return PayloadFormat(word)
    except ValueError:
        raise Invalid("payload_format", "The payload format is either full or compact.") from None


def record_filter(written: Any) -> dict[str, Any] | None:
    """A record filter as it is stored; None for none, also for one without rules, which would let everything pass."""
    if written is None:
        return None
    read = filters.check(written)
    return read.stored if read.rules else None


def collect(checks: Sequence[tuple[str, Callable[[], Any]]]) -> dict[str, Any]:
    """Run all checks and return their values by name; raises one Invalid that carries every field that is wrong."""
    values: dict[str, Any] = {}
    errors: list[Invalid] = []
    for key, check in checks:
        try:
            values[key] = check()
        except Invalid as error:
            errors.append(error)
    if errors:
        raise Invalid.many(errors)
    return values
