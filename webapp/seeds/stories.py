"""The webhooks of the demo, one in each state of health: what they are set up for, and what became of each.

Each leads to an inbox of its own, which goes on to answer as the story says, so that everything works live.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from webapp.config import current
from webapp.models import Event, Project, Webhook, audit
from webapp.receiver import inboxes
from webapp.receiver.answers import Answer
from webapp.seeds import receivers, writing
from webapp.seeds.casting import Cast
from webapp.seeds.course import NOT_STARTED_AFTER, Course
from webapp.seeds.receivers import Spell, answers, hangs_up, is_down, is_silent
from webapp.seeds.requests import Keys, Writer
from webapp.webhooks import editing, secrets
from webapp.webhooks.editing import WebhookValues
from webapp.webhooks.rules import SecretChoice

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
OLD = timedelta(days=21)  # before now: when most of the webhooks were set up

FINE = Answer(body="ok")
SLOW = Answer(delay_ms=3_000, body="Thank you, the photographs are on their way.")
BUSY = Answer(status=429, retry_after_s=30, body="Slow down, please.")
CLOSED = Answer(status=503, retry_after_s=120, body="Down for maintenance. Back soon.")
BROKEN = Answer(status=500, body="Traceback (most recent call last): KeyError: 'stock'")
OUT_OF_ORDER = Answer(status=500, body="Internal Server Error")
GONE = Answer(status=410, body="This intranet was shut down.")
HANGS_UP = Answer(hangs_up=True)

Spells = Callable[[Sequence[Event], datetime], list[Spell]]
Act = Callable[[Course, datetime], None]


def always(*ways: receivers.Way) -> Spells:
    """The same all the time."""
    return lambda _events, now: [Spell(now - OLD, ways)]


def until(ago: timedelta, *ways: receivers.Way) -> Spells:
    """All was fine until so long ago; since then it is as `ways` say."""
    return lambda _events, now: [Spell(now - OLD, [answers(FINE)]), Spell(now - ago, ways)]


def except_for(ago: timedelta, span: timedelta, *ways: receivers.Way) -> Spells:
    """All is fine but for a span of time that began with the first event after `ago`."""

    def spells(events: Sequence[Event], now: datetime) -> list[Spell]:
        fine = [answers(FINE)]
        began = next(event.created_at for event in events if event.created_at > now - ago)
        return [Spell(now - OLD, fine), Spell(began, ways), Spell(began + span, fine)]

    return spells


@dataclass(frozen=True)
class Story:
    """One webhook: its values (all but the URL), its inbox, how that answers now, and how it answered in the past.

    `made` is how long ago it was set up, `acts` what people did with it (how long ago), `rotated` when its secret was,
    `stuck` after which moment the next event's delivery got stuck.
    """

    name: str
    inbox: str
    spells: Spells
    answer: Answer = FINE
    events: Sequence[str] = ()
    projects: Sequence[Project] = ()
    secret: SecretChoice = editing.GENERATED
    payload_format: str = "full"
    headers: Sequence[tuple[str, str]] = ()
    filter: dict[str, object] | None = None
    made: timedelta = OLD
    acts: Sequence[tuple[timedelta, Act]] = ()
    rotated: timedelta | None = None
    stuck: timedelta | None = None


@dataclass(frozen=True)
class Told:
    """A story whose webhook is set up."""

    story: Story
    webhook: Webhook
    keys: Keys
    snapshot: bytes

    def take_its_course(self, events: Sequence[Event], now: datetime) -> Course:
        """All that happened to the webhook until now, with these events."""
        story = self.story
        names = [name for name, _ in story.headers]
        writer = Writer(self.webhook.url, self.snapshot, self.keys, names)
        course = Course(self.webhook, writer, story.spells(events, now), Random(story.name))  # noqa: S311
        sticks = next((event for event in events if story.stuck and event.created_at > now - story.stuck), None)
        happenings: list[tuple[datetime, Callable[[], object]]] = [
            (event.created_at, partial(course.get_stuck if event is sticks else course.fan_out, event))
            for event in events
        ]
        happenings += [(now - ago, partial(act, course, now - ago)) for ago, act in story.acts]
        for at, happen in sorted(happenings, key=lambda one: one[0]):
            course.go_on(at)
            happen()
        course.go_on(now - NOT_STARTED_AFTER)
        return course


def begin(story: Story, cast: Cast, now: datetime) -> Told:
    """Set the webhook and its inbox up, by the same actions that people use, and move it to where its story begins."""
    inbox = inboxes.create(story.inbox, by=cast.ada)
    if story.answer != FINE:
        inboxes.answer_with(inbox.id, story.answer, by=cast.ada)
    values = WebhookValues(
        name=story.name,
        url=f"{current().base_url.rstrip('/')}/inbox/{inbox.token}",
        secret=story.secret,
        events=story.events,
        project_ids=[project.id for project in story.projects],
        payload_format=story.payload_format,
        headers=story.headers,
        filter=story.filter,
    )
    with audit.dated(now - story.made):
        created = editing.create(values, by=cast.ada)
    known = [created.secret] if created.secret else []
    rotated_at = now - story.rotated if story.rotated is not None else None
    if rotated_at is not None:
        with audit.dated(rotated_at):
            known.insert(0, secrets.rotate(created.webhook, by=cast.ada))
    snapshot = writing.move_back(created.webhook, inbox, now - story.made, rotated_at)
    return Told(story, created.webhook, Keys(known, rotated_at), snapshot)


def of(cast: Cast) -> list[Story]:
    """All stories."""
    return [*_good(cast), *_bad(cast)]


def _good(cast: Cast) -> list[Story]:
    ada, orders, website = cast.ada.id, cast.orders, cast.website
    return [
        Story(
            "Warehouse",
            "Warehouse",
            except_for(75 * HOUR, 40 * MINUTE, is_down),
            projects=[orders],
            acts=[
                (26.4 * HOUR, Course.ping),
                (26.2 * HOUR, lambda course, at: course.test(at, "TODO_MOVED")),
                (2.3 * HOUR, lambda course, at: course.redeliver(at, ada)),
            ],
        ),
        Story(
            "Chat messages",
            "Chat",
            always(*[answers(FINE)] * 16, answers(BUSY)),
            events=["TODO_CREATED", "TODO_DONE_STATUS_UPDATED"],
            secret=editing.NONE,
            payload_format="compact",
        ),
        Story(
            "Packing slips",
            "Label printer",
            always(answers(FINE)),
            events=["TODO_MOVED"],
            projects=[orders],
            filter={
                "match": "all",
                "rules": [{"path": "record.todoList.title", "operator": "is", "value": "Packed"}],
            },
        ),
        Story(
            "Customer notices",
            "Customer notices",
            always(answers(FINE)),
            events=["TODO_MOVED", "TODO_DONE_STATUS_UPDATED"],
            projects=[orders],
            headers=[("X-Api-Key", "k-2f61c0")],
            rotated=6 * HOUR,
        ),
        Story(
            "Photo archive",
            "Photo archive (slow)",
            always(answers(SLOW, most_ms=5_000)),
            answer=SLOW,
            events=["TODO_CREATED", "TODO_DONE_STATUS_UPDATED"],
            projects=[website],
            stuck=80 * HOUR,
        ),
        Story(
            "Mobile app",
            "Mobile app",
            always(answers(FINE)),
            events=["COMMENT_CREATED", "COMMENT_DELETED", "COMMENT_UPDATED"],
            made=25 * MINUTE,
        ),
    ]


def _bad(cast: Cast) -> list[Story]:
    ada, orders, website = cast.ada.id, cast.orders, cast.website
    return [
        Story(
            "Accounting",
            "Accounting (in maintenance)",
            until(30 * MINUTE, answers(CLOSED)),
            answer=CLOSED,
            events=["TODO_DONE_STATUS_UPDATED"],
            projects=[orders],
        ),
        Story(
            "Stock levels",
            "Stock levels (broken)",
            until(15 * MINUTE, answers(BROKEN)),
            answer=BROKEN,
            events=["TODO_CREATED", "TODO_MOVED"],
            projects=[orders],
        ),
        Story(
            "Search index",
            "Search index (hangs up)",
            until(75 * HOUR, is_silent, hangs_up, hangs_up),
            answer=HANGS_UP,
            events=["TODO_DELETED"],
            projects=[website],
            acts=[(9.2 * HOUR, lambda course, at: course.redeliver(at, ada))],
        ),
        Story(
            "Old intranet",
            "Old intranet (gone)",
            until(52 * HOUR, answers(GONE)),
            answer=GONE,
            events=["TODO_NAME_CHANGED", "TODO_MOVED"],
            projects=[website],
        ),
        Story(
            "Partner portal",
            "Partner portal (out of order)",
            until(160 * HOUR, is_silent, is_down, answers(OUT_OF_ORDER), answers(OUT_OF_ORDER)),
            answer=OUT_OF_ORDER,
            events=["TODO_LIST_CREATED", "TODO_LIST_NAME_CHANGED", "TODO_LIST_DELETED"],
            acts=[(161 * HOUR, Course.ping)],
        ),
        Story(
            "Newsletter",
            "Newsletter",
            always(answers(FINE)),
            events=["TODO_CREATED", "TODO_DONE_STATUS_UPDATED"],
            acts=[
                (26 * HOUR, Course.switch_off),
                (1.5 * HOUR, Course.cancel),
            ],
        ),
    ]
