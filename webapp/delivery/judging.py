"""Judging: which webhooks want the events of one fan-out, and why others do not.

Events of one type in one place are judged alike, so each kind is judged once: an installation with a thousand webhooks
and two hundred events at once would otherwise ask two hundred thousand times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.config import Settings
from webapp.delivery import matching
from webapp.delivery.filtering import Filtering
from webapp.models import ProjectMember, User, Webhook, database_now, packed, webhook_roles
from webapp.models.among import among
from webapp.models.base import UtcTime, table_of

_WEBHOOK, _MEMBER, _USER = table_of(Webhook), table_of(ProjectMember), table_of(User)
_CANDIDATES = (
    sa.select(
        _MEMBER.c.project_id,
        _WEBHOOK.c.id,
        _WEBHOOK.c.events,
        _WEBHOOK.c.project_ids,
        _WEBHOOK.c.created_at,
        _WEBHOOK.c.enabled,
        _WEBHOOK.c.status,
        _WEBHOOK.c.snapshot_seq,
        _WEBHOOK.c.payload_format,
        _WEBHOOK.c.filter,
    )
    .join(_WEBHOOK, _WEBHOOK.c.created_by_id == _MEMBER.c.user_id)
    .join(_USER, _USER.c.id == _WEBHOOK.c.created_by_id)
    .where(
        among(_MEMBER.c.project_id, "projects"),
        among(_MEMBER.c.role, "roles"),
        _WEBHOOK.c.deleted_at.is_(None),
        _USER.c.suspended_at.is_(None),
    )
    .order_by(_WEBHOOK.c.id)
    .with_for_update(read=True, key_share=True, of=_WEBHOOK)  # whoever is switching one off is waited for
)
_CANDIDATE = _CANDIDATES.cte("candidate")
# PostgreSQL: with the time when the last of them was locked. Beside the lock itself it would be the time before.
_CANDIDATES_AND_TIME = sa.select(_CANDIDATE, sa.func.clock_timestamp(type_=UtcTime).label("at"))
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The webhooks (rows) that want an event, and as JSON why others do not, each reason with those it holds for.

    Events of one kind may share the lists.
    """

    wanted: Sequence[Any]
    refusals: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What was found for a type in a place. It holds for all events since the newest webhook was made."""

    judgement: Judgement
    since: datetime
    has_filters: bool


class Judge:
    """Judges the events of one transaction; the webhooks are read once, locked against being switched off.

    `at` is the time after whoever was switching one off was waited for, by the clock of due times.
    """

    def __init__(self, session: Session, events: Iterable[Any], settings: Settings) -> None:
        projects = {project for event in events for project in _projects(event)}
        values = {"projects": list(projects), "roles": list(webhook_roles(settings.webhook_role))}
        self._administered: dict[str, list[Any]] = defaultdict(list)
        connection = session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        candidates = packed.rows(connection, _CANDIDATES if is_sqlite else _CANDIDATES_AND_TIME, values)
        for candidate in candidates:
            self._administered[candidate.project_id].append(candidate)
        self.at = database_now() if is_sqlite or not candidates else candidates[-1].at
        self._filtering = Filtering(session)
        self._kinds: dict[tuple[str, ...], _Kind] = {}

    def judge(self, event: Any) -> Judgement:
        """By the event's type, projects, time, and last by record filters, which alone need its values."""
        projects = _projects(event)
        key = (event.type, *projects)
        kind = self._kinds.get(key)
        if kind is None or event.created_at < kind.since:
            kind = self._kind(event, projects)
            if event.created_at >= kind.since:
                self._kinds[key] = kind
        return self._filtered(kind.judgement, event.seq) if kind.has_filters else kind.judgement

    def _kind(self, event: Any, projects: Sequence[str]) -> _Kind:
        happening = matching.Happening(event.type, projects, event.created_at)
        candidates: dict[str, Any] = {}
        administered: dict[str, list[str]] = defaultdict(list)
        for project_id in projects:
            for webhook in self._administered.get(project_id, ()):
                candidates[webhook.id] = webhook
                administered[webhook.id].append(project_id)
        wanted = []
        refused: dict[str, list[str]] = defaultdict(list)
        for webhook in candidates.values():
            wish = matching.Wish(webhook.id, webhook.events, webhook.project_ids, webhook.created_at)
            reason = matching.verdict(wish, happening, administered=administered[webhook.id]).reason
            if reason is None:
                wanted.append(webhook)
            else:
                refused[reason].append(webhook.id)
        refusals = [{"reason": reason, "webhookIds": ids} for reason, ids in refused.items()]
        newest = max((webhook.created_at for webhook in candidates.values()), default=_ALWAYS)
        has_filters = any(webhook.filter is not None for webhook in wanted)
        return _Kind(Judgement(wanted, refusals), newest, has_filters)

    def _filtered(self, judgement: Judgement, event_seq: int) -> Judgement:
        wanted, refusals = [], list(judgement.refusals)
        for webhook in judgement.wanted:
            if refusal := self._filtering.refusal(webhook, event_seq):
                refusals.append({"reason": matching.Reason.FILTERED, "webhookIds": [webhook.id], **refusal})
            else:
                wanted.append(webhook)
        return Judgement(wanted, refusals)


def _projects(event: Any) -> tuple[str, ...]:
    return (event.project_id,) if event.source_project_id is None else (event.project_id, event.source_project_id)
