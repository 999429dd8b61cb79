"""The page of a record: all of it, or for htmx the part below the heading, which is swapped by its id."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webapp.models import Project, Record, utc_now
from webapp.request_extensions import htmx
from webapp.web.forms import Form
from webapp.web.loading import me
from webapp.web.record_forms import (
    CommentForm,
    DatesForm,
    DescriptionForm,
    PeopleForm,
    TagsForm,
    TitleForm,
    place_form,
)
from webapp.web.record_history import fingerprint, sent
from webapp.web.redirects import next_path
from webapp.workspace import access, checklists, comments, custom_fields, field_values, lists, members, moments, tags
from webapp.workspace.moments import DueState

PART = "record"  # the id that htmx swaps


def show(
    record: Record, *, wrong: dict[str, Form] | None = None, note: str = "", warning: str = "", opened: str = ""
) -> Response:
    """The record. `wrong` are forms that came back, by the part they belong to; `opened` names a form to go on with."""
    wrong = wrong or {}
    project = record.list.project
    role = access.role_in(project, me())
    html = render_template(
        "records/_record.html" if is_part() else "records/show.html",
        record=record,
        project=project,
        rights=set() if project.archived else access.rights(role),
        forms=_forms(record) | wrong,
        wrong=wrong,
        checklists=checklists.of(record),
        comments=comments.of(record),
        may_delete_comment=lambda comment: not project.archived and comments.may_delete(comment, me(), role),
        me=me(),
        members=[member.user for member in members.of(project)],
        tags=[use.tag for use in tags.of(project)],
        fields=[use.field for use in custom_fields.of(project)],
        values={value.field_id: field_values.shown(value) for value in record.field_values},
        sent=sent(record, me()),
        note=note,
        warning=warning,
        opened=opened,
        is_overdue=moments.due_state(record.dued_at, done=record.done, now=utc_now()) is DueState.OVERDUE,
    )
    response = make_response(html, 422 if wrong else 200)
    response.vary.add("HX-Request")
    return response


def changed(record: Record, *, warning: str = "", opened: str = "") -> AnyResponse:
    """After a change: the record as it is now, by a redirect where there is no htmx."""
    if is_part():
        return show(record, note=_("Saved."), warning=warning, opened=opened)
    return redirect(next_path(url_for("records.show", record_id=record.id, _anchor=opened or None)), 303)


def news(record: Record, seen: str) -> Response:
    """What was sent of it, for a page that has `seen` how it stood; 204 when that is how it stands."""
    told = sent(record, me()) or []
    if fingerprint(told) == seen:
        return Response(status=204)
    return make_response(render_template("records/_sent.html", record=record, sent=told))


def is_part() -> bool:
    """Whether htmx asks for the part that it swaps."""
    return bool(htmx) and htmx.target == PART


def _forms(record: Record) -> dict[str, Form]:
    return {
        "title": TitleForm(formdata=None, title=record.title),
        "description": DescriptionForm(formdata=None, description=record.text or ""),
        "place": place_form(record, destinations(record)),
        "dates": DatesForm.of(record, record.timezone),
        "people": PeopleForm(formdata=None, assignee_ids=[one.user_id for one in record.assignees]),
        "tags": TagsForm(formdata=None, tag_ids=[one.tag_id for one in record.tags]),
        "comment": CommentForm(formdata=None),
    }


def destinations(record: Record) -> list[tuple[Project, list[Any]]]:
    """The record's project with its lists; for its administrators also the others that they administer."""
    own, mine = record.list.project, me()
    others = access.run_by(mine) if access.role_in(own, mine) in access.ADMINISTRATORS else []
    return [(project, lists.of(project)) for project in [own, *(each for each in others if each is not own)]]
