"""A week of work on the two boards: orders that come in, are packed and sent, and pages that are written and checked.

Each thing on a board has a life: a generator that yields the moment of its next step, and takes that step when it is
asked again. The same dice fall every time, so every demo tells the same week.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from webapp.models import Checklist, Comment, Event, Record, RecordList, User
from webapp.seeds import week
from webapp.seeds.boards import Boards
from webapp.seeds.casting import Cast
from webapp.seeds.details import Details
from webapp.seeds.discussions import Discussions

ORDERS_A_DAY, ORDERS_AT_WEEKENDS = 9, 3
FIRST_ORDER = 1021
LAST_HOUR = timedelta(minutes=75)  # before now; in it only what is told below happens
KEPT_AFTER_SENDING = timedelta(days=1)
GOODS = ("desk lamp", "notebook", "whiteboard", "office chair", "shelf", "folder", "fountain pen", "inkwell", "globe")
PAGES = (
    ("Write the imprint", "Write the imprint and the privacy notice"),
    ("Choose a typeface", ""),
    ("Ask Grace for photographs", "Ask Grace for photographs of the workshop"),
    ("Redirect the old addresses", ""),
    ("Draw the start page", ""),
    ("Größe der Bilder prüfen", ""),
    ("Translate the price list", "Translate the price list into French"),
    ("Register the domain", ""),
    ("Page about the Difference Engine", ""),
    ("Contact form", "Contact form without a captcha"),
    ("Choose the colours", ""),
    ("Test with a screen reader", ""),
    ("Page “How we work”", "Page “How we build engines”"),
    ("Newsletter sign-up", ""),
    ("404 page", "A friendly 404 page"),
    ("Opening hours", ""),
)
WAITING_PAGES = ("Choose a search engine", "Write to the old subscribers", "Plan the farewell of the old site")
QUESTION = "Do we need a search at all? The old site had one, and nobody used it."
ANSWER = "Readers ask me every week where to find the tables.\n\nSo yes: a small one, with umlauts please."
AGREED = "Then let us try two of them next week."
STEPS = ("Ask what readers look for", "Try both with the price list", "Look at the licences")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

Life = Iterator[datetime]


@dataclass(frozen=True)
class Work:
    """What was done: everything as it is left, the events, oldest first, and the order that comes next."""

    lists: list[RecordList]
    records: list[Record]
    comments: list[Comment]
    checklists: list[Checklist]
    details: Details
    events: list[Event]
    next_order: str

    def list_named(self, title: str) -> RecordList:
        """The first list of this title."""
        return next(one for one in self.lists if one.title == title)


def of_a_week(cast: Cast, now: datetime) -> Work:
    """All that happened in the last seven days."""
    team = _Team(cast, now)
    _let_live(team.lives(), until=now)
    boards, talk = team.boards, team.talk
    events = sorted(boards.events, key=lambda event: event.created_at)
    left = (boards.lists, boards.records, talk.comments, talk.checklists, team.details)
    return Work(*left, events, team.next_order())


def _let_live(lives: Iterator[Life], until: datetime) -> None:
    """Take every step that lies before `until`, in the order of their moments."""
    numbers = count()
    steps = [(next(life), next(numbers), life) for life in lives]
    heapq.heapify(steps)
    while steps and steps[0][0] < until:
        _, _, life = heapq.heappop(steps)
        following = next(life, None)
        if following is not None:
            heapq.heappush(steps, (following, next(numbers), life))


class _Team:
    """The people at work."""

    def __init__(self, cast: Cast, now: datetime) -> None:
        self.boards = Boards()
        self.talk = Discussions(self.boards)
        self.details = Details(cast, now - timedelta(days=30))
        self._cast, self._now = cast, now
        self._dice = Random("a week of work")  # noqa: S311 - a story, not a secret
        self._numbers = count(FIRST_ORDER)
        self._quiet_from = now - LAST_HOUR
        before = now - timedelta(days=30)
        website, orders = cast.website, cast.orders
        self._to_do, self._doing, self._done = (
            self.boards.add_list(title, website, before, cast.ada, is_told=False)
            for title in ("To do", "Doing", "Done")
        )
        self._new, self._packed, self._sent = (
            self.boards.add_list(title, orders, before, cast.grace, is_told=False)
            for title in ("New", "Packed", "Sent")
        )

    def lives(self) -> Iterator[Life]:
        """Everything that happens, each as a life."""
        for day in week.days(self._now):
            for at in week.moments(day, ORDERS_AT_WEEKENDS if week.is_weekend(day) else ORDERS_A_DAY, self._dice):
                yield self._order(at)
        pages = iter(PAGES)
        for day in week.days(self._now):
            for at in week.moments(day, 2, self._dice):
                yield self._page(at, *next(pages))
        yield self._lists()
        yield self._old_pages()
        yield self._waiting_page()
        yield self._order_of_today()
        yield self._changes_of_today()

    def next_order(self) -> str:
        """The title of one more order."""
        return f"Order {next(self._numbers)}: {self._dice.randint(1, 12)} × {self._dice.choice(GOODS)}"

    def _order(self, at: datetime) -> Life:
        yield at
        if self._is_quiet(at):
            return
        order = self._new_order(at)
        yield (at := self._later(at, 0.3, 4))
        if self._is_quiet(at):
            return
        self.boards.move(order, self._packed, at, self._cast.charles)
        yield (at := self._later(at, 0.5, 6))
        if self._is_quiet(at):
            return
        self.boards.move(order, self._sent, at, self._cast.charles)
        at += 3 * MINUTE * (0.5 + self._dice.random())
        yield at
        self.boards.finish(order, at, self._cast.charles)
        yield (at := week.later(at, KEPT_AFTER_SENDING, 2 * KEPT_AFTER_SENDING, self._dice))
        if not self._is_quiet(at):
            self.boards.delete(order, at, self._cast.grace)

    def _page(self, at: datetime, title: str, better_title: str) -> Life:
        yield at
        if self._is_quiet(at):
            return
        page = self.boards.create(title, self._to_do, at, self._somebody(), adorn=self.details.of_page)
        if better_title:
            yield (at := at + 9 * MINUTE * self._dice.random())
            self.boards.rename(page, better_title, at, self._somebody())
        yield (at := self._later(at, 1, 20))
        if self._is_quiet(at):
            return
        self.boards.move(page, self._doing, at, self._somebody())
        yield (at := self._later(at, 2, 40))
        if self._is_quiet(at):
            return
        self.boards.finish(page, at, self._somebody())
        yield (at := at + MINUTE)
        self.boards.move(page, self._done, at, self._somebody())

    def _lists(self) -> Life:
        """Lists change seldom; who gets only these events gets few."""
        grace, orders = self._cast.grace, self._cast.orders
        yield (at := self._now - 153.6 * HOUR)
        returns = self.boards.add_list("Returns", orders, at, grace)
        yield (at := self._now - 148 * HOUR)
        ideas = self.boards.add_list("Ideas", self._cast.website, at, grace)
        yield (at := self._now - 34.8 * HOUR)
        self.boards.rename_list(ideas, "Later", at, grace)
        yield (at := self._now - 21 * HOUR)
        self.boards.rename_list(returns, "Returned", at, grace)
        yield (at := self._now - 5.5 * HOUR)
        self.boards.rename_list(returns, "Returned goods", at, grace)

    def _old_pages(self) -> Life:
        """Pages from before: some wait, some are deleted in this week."""
        before, ada = self._now - timedelta(days=20), self._cast.ada
        for title in WAITING_PAGES[1:]:
            self.boards.create(title, self._to_do, before, ada, is_told=False)
        drafts = {"Splash screen": 74 * HOUR, "Visitor counter": 12 * HOUR, "Guest book": 50 * MINUTE}
        pages = [self.boards.create(title, self._to_do, before, ada, is_told=False) for title in drafts]
        for page, ago in zip(pages, drafts.values(), strict=True):
            yield (at := self._now - ago)
            self.boards.delete(page, at, ada)

    def _waiting_page(self) -> Life:
        """A page from before that people talk about: what they say, and the steps that they agree on."""
        ada, grace, mary = self._cast.ada, self._cast.grace, self._cast.mary
        before = self._now - timedelta(days=20)
        page = self.boards.create(WAITING_PAGES[0], self._to_do, before, ada, is_told=False)
        said = {50.5: (ada, QUESTION), 49.2: (mary, ANSWER), 28.4: (grace, AGREED)}
        for ago, (person, text) in said.items():
            yield (at := self._now - ago * HOUR)
            self.talk.comment(text, page, at, person)
        yield (at := self._now - 28.3 * HOUR)
        steps = self.talk.add_checklist("Before we choose", page, at, grace, STEPS).items
        yield (at := self._now - 28.2 * HOUR)
        self.talk.assign(steps[1], mary, at, grace)
        yield (at := self._now - 4.7 * HOUR)
        self.talk.tick(steps[0], at, mary)

    def _order_of_today(self) -> Life:
        """One order, packed and sent within the last hour, and just now done."""
        charles = self._cast.charles
        yield (at := self._now - 66 * MINUTE)
        order = self._new_order(at)
        yield (at := self._now - 55.2 * MINUTE)
        self.boards.move(order, self._packed, at, charles)
        yield (at := self._now - 9.4 * MINUTE)
        self.boards.move(order, self._sent, at, charles)
        yield (at := self._now - 4.2 * MINUTE)
        self.boards.finish(order, at, charles)

    def _changes_of_today(self) -> Life:
        """A quarter of an hour ago several orders came in at once; since then it is nearly quiet."""
        charles, grace = self._cast.charles, self._cast.grace
        yield (at := self._now - 14.63 * MINUTE)
        order = self._new_order(at)
        yield (at := self._now - 14.48 * MINUTE)
        self._new_order(at)
        yield (at := self._now - 14.33 * MINUTE)
        self.boards.move(order, self._packed, at, charles)
        for ago in (14.0, 13.9):
            yield (at := self._now - ago * MINUTE)
            self._new_order(at)
        yield (at := self._now - 6.2 * MINUTE)
        page = self.boards.create("Photograph the workshop", self._to_do, at, grace)
        yield (at := self._now - 5.1 * MINUTE)
        self.boards.move(page, self._doing, at, grace)

    def _new_order(self, at: datetime) -> Record:
        by = self._dice.choice((self._cast.charles, self._cast.grace))
        return self.boards.create(self.next_order(), self._new, at, by, adorn=self.details.of_order)

    def _somebody(self) -> User:
        return self._dice.choice((self._cast.ada, self._cast.grace, self._cast.mary))

    def _later(self, at: datetime, least: float, most: float) -> datetime:
        """A moment of work, that many hours later."""
        return week.later(at, least * HOUR, most * HOUR, self._dice)

    def _is_quiet(self, at: datetime) -> bool:
        return at >= self._quiet_from
