"""Projects: another application mirrors its own by their own ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import workspace as shapes
from webapp.models import Project
from webapp.workspace import access, projects

bp = Resource("projects", "Where things happen, and what webhooks choose.")


@bp.call("GET", "/projects", "listProjects")
@bp.gives(200, shapes.ProjectList, example={"items": [shapes.PROJECT_SHOWN]})
def index() -> dict[str, Any]:
    """List the projects that you are a member of, archived ones too."""
    return {"items": access.projects_of(caller(), include_archived=True)}


@bp.call("GET", "/projects/<project_id>", "readProject")
@bp.gives(200, shapes.ProjectShown, example=shapes.PROJECT_SHOWN)
def show(project_id: str) -> Project:
    """Read one project."""
    return access.load_project(project_id, caller())


@bp.call("PUT", "/projects/<project_id>", "putProject")
@bp.takes(shapes.ProjectBody, example=shapes.PROJECT)
@bp.gives(200, shapes.ProjectShown, example=shapes.PROJECT_SHOWN)
def put(values: Mapping[str, Any], project_id: str) -> Project:
    """Make a project with an id of your own in one of your companies, or rename it.

    Ids have 1 to 64 of the characters A-Z, a-z, 0-9, “_” and “-”. Whoever makes one is its owner; an id that belongs to
    somebody else answers 404.
    """
    return projects.upsert(
        project_id, name=values["name"], company_id=values["company_id"], slug=values.get("slug"), by=caller()
    )
