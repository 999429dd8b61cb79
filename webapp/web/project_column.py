"""The column beside the settings of a project: its pages, as far as this installation has them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.models import Project

PAGES = (
    ("project_settings.edit", _l("General"), "settings"),
    ("members.index", _l("Members"), "users"),
    ("tags.index", _l("Tags"), "tag"),
    ("custom_fields.index", _l("Custom fields"), "list-checks"),
)


@dataclass(frozen=True)
class Place:
    """One entry of the column."""

    url: str
    label: LazyString
    icon: str
    is_current: bool


def init_app(app: Flask) -> None:
    """Let the templates ask for the column."""
    app.jinja_env.globals["project_column"] = places


def places(project: Project) -> list[Place]:
    """The entries for a project's settings."""
    return [
        Place(url_for(endpoint, project_id=project.id), label, icon, request.blueprint == endpoint.partition(".")[0])
        for endpoint, label, icon in PAGES
        if endpoint in current_app.view_functions
    ]
