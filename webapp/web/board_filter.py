"""What of a board is shown: the filter, and the lists shown whole. Both stand in the address, so links keep them."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from flask import request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import SearchField, SelectField

from webapp.models import Project
from webapp.web.forms import Form, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.person import time_zone
from webapp.web.redirects import here
from webapp.workspace import members, tags
from webapp.workspace.cards import DueWish, Wanted

MAX_TEXT_LENGTH = 250
NAMES = ("q", "assignee", "tag", "done", "due")
DONE = {"1": True, "0": False}


class FilterForm(Form):
    """The filter as fields. Their names are those of the address."""

    q = SearchField(_l("Title"), id="filter-title")
    assignee = SelectField(_l("Assignee"), id="filter-assignee", validate_choice=False)
    tag = SelectField(_l("Tag"), id="filter-tag", validate_choice=False)
    done = SelectField(_l("Done"), id="filter-done", validate_choice=False)
    due = SelectField(_l("Due"), id="filter-due", validate_choice=False)


class BoardAddress:
    """The part of a board's address behind the question mark."""

    def __init__(self, project: Project, query: MultiDict[str, str]) -> None:
        self._project = project
        self.values = {name: query.get(name, "").strip()[:MAX_TEXT_LENGTH] for name in NAMES}
        self.whole = tuple(dict.fromkeys(query.getlist("list")))

    @classmethod
    def of_request(cls, project: Project) -> Self:
        """As the request says; after a form as the page says that it stood on."""
        if request.method == "GET":
            return cls(project, request.args)
        page = urlsplit(here())
        is_board = page.path == url_for("projects.show", project_id=project.id)
        return cls(project, MultiDict(parse_qsl(page.query) if is_board else ()))

    @property
    def wanted(self) -> Wanted:
        """The cards that fit. What cannot be read does not matter."""
        values = self.values
        return Wanted(
            text=values["q"],
            assignee_id=values["assignee"],
            tag_id=values["tag"],
            done=DONE.get(values["done"]),
            due=DueWish(values["due"]) if values["due"] in set(DueWish) else None,
            timezone=time_zone(),
        )

    @property
    def restricts(self) -> bool:
        """Whether any card may be left out by the filter."""
        return self.wanted.restricts

    def url(self, *, whole: str | None = None, **further: Any) -> str:
        """The board with this filter, `whole` among the lists shown whole."""
        lists = [*self.whole, whole] if whole else list(self.whole)
        rest: dict[str, Any] = {name: value for name, value in self.values.items() if value}
        rest["list"] = lists or None
        return url_for("projects.show", project_id=self._project.id, **further, **rest)

    def form(self) -> FilterForm:
        """The fields with their choices."""
        form = FilterForm(formdata=None, **self.values)
        people = [choice(each.user_id, each.user.name) for each in members.of(self._project)]
        form.assignee.choices = [choice("", _("Every assignee")), *people]
        form.tag.choices = [
            choice("", _("Every tag")),
            *(choice(u.tag.id, u.tag.title) for u in tags.of(self._project)),
        ]
        form.done.choices = [choice("", _("Done or not")), choice("0", _("Not done")), choice("1", _("Done"))]
        form.due.choices = [
            choice("", _("Any due date")),
            choice(DueWish.OVERDUE.value, _("Overdue")),
            choice(DueWish.WEEK.value, _("Due this week")),
            choice(DueWish.NONE.value, _("No due date")),
        ]
        return form
