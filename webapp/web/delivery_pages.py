"""One delivery as its page and the drawer show it; both are the same part, made here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.delivery.leases import MAX_CLAIMS_WITHOUT_OUTCOME
from webapp.models import Attempt, Delivery, DeliveryState, Event, NotFound, Project, Record, User
from webapp.request_extensions import htmx
from webapp.web.badges import REASON
from webapp.web.change_words import field_name, value_text
from webapp.web.curl_commands import command
from webapp.web.delivery_rows import Row, rows
from webapp.web.outcomes import Explained, explain, phrase
from webapp.web.time_lines import Moment, by_hand, is_under_way, moments, outcome_code, outcome_kind
from webapp.web.timings import steps
from webapp.webhooks import changes, doers, log, statistics
from webapp.webhooks.changes import Changes
from webapp.webhooks.doers import Wish
from webapp.webhooks.words import DeliveryWord, delivery_word
from webapp.workspace import access, event_log

FINGERPRINT_BYTES = 8
DRAWER = "delivery-drawer"  # the element that a log puts a delivery into
PART, ATTEMPTS = "delivery", "delivery-attempts"


@dataclass(frozen=True)
class DeliveryView:
    """What the templates ask. `attempt` is the one that is shown, `problem` why the last action was refused.

    `probe_at` is when its paused webhook is tried next; None unless this one waits for that.
    """

    delivery: Delivery
    row: Row
    attempts: Sequence[Attempt]
    wishes: Mapping[int, Wish]
    body: bytes
    event: Event | None
    record: Record | None
    project: Project | None
    actor: str
    newer_url: str
    older_url: str
    attempt: Attempt | None
    is_chosen: bool = False
    probe_at: datetime | None = None
    problem: str = ""

    @property
    def reason(self) -> str:
        """Why it stands as it does, in words."""
        return str(REASON.get(self.delivery.reason or "", ""))

    @property
    def url(self) -> str:
        """Its own page."""
        return self.row.url

    @property
    def failure(self) -> Explained | None:
        """Why the newest attempt failed, while nothing has succeeded since."""
        known = [attempt for attempt in self.attempts if attempt.is_known]
        if not known or self.delivery.state is DeliveryState.SUCCEEDED:
            return None
        return explain(known[-1].status, known[-1].error)

    def attempt_url(self, number: int) -> str:
        """The page with that attempt."""
        return f"{self.url}?attempt={number}"

    @cached_property
    def moments(self) -> list[Moment]:
        """The time line."""
        return moments(self.delivery, self.attempts, list(self.wishes.values()), self.probe_at)

    @cached_property
    def changes(self) -> Changes:
        """What the event changed."""
        event = self.delivery.event
        return changes.of_bytes(event.previous_value, event.current_value) if event else Changes()

    @property
    def claims(self) -> Sequence[Attempt]:
        """The claims of a stuck one, of which no outcome is known."""
        unknown = [attempt for attempt in self.attempts if not attempt.is_known]
        is_stuck = self.delivery.state is DeliveryState.STUCK
        return unknown[-MAX_CLAIMS_WITHOUT_OUTCOME:] if is_stuck else ()

    @property
    def fingerprint(self) -> str:
        """What is shown, as a short text: another one means that something has changed."""
        delivery = self.delivery
        shown: list[object] = [self.row.mark, self.row.badge.word, delivery.state, delivery.reason, self.row.refusal]
        shown += [delivery.next_attempt_at, self.probe_at, delivery.lease_until is None, self.older_url, self.newer_url]
        shown += [(attempt.number, attempt.is_known, attempt.status, attempt.error) for attempt in self.attempts]
        text = "\0".join(str(part) for part in shown)
        return hashlib.blake2s(text.encode(), digest_size=FINGERPRINT_BYTES).hexdigest()

    def curl(self, attempt: Attempt) -> str:
        """The attempt as a command for a shell."""
        return command(attempt.url or "", attempt.request_headers or (), self.body)


def view(user: User, delivery: Delivery, problem: str = "") -> DeliveryView:
    """A delivery with all that its page tells, for somebody whose delivery it is."""
    made = log.attempts(delivery)
    chosen = _chosen(made)
    newer_id, older_id = log.neighbours(delivery)
    return DeliveryView(
        delivery=delivery,
        row=rows(user, [delivery])[0],
        attempts=made,
        wishes={wish.seq: wish for wish in doers.wishes(delivery)},
        body=log.body(delivery),
        event=_event(user, delivery),
        record=_record(user, delivery),
        project=doers.project(delivery),
        actor=doers.actor(delivery),
        newer_url=_url(delivery, newer_id),
        older_url=_url(delivery, older_id),
        attempt=chosen or (made[-1] if made else None),
        is_chosen=chosen is not None,
        probe_at=_probe_at(delivery),
        problem=problem,
    )


def answer(shown: DeliveryView) -> Response:
    """The page; for htmx the drawer, the delivery anew (nothing when it is as it was), or its attempts alone."""
    response = make_response("", 204) if _is_known(shown) else make_response(_html(shown))
    response.vary.update(["HX-Request", "HX-Target"])
    response.headers["Cache-Control"] = "no-store"
    return response


def part(shown: DeliveryView) -> Response:
    """The delivery after an action in it; 422 when that was refused."""
    return make_response(_render("deliveries/_delivery.html", shown), 422 if shown.problem else 200)


def _is_known(shown: DeliveryView) -> bool:
    return bool(htmx) and htmx.target == PART and request.args.get("seen") == shown.fingerprint


def _html(shown: DeliveryView) -> str:
    templates = {DRAWER: "_drawer", PART: "_delivery", ATTEMPTS: "_attempts"}
    name = templates.get(htmx.target or "", "show") if htmx else "show"
    return _render(f"deliveries/{name}.html", shown)


def _render(template: str, shown: DeliveryView) -> str:
    return render_template(
        template,
        shown=shown,
        delivery=shown.delivery,
        row=shown.row,
        explain=explain,
        phrase=phrase,
        steps=steps,
        field_name=field_name,
        value_text=value_text,
        by_hand=by_hand,
        outcome_kind=outcome_kind,
        outcome_code=outcome_code,
        is_under_way=is_under_way,
    )


def _chosen(made: Sequence[Attempt]) -> Attempt | None:
    number = request.args.get("attempt", type=int)
    found = next((attempt for attempt in made if attempt.number == number), None)
    if number is not None and found is None:
        raise NotFound("There is no such attempt.")
    return found


def _event(user: User, delivery: Delivery) -> Event | None:
    """The event, if this person may open its page."""
    if delivery.event is not None:
        with suppress(NotFound):
            return event_log.load(delivery.event.id, user)
    return None


def _record(user: User, delivery: Delivery) -> Record | None:
    """The record, if it is still there and this person may see it."""
    if delivery.event is not None and delivery.event.record_id:
        with suppress(NotFound):
            return access.load_record(delivery.event.record_id, user)
    return None


def _probe_at(delivery: Delivery) -> datetime | None:
    """When its webhook is tried next, while it waits because that is paused."""
    is_paused = delivery.webhook.health.paused_at is not None
    is_waiting = delivery_word(delivery, is_paused=is_paused) is DeliveryWord.PAUSED
    return statistics.next_probe_at(delivery.webhook) if is_waiting else None


def _url(delivery: Delivery, other_id: str | None) -> str:
    if other_id is None:
        return ""
    return url_for("deliveries.show", webhook_id=delivery.webhook_id, delivery_id=other_id)
