"""Parts of cards that many cards share: a tag, a due date, people. Each is made once for a board."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache

from flask import get_template_attribute
from markupsafe import Markup

from webapp.web.formats import absolute, day
from webapp.workspace.cards import Mark


class BoardParts:
    """The parts of one answer: in the language and the time zone of whoever asks."""

    def __init__(self) -> None:
        chip = get_template_attribute("macros/colors.html", "chip")
        faces = get_template_attribute("macros/faces.html", "faces")

        @cache
        def chip_of(mark: Mark) -> Markup:
            made: Markup = chip(mark.title, mark.color)
            return made

        @cache
        def faces_of(names: tuple[str, ...]) -> Markup:
            made: Markup = faces([(initials(name), name) for name in names])
            return made

        @cache
        def due(at: datetime) -> tuple[str, str, str]:
            return at.isoformat(), day(at), absolute(at)

        self.chip: Callable[[Mark], Markup] = chip_of
        self.faces: Callable[[tuple[str, ...]], Markup] = faces_of
        self.due: Callable[[datetime], tuple[str, str, str]] = due


def initials(name: str) -> str:
    """Two letters for a name: of its first and its last word."""
    words = name.split()
    return "".join(word[0] for word in dict.fromkeys([words[0], words[-1]])).upper() if words else "?"
