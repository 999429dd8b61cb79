"""The delivery log as a part of pages: a page of rows with its filters, and the news of it for the live view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from webapp.models import User
from webapp.web import webhook_pages
from webapp.web.delivery_rows import Row, rows
from webapp.web.log_extras import LogExtras, page_url
from webapp.web.log_forms import LogForm
from webapp.webhooks import access, log

MAX_SEQ = 2**53
GROWS_TO = 2  # pages; a log that has grown longer begins anew with its first page


@dataclass
class LogView:
    """What the log's templates ask."""

    form: LogForm
    rows: list[Row]
    newest: int
    is_top: bool
    webhook_id: str | None
    older: str = ""
    newer: str = ""
    others_are_watched: bool = False
    searched_to: datetime | None = None
    waiting: int = 0  # new ones that the page has not asked for yet

    @property
    def extras(self) -> LogExtras:
        """What stands round the rows: chips, exports, the way to a replay, how long all is kept."""
        return LogExtras(self.form, self.webhook_id)

    @property
    def clear_url(self) -> str:
        """The same log without filters."""
        return page_url(self.webhook_id, {})

    @property
    def refresh_url(self) -> str:
        """The first page with the same filters."""
        return page_url(self.webhook_id, self.form.values)

    @property
    def news_url(self) -> str:
        """Where the live view asks; empty when nothing on this page can change any more."""
        is_growing = self.is_top and self.form.filters.is_open
        if not (is_growing or self.others_are_watched or any(row.is_watched for row in self.rows)):
            return ""
        values: dict[str, Any] = self.form.values | {"after": str(self.newest), "top": "1" if self.is_top else ""}
        return url_for("deliveries.news", webhook_id=self.webhook_id, **values)

    def link(self, cursor: int | None, name: str) -> str:
        """The neighbouring page at this cursor."""
        return "" if cursor is None else page_url(self.webhook_id, self.form.values | {name: str(cursor)})


def view(user: User, webhook_id: str | None = None) -> LogView:
    """The page of the log that this request asks for: of one webhook, or of all of this person's."""
    form = LogForm.of_request(user, webhook_id)
    before, after = request.args.get("before", type=_seq), request.args.get("after", type=_seq)
    page = log.deliveries(
        user,
        form.filters,
        after if before is None else before,
        form.rows,
        is_upwards=before is None and after is not None,
    )
    return _shown(user, form, page, is_top=before is None and page.newer is None)


def news(user: User, webhook_id: str | None) -> Response:
    """What changed since the page asked last: new rows, changed rows and the next question; 204 when nothing did."""
    form = LogForm.of_request(user, webhook_id)
    asked = _Asked.of(request.args)
    found = log.newer(
        user,
        form.filters,
        after=asked.after,
        shown=asked.shown,
        watched=asked.watched.keys(),
        limit=form.rows + 1,
    )
    fresh = rows(user, found.fresh) if asked.is_top else []
    changed = [row for row in rows(user, found.watched) if row.mark != asked.watched[row.delivery.seq]]
    if not changed and len(fresh) == (asked.waiting if asked.is_away else 0):
        return Response(status=204)
    if fresh and (not asked.shown or (not asked.is_away and asked.has_no_room_for(len(fresh), form.rows))):
        return _anew(user, webhook_id)
    added = [] if asked.is_away else fresh
    newest = max([asked.after, *(row.delivery.seq for row in added)])
    following = LogView(form, [*added, *changed], newest, asked.is_top, webhook_id)
    following.others_are_watched = len(asked.watched) > len(changed)
    following.waiting = len(fresh) - len(added)
    # What happened to deliveries may have changed how the head of their webhook's page says that it stands.
    shown = webhook_pages.shown([access.load(user, webhook_id)])[0] if webhook_id else None
    return make_response(
        render_template("deliveries/_news.html", log=following, fresh=added, changed=changed, shown=shown)
    )


@dataclass(frozen=True)
class _Asked:
    """What the page says of itself: its cursor, the rows that it shows, and how it shows the ones that can change.

    `is_away`: its upper end is not on the screen, so new rows would make it jump; it says how many are `waiting`.
    """

    after: int
    is_top: bool
    is_away: bool
    waiting: int
    shown: set[int]
    watched: dict[int, str]

    def has_no_room_for(self, number: int, page: int) -> bool:
        """Whether the log would grow too long, or so many are new that not all of them were read."""
        return number > page or len(self.shown) + number > GROWS_TO * page

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> _Asked:
        marks = {number: mark for mark in args.getlist("row") if (number := _number(mark)) is not None}
        watched = {number: mark for number, mark in marks.items() if "." in mark}
        return cls(
            after=_number(args.get("after", "")) or 0,
            is_top=bool(args.get("top")),
            is_away=bool(args.get("away")),
            waiting=_number(args.get("waiting", "")) or 0,
            shown=set(marks),
            watched=watched,
        )


def _anew(user: User, webhook_id: str | None) -> Response:
    response = make_response(render_template("deliveries/_log.html", log=_first_page(user, webhook_id)))
    response.headers["HX-Retarget"] = "#delivery-log"
    response.headers["HX-Reswap"] = "outerHTML"
    return response


def _first_page(user: User, webhook_id: str | None) -> LogView:
    form = LogForm.of_request(user, webhook_id)
    return _shown(user, form, log.deliveries(user, form.filters, None, form.rows), is_top=True)


def _shown(user: User, form: LogForm, page: log.Page, *, is_top: bool) -> LogView:
    shown = rows(user, page.deliveries)
    found = LogView(form, shown, max((row.delivery.seq for row in shown), default=0), is_top, form.webhook_id)
    found.older, found.newer = found.link(page.older, "before"), found.link(page.newer, "after")
    found.searched_to = log.made_at(page.searched_to) if page.searched_to is not None else None
    return found


def _number(mark: str) -> int | None:
    digits = mark.partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 17 else None


def _seq(text: Any) -> int:
    """A cursor; what is none counts as not given."""
    number = _number(str(text))
    if number is None:
        raise ValueError("no cursor")
    return min(number, MAX_SEQ)
