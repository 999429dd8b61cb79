"""The demo: a company at work, webhooks in every state of health, and a week of deliveries with their stories.

In reading order: `cast` (the people and their projects), `work` with `boards`, `details`, `discussions` and `week`
(what they did, as events), `stories` (the webhooks, and what each of them has been through), `receivers` (how their
receivers answered), `wishes` (who wanted which event), `course` with `requests` (what a worker would have made of
that), `writing` (the rows), `today` (what happens now, by the same actions that people use). The past is computed by
the same pure rules that decide at work, and written as rows: nothing is sent for it. Every webhook leads to an inbox
of this installation.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from webapp.accounts import people
from webapp.config import current
from webapp.models import Conflict, User, utc_now
from webapp.seeds import casting, stories, today, wishes, work, writing

__all__ = ["Demo", "fill_for", "fill_with_demo"]

NO_ADDRESS = (
    "The demo's webhooks send to inboxes of this installation, so it must know its own address: set WEBAPP_BASE_URL, "
    "for example to http://127.0.0.1:5000."
)


@dataclass(frozen=True)
class Demo:
    """The sign-in of the demo's operator."""

    email: str
    password: str


def fill_with_demo() -> Demo | None:
    """Fill an empty installation; None, and nothing is changed, when there are people already.

    Raises Conflict, before anything is changed, when the installation does not know its own address. Only the
    operator's password is told; the teammates' passwords are known to nobody.
    """
    if not people.is_empty():
        return None
    if not current().base_url:
        raise Conflict(NO_ADDRESS)
    password = secrets.token_urlsafe(12)
    ada = casting.engage_ada(password)
    fill_for(ada)
    return Demo(ada.email, password)


def fill_for(ada: User) -> None:
    """Fill an installation whose only person plays Ada: teammates, another company, and all that the demo shows."""
    now = utc_now()
    cast = casting.engage(ada, now)
    told = [stories.begin(story, cast, now) for story in stories.of(cast)]
    done = work.of_a_week(cast, now)
    wanted = wishes.grant(done.events, [one.webhook for one in told], cast)
    writing.write(done, [one.take_its_course(wanted[one.webhook.id], now) for one in told], cast)
    today.go_on(cast, done)
