"""The rules for short texts that people type: names, titles, addresses for people to read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import escape
from typing import Any

from webapp.models.errors import Invalid

NAME_LENGTH = 100
SLUG_LENGTH = 100
CALLER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def checked(**rules: Callable[[], Any]) -> dict[str, Any]:
    """What each rule returns, by name. Raises one Invalid that carries the errors of all that failed."""
    values, errors = {}, []
    for name, rule in rules.items():
        try:
            values[name] = rule()
        except Invalid as error:
            errors.append(error)
    if errors:
        raise Invalid.many(errors)
    return values


def one_line(field: str, value: str | None, *, longest: int, empty: str = "") -> str:
    """The text without blanks at its ends, every run of white space as one blank.

    Raises Invalid at `field` when it is longer than `longest` characters, holds control characters, or is empty and
    `empty` is the sentence for that.
    """
    text = " ".join((value or "").split())
    if not text and empty:
        raise Invalid(field, empty)
    if len(text) > longest:
        raise Invalid(field, "Use at most %(longest)s characters.", longest=longest)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise Invalid(field, "Leave out the control characters.")
    return text


def paragraphs(field: str, value: str | None, *, longest: int, empty: str = "") -> str:
    """The text with its line breaks as newlines. Raises Invalid at `field` as one_line() does."""
    text = re.sub(r"\r\n?", "\n", value or "").strip()
    if not text and empty:
        raise Invalid(field, empty)
    if len(text) > longest:
        raise Invalid(field, "Use at most %(longest)s characters.", longest=longest)
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        raise Invalid(field, "Leave out the control characters.")
    return text


def as_html(text: str) -> str:
    """Plain text as HTML: nothing in it is markup, blank lines part paragraphs, other line breaks stay."""
    parts = re.split(r"\n(?:[ \t]*\n)+", escape(text, quote=False))
    return "".join("<p>" + part.replace("\n", "<br>") + "</p>" for part in parts)


def slug(value: str | None, *, name: str) -> str:
    """The slug that was typed, or one made from the name. Raises Invalid at `slug`."""
    typed = one_line("slug", value, longest=SLUG_LENGTH)
    if typed and not SLUG.fullmatch(typed):
        raise Invalid("slug", "Use letters without accents, digits, “-” and “_” only.")
    return typed or slug_of(name)


def slug_of(name: str) -> str:
    """A name as it can stand in an address: lower-case letters without accents, digits and single dashes."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].rstrip("-") or "untitled"


def caller_id(value: str) -> str:
    """An id that the caller chose. Raises Invalid at `id`."""
    if not CALLER_ID.fullmatch(value):
        raise Invalid("id", "Use 1 to 64 of the characters A-Z, a-z, 0-9, “_” and “-” for an id.")
    return value
