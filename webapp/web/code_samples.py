"""The samples that verify signatures, one tab for each language. The language that somebody picks is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from flask import Response, after_this_request, current_app, request
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from jinja2 import BaseLoader

COOKIE = "samples"
COOKIE_SECONDS = 365 * 24 * 3600
ARGUMENT = "language"


@dataclass(frozen=True)
class Language:
    """A language, with its files: the one for X-Signature, and the one for the Standard Webhooks headers."""

    code: str
    label: LazyString | str
    lexer: str
    plain: str
    standard: str


LANGUAGES = (
    Language("node", "Node.js", "javascript", "receiver.mjs", "standard.mjs"),
    Language("python", "Python", "python", "receiver.py", "standard.py"),
    Language("bash", _l("Bash and OpenSSL"), "bash", "verify.sh", "standard.sh"),
)


@dataclass(frozen=True)
class Samples:
    """The samples of one language, which the tests run, and all languages to choose from."""

    chosen: Language
    plain: str
    standard: str
    page: str
    languages: Sequence[Language] = LANGUAGES


def samples(page: str) -> Samples:
    """The samples in the language that is asked for, else in the one picked last, else in the first.

    `page` is the address of the page that shows them.
    """
    asked = _known(request.args.get(ARGUMENT))
    if asked:
        after_this_request(_remember(asked))
    chosen = asked or _known(request.cookies.get(COOKIE)) or LANGUAGES[0]
    return Samples(chosen, _text(chosen.plain), _text(chosen.standard), page)


def _known(code: str | None) -> Language | None:
    return next((each for each in LANGUAGES if each.code == code), None)


def _text(file: str) -> str:
    loader = cast(BaseLoader, current_app.jinja_env.loader)
    return loader.get_source(current_app.jinja_env, f"docs/samples/{file}")[0]


def _remember(language: Language) -> Callable[[Response], Response]:
    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            language.code,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
        return response

    return set_cookie
