"""Tags of a project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import tags as shapes
from webapp.models import Tag
from webapp.workspace import access, tags

bp = Resource("tags", "Words in colours that records carry.")


@bp.call("GET", "/projects/<project_id>/tags", "listTags")
@bp.gives(200, shapes.TagList, example={"items": [shapes.SHOWN | {"records": 12}]})
def index(project_id: str) -> dict[str, Any]:
    """List the tags of a project by title, and on how many records each is."""
    uses = tags.of(access.load_project(project_id, caller()))
    return {"items": [shapes.shown(use.tag) | {"records": use.records} for use in uses]}


@bp.call("POST", "/projects/<project_id>/tags", "createTag")
@bp.takes(shapes.TagBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.TagShown, example=shapes.SHOWN)
def create(values: Mapping[str, Any], project_id: str) -> tuple[Tag, int, dict[str, str]]:
    """Add a tag. Publishes TAG_CREATED. Needs the role Member."""
    tag = tags.create(
        values["title"],
        project=access.load_project(project_id, caller()),
        by=caller(),
        color=values.get("color"),
    )
    return tag, 201, {"Location": url_for("api_tags.show", tag_id=tag.id)}


@bp.call("GET", "/tags/<tag_id>", "readTag")
@bp.gives(200, shapes.TagShown, example=shapes.SHOWN)
def show(tag_id: str) -> Tag:
    """Read one tag."""
    return tags.load(tag_id, caller())


@bp.call("PATCH", "/tags/<tag_id>", "changeTag")
@bp.takes(shapes.TagPatch, example=shapes.EXAMPLE)
@bp.gives(200, shapes.TagShown, example=shapes.SHOWN)
def edit(values: Mapping[str, Any], tag_id: str) -> Tag:
    """Change the title or colour of a tag. A difference publishes TAG_UPDATED. For administrators."""
    tag = tags.load(tag_id, caller())
    tags.edit(tag, by=caller(), **values)
    return tag


@bp.call("DELETE", "/tags/<tag_id>", "deleteTag")
@bp.gives(204)
def delete(tag_id: str) -> None:
    """Delete a tag. Publishes TAG_DELETED; its records publish nothing. For administrators."""
    tags.delete(tags.load(tag_id, caller()), by=caller())
