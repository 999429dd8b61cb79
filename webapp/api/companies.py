"""Companies: another application mirrors its own by their own ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import workspace as shapes
from webapp.models import Company
from webapp.workspace import companies

bp = Resource("companies", "The organizations that projects belong to.")


@bp.call("GET", "/companies", "listCompanies")
@bp.gives(200, shapes.CompanyList, example={"items": [shapes.COMPANY_SHOWN]})
def index() -> dict[str, Any]:
    """List the companies that you belong to."""
    return {"items": companies.of(caller())}


@bp.call("GET", "/companies/<company_id>", "readCompany")
@bp.gives(200, shapes.CompanyShown, example=shapes.COMPANY_SHOWN)
def show(company_id: str) -> Company:
    """Read one company."""
    return companies.load(company_id, caller())


@bp.call("PUT", "/companies/<company_id>", "putCompany")
@bp.takes(shapes.CompanyBody, example=shapes.COMPANY)
@bp.gives(200, shapes.CompanyShown, example=shapes.COMPANY_SHOWN)
def put(values: Mapping[str, Any], company_id: str) -> Company:
    """Make a company with an id of your own, or rename it.

    Ids have 1 to 64 of the characters A-Z, a-z, 0-9, “_” and “-”. Whoever makes one is its owner; an id that belongs to
    somebody else answers 404.
    """
    return companies.upsert(company_id, name=values["name"], slug=values.get("slug"), by=caller())
