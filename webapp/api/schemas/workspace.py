"""Companies and projects as callers mirror and read them."""

from __future__ import annotations

from marshmallow import fields

from webapp.api.schemas.base import Flag, Instant, Shape, Text

COMPANY = {"name": "Acme", "slug": "acme"}
PROJECT = {"name": "Web shop", "companyId": "acme", "slug": "web-shop"}
MOMENTS = {"createdAt": "2026-05-04T12:00:00.000Z", "updatedAt": "2026-05-04T12:00:00.000Z"}
COMPANY_SHOWN = {"id": "acme", **COMPANY, **MOMENTS}
PROJECT_SHOWN = {"id": "shop", **PROJECT, "description": "", "archived": False, **MOMENTS}


class CompanyBody(Shape):
    """What a company is called."""

    name = Text(required=True)
    slug = Text(allow_none=True, metadata={"description": "made from the name when left out"})


class CompanyShown(Shape):
    """A company that you belong to."""

    id = Text()
    name = Text()
    slug = Text()
    created_at = Instant()
    updated_at = Instant()


class CompanyList(Shape):
    """The companies that you belong to, by name."""

    items = fields.List(fields.Nested(CompanyShown))


class ProjectBody(Shape):
    """What a project is called and whose it is."""

    name = Text(required=True)
    company_id = Text(required=True)
    slug = Text(allow_none=True, metadata={"description": "made from the name when left out"})


class ProjectShown(Shape):
    """A project that you are a member of."""

    id = Text()
    name = Text()
    company_id = Text()
    slug = Text()
    description = Text()
    archived = Flag()
    created_at = Instant()
    updated_at = Instant()


class ProjectList(Shape):
    """The projects that you are a member of, by company and name."""

    items = fields.List(fields.Nested(ProjectShown))
