"""People as callers see them on comments and checklists."""

from __future__ import annotations

from webapp.api.schemas.base import Shape, Text

PERSON = {"id": "cmb2k8f0a0001jo6w8z1b2c3d", "name": "Ada Moreno"}


class PersonShown(Shape):
    """Somebody of this installation."""

    id = Text()
    name = Text()
