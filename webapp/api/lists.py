"""Lists: the columns of a project's board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import lists as shapes
from webapp.models import RecordList
from webapp.workspace import access, lists

bp = Resource("lists", "The columns of a project's board.")


@bp.call("GET", "/projects/<project_id>/lists", "listLists")
@bp.gives(200, shapes.ListList, example={"items": [shapes.SHOWN]})
def index(project_id: str) -> dict[str, Any]:
    """List the lists of a project, in their order."""
    return {"items": lists.of(access.load_project(project_id, caller()))}


@bp.call("POST", "/projects/<project_id>/lists", "createList")
@bp.takes(shapes.ListBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.ListShown, example=shapes.SHOWN)
def create(values: Mapping[str, Any], project_id: str) -> tuple[RecordList, int, dict[str, str]]:
    """Add a list behind the others. Publishes TODO_LIST_CREATED. Needs the role Member."""
    list_ = lists.create(values["title"], project=access.load_project(project_id, caller()), by=caller())
    return list_, 201, {"Location": url_for("api_lists.show", list_id=list_.id)}


@bp.call("GET", "/lists/<list_id>", "readList")
@bp.gives(200, shapes.ListShown, example=shapes.SHOWN)
def show(list_id: str) -> RecordList:
    """Read one list."""
    return access.load_list(list_id, caller())


@bp.call("PATCH", "/lists/<list_id>", "renameList")
@bp.takes(shapes.ListBody, example=shapes.EXAMPLE)
@bp.gives(200, shapes.ListShown, example=shapes.SHOWN)
def edit(values: Mapping[str, Any], list_id: str) -> RecordList:
    """Rename a list. Another title publishes TODO_LIST_NAME_CHANGED. Needs the role Client."""
    list_ = access.load_list(list_id, caller())
    lists.rename(list_, values["title"], by=caller())
    return list_


@bp.call("DELETE", "/lists/<list_id>", "deleteList")
@bp.gives(204)
def delete(list_id: str) -> None:
    """Delete an empty list. Publishes TODO_LIST_DELETED. Needs the role Member.

    One that holds records answers 409.
    """
    lists.delete(access.load_list(list_id, caller()), by=caller())
