"""The colours that forms offer for tags and options; others can be typed."""

from __future__ import annotations

from flask import Flask

from webapp.web.forms import lazy_text as _l

COLORS = {
    "#4a9fff": _l("Blue"),
    "#00a0d2": _l("Sky"),
    "#0f9d8f": _l("Teal"),
    "#2e9e4f": _l("Green"),
    "#8bb000": _l("Lime"),
    "#e0a800": _l("Yellow"),
    "#f07d1a": _l("Orange"),
    "#e5484d": _l("Red"),
    "#e0529c": _l("Pink"),
    "#8e5bd8": _l("Violet"),
    "#8a6a4f": _l("Brown"),
    "#7a8699": _l("Grey"),
}


def init_app(app: Flask) -> None:
    """Let the templates offer them."""
    app.jinja_env.globals["colors"] = COLORS
