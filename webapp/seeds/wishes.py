"""Which webhook wanted which event, and why others did not: judged and kept as fan-out does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from webapp.delivery import filters, matching, payloads
from webapp.models import Event, PayloadFormat, Webhook
from webapp.seeds.casting import Cast


def grant(events: Iterable[Event], webhooks: Sequence[Webhook], cast: Cast) -> dict[str, list[Event]]:
    """The events that each webhook gets, by its id. Refusals and the compact body are kept with each event."""
    administered = (cast.website.id, cast.orders.id)
    wanted: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        refusals: list[dict[str, Any]] = []
        for webhook in webhooks:
            if webhook.created_at > event.created_at:
                continue
            refusal = _refusal(webhook, event, administered)
            if refusal:
                refusals.append({**refusal, "webhookIds": [webhook.id]})
                continue
            wanted[webhook.id].append(event)
            if webhook.payload_format is PayloadFormat.COMPACT:
                event.compact = _compact(event)
        event.refusals = refusals or None
    return wanted


def _refusal(webhook: Webhook, event: Event, administered: Sequence[str]) -> dict[str, Any] | None:
    wish = matching.Wish(webhook.id, webhook.events, webhook.project_ids, webhook.created_at)
    happening = matching.Happening(event.type, [event.project_id], event.created_at)
    verdict = matching.verdict(wish, happening, administered=administered)
    if verdict.reason is not None:
        return {"reason": verdict.reason}
    if webhook.filter is None:
        return None
    values = filters.Values.of(event.type, event.previous_value, event.current_value)
    refusal = filters.judge(filters.restore(webhook.filter), values)
    return {"reason": matching.Reason.FILTERED, **refusal.stored} if refusal else None


def _compact(event: Event) -> bytes:
    return payloads.compact(
        code=event.type,
        previous=event.previous_value,
        current=event.current_value,
        company_id=event.company_id,
        project_id=event.project_id,
        user_id=event.user_id,
    )
