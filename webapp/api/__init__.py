"""REST under /api/v1: bearer tokens, JSON in camelCase, problem documents. May import everything below, never `web`.

In reading order: `resource` (what all calls share), `authentication`, `parsing` and `strict_json` (what comes in),
`errors`, then one module for each resource with its shapes in `schemas`, and `document`, which describes them all.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException

from webapp.api import (
    checklist_items,
    checklists,
    comments,
    companies,
    custom_fields,
    deliveries,
    document,
    errors,
    event_types,
    events,
    lists,
    members,
    projects,
    record_bulk,
    records,
    replays,
    tags,
    webhooks,
)
from webapp.api.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    events.bp,
    event_types.bp,
    companies.bp,
    projects.bp,
    members.bp,
    lists.bp,
    records.bp,
    record_bulk.bp,
    tags.bp,
    custom_fields.bp,
    comments.bp,
    checklists.bp,
    checklist_items.bp,
    webhooks.bp,
    deliveries.bp,
    replays.bp,
)
ADDRESSES = "/api/"


def init_app(app: Flask) -> None:
    """Bind the REST blueprints."""
    assert isinstance(app.json, DefaultJSONProvider)  # noqa: S101 - nobody here brings another
    app.json.sort_keys = False  # as the schemas have them
    app.json.ensure_ascii = False
    app.before_request(_answer_unknown_addresses)
    app.register_blueprint(document.bp)
    calls = document.make(app)
    for resource in RESOURCES:
        calls.register_blueprint(resource)


def _answer_unknown_addresses() -> Response | None:
    """What no route takes belongs to no blueprint: without this, the pages would answer it in their words."""
    error = request.routing_exception
    if error is None or not request.path.startswith(ADDRESSES):
        return None
    return errors.from_http(error) if isinstance(error, HTTPException) else None
