"""JSON and code in colour, rendered on the server by classes (static/css/code-*.css), everything escaped."""

from __future__ import annotations

import json
import re

from flask import Flask
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

MAX_HIGHLIGHTED_BYTES = 256 * 1024
INDENT = "  "
# Deeper levels are shown without further indent, or a small body could grow into a very large page.
MAX_INDENTED_LEVELS = 20

_PARTS = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def init_app(app: Flask) -> None:
    """Register the filters `highlight_json` and `highlight_code`."""
    app.jinja_env.filters.update(highlight_json=highlight_json, highlight_code=highlight_code)


def highlight_json(body: bytes | str) -> Markup:
    """A body as people like to read it: indented and in colour if it is JSON of at most 256 KB, else its text."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if len(text) > MAX_HIGHLIGHTED_BYTES or not is_json(text):
        return Markup("<pre>{}</pre>").format(text)
    return highlight_code(indented(text), "json")


def highlight_code(text: str, language: str) -> Markup:
    """A code sample in colour. `language` is a name that Pygments knows; raises ClassNotFound for another."""
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    inner = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return Markup("<pre>{}</pre>").format(Markup(inner))  # noqa: S704 - Pygments has escaped it


def is_json(text: str) -> bool:
    """Whether a text is JSON that can be read here (a nesting too deep for the reader counts as no)."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def indented(text: str) -> str:
    """Valid JSON laid out over lines. Keys, numbers and strings stay letter by letter as they came."""
    out: list[str] = []
    depth = 0
    before = ""
    for part in _PARTS.findall(text):
        is_end = part in ("}", "]")
        is_empty = is_end and before in ("{", "[")
        depth -= is_end
        if not is_empty and (is_end or before in ("{", "[", ",")):
            out.append(_line(depth))
        out.append(": " if part == ":" else part)
        depth += part in ("{", "[")
        before = part
    return "".join(out)


def _line(depth: int) -> str:
    return "\n" + INDENT * min(depth, MAX_INDENTED_LEVELS)
