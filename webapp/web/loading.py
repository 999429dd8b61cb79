"""One loader per kind of thing: within what the person who looks may see, else the error that becomes a 404."""

from __future__ import annotations

from flask import Blueprint
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.models import Project, Record, RecordList, User
from webapp.web.errors import ask_to_sign_in
from webapp.web.person import person
from webapp.workspace import access


def me() -> User:
    """Who looks at the page. Only for pages of signed-in people."""
    found: User = current_user._get_current_object()
    return found


def for_people(blueprint: Blueprint) -> Blueprint:
    """Keep all pages of a blueprint for signed-in people; others are sent to the sign-in page."""
    blueprint.before_request(_ask_the_signed_out)
    return blueprint


def project(project_id: str) -> Project:
    """A project of mine, or 404."""
    return access.load_project(project_id, me())


def record_list(list_id: str) -> RecordList:
    """A list of a project of mine, or 404."""
    return access.load_list(list_id, me())


def record(record_id: str) -> Record:
    """A record of a project of mine, or 404."""
    return access.load_record(record_id, me())


def _ask_the_signed_out() -> Response | None:
    return None if person() else ask_to_sign_in()
