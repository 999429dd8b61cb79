"""The keys that do things, as a page and as the list that `?` opens. static/js/shortcuts.js and rows.js heed them."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webapp.request_extensions import htmx
from webapp.web import frame
from webapp.web.loading import for_people

ON_PAGES = (
    (("?",), _l("This list")),
    (("n",), _l("Something new: the main button of the page")),
    (("/",), _l("Search or filter")),
)
IN_LISTS = (
    (("j",), _l("The next row")),
    (("k",), _l("The row before")),
    (("Enter",), _l("Open the row")),
)
ON_A_DELIVERY = ((("r",), _l("Retry, or send again")),)

bp = for_people(Blueprint("shortcuts", __name__, url_prefix="/shortcuts"))


@bp.get("")
def show() -> str:
    """All shortcuts. Asked by htmx, the list alone."""
    is_part = htmx and not htmx.boosted
    return render_template("shortcuts/_list.html" if is_part else "shortcuts/show.html", groups=list(_groups()))


def _groups() -> Iterator[tuple[str, list[tuple[tuple[str, ...], str]]]]:
    yield _("On every page"), [(keys, str(words)) for keys, words in ON_PAGES]
    entries = [entry for entry in (*frame.Frame().bar, *frame.Frame().menu) if entry.key]
    yield _("Go to a page"), [(("g", entry.key), str(entry.label)) for entry in entries]
    yield _("In lists"), [(keys, str(words)) for keys, words in IN_LISTS]
    yield _("On a delivery"), [(keys, str(words)) for keys, words in ON_A_DELIVERY]
