"""Many records in one call: all or none, one event for each that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import records as shapes
from webapp.workspace import access, record_bulk

bp = Resource("record-bulk", "Up to 200 records in one call, all or none.")
IDS = [shapes.SHOWN["id"]]


@bp.call("POST", "/records/completions", "completeRecords")
@bp.takes(shapes.CompletionsBody, example={"recordIds": IDS, "done": True})
@bp.gives(200, shapes.Changed, example={"count": 1})
def create_completion(values: Mapping[str, Any]) -> dict[str, int]:
    """Mark records as done, or as not done. One TODO_DONE_STATUS_UPDATED for each that was not so."""
    return {"count": record_bulk.set_done(values["record_ids"], values["done"], by=caller())}


@bp.call("POST", "/records/moves", "moveRecords")
@bp.takes(shapes.MovesBody, example={"recordIds": IDS, "listId": shapes.SHOWN["listId"], "place": None})
@bp.gives(200, shapes.Changed, example={"count": 1})
def create_move(values: Mapping[str, Any]) -> dict[str, int]:
    """Move records to a list, in the order they are named. One TODO_MOVED for each from another list."""
    list_ = access.load_list(values["list_id"], caller())
    return {"count": record_bulk.move(values["record_ids"], list_=list_, by=caller(), place=values["place"])}


@bp.call("POST", "/records/deletions", "deleteRecords")
@bp.takes(shapes.RecordIds, example={"recordIds": IDS})
@bp.gives(200, shapes.Changed, example={"count": 1})
def create_deletion(values: Mapping[str, Any]) -> dict[str, int]:
    """Delete records for good. One TODO_DELETED for each."""
    return {"count": record_bulk.delete(values["record_ids"], by=caller())}
