"""What stands round every page: navigation, the person's theme, language and time zone, banners."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.models.account import User
from webapp.web import formats, highlighting, static_files
from webapp.web.person import LOCALES, THEMES, has_absolute_times, has_shortcuts, locale, person, theme, time_zone
from webapp.web.redirects import here

__all__ = ["Banner", "Entry", "Frame", "add_banner_source", "init_app", "locale", "person", "time_zone"]

PRODUCT = "Blue Webhooks"
THEME_ICONS = {"auto": "sun-moon", "light": "sun", "dark": "moon"}
BANNER_SOURCES = "frame.banners"
GRAVITY = ("danger", "warning", "info")  # of banners
STYLE_SHEETS = (
    "app",
    "tokens",
    "frame",
    "menus",
    "parts",
    "figures",
    "webhooks",
    "tables",
    "delivery",
    "log",
    "workspace",
    "board",
    "people",
    "colors",
    "record",
    "forms",
    "webhook-form",
    "code",
    "code-light",
    "code-dark",
    "print",
    "forced-colors",
)
# They run before the first paint: who sees a page can press its keys, however long the other scripts take.
EARLY_SCRIPTS = tuple(f"js/{name}.js" for name in ("theme", "rows", "dialogs", "shortcuts"))
SCRIPTS = (
    "vendor/htmx.org@2.0.11/htmx.min.js",
    "vendor/idiomorph@0.8.0/idiomorph-ext.min.js",
    *(
        f"js/{name}.js"
        for name in (
            "notes",
            "swap",
            "live",
            "log",
            "times",
            "copy",
            "choices",
            "unsaved",
            "countdown",
            "drawer",
        )
    ),
)
# No eval and no inline style, for the sake of the content security policy; no page is kept in the browser's storage.
HTMX_CONFIG = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,
    "historyCacheSize": 0,
    "defaultSettleDelay": 0,  # what was put in answers at once: a choice made within 20 ms reached nothing
    "refreshOnHistoryMiss": True,
    "selfRequestsOnly": True,
    "timeout": 15000,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "422", "swap": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}


@dataclass(frozen=True)
class Entry:
    """One place in the navigation. It is shown when its endpoint exists, and marked on all pages of its blueprints."""

    endpoint: str
    label: LazyString
    icon: str
    for_operators: bool = False
    is_public: bool = False
    with_blueprints: tuple[str, ...] = ()
    key: str = ""  # g and then this key lead there

    @property
    def url(self) -> str:
        """Where it leads."""
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """Whether the page shown belongs to it."""
        return (request.blueprint or "") in {self.endpoint.partition(".")[0], *self.with_blueprints}


@dataclass(frozen=True)
class Banner:
    """A line below the bar of every page, with its one link. `kind` is a Bootstrap colour: danger, warning, info."""

    kind: str
    text: str
    url: str = ""
    link_text: str = ""

    @property
    def gravity(self) -> int:
        """The lower, the graver."""
        return GRAVITY.index(self.kind)


OF_WEBHOOKS = ("handovers", "releases", "replays", "signature_checks", "signatures", "tests")
IN_PROJECTS = (
    "checklist_items",
    "checklists",
    "comments",
    "companies",
    "custom_fields",
    "imports",
    "lists",
    "members",
    "project_settings",
    "records",
    "tags",
)
BAR = (
    Entry("projects.index", _l("Projects"), "folder-kanban", with_blueprints=IN_PROJECTS, key="p"),
    Entry("webhooks.index", _l("Webhooks"), "webhook", with_blueprints=OF_WEBHOOKS, key="w"),
    Entry("deliveries.index", _l("Deliveries"), "send", key="d"),
    Entry("events.index", _l("Events"), "zap", key="e"),
    Entry("event_types.index", _l("Event types"), "list-checks", key="t"),
    Entry("inboxes.index", _l("Inbox"), "inbox", key="i"),
    Entry("docs.show", _l("Docs"), "book-open", is_public=True, key="h"),
)
MENU = (
    Entry("profile.edit", _l("Profile settings"), "user", key="s"),
    Entry("users.index", _l("Users"), "users", for_operators=True, key="u"),
    Entry("system.show", _l("System"), "server", for_operators=True, key="y"),
    Entry("shortcuts.show", _l("Keyboard shortcuts"), "keyboard"),
)
SETTINGS = (
    Entry("profile.edit", _l("Profile"), "user"),
    Entry("tokens.index", _l("API"), "code-xml"),
    Entry("webhooks.index", _l("Webhooks"), "webhook", with_blueprints=OF_WEBHOOKS),
)


class Frame:
    """What the templates of the frame ask, as `frame`."""

    product = PRODUCT
    locales = LOCALES
    themes = THEMES
    theme_icons = THEME_ICONS
    style_sheets = STYLE_SHEETS
    early_scripts = EARLY_SCRIPTS
    scripts = SCRIPTS
    htmx_config = json.dumps(HTMX_CONFIG, separators=(",", ":"))

    @property
    def person(self) -> User | None:
        """Who is signed in."""
        return person()

    @property
    def bar(self) -> list[Entry]:
        """The entries of the top bar."""
        return _visible(BAR)

    @property
    def menu(self) -> list[Entry]:
        """The entries of the user menu."""
        return _visible(MENU)

    @property
    def settings(self) -> list[Entry]:
        """The entries of the column beside the settings pages."""
        return _visible(SETTINGS)

    @property
    def theme(self) -> str:
        """`auto`, `light` or `dark`."""
        return theme()

    @property
    def locale(self) -> str:
        """`en` or `de`."""
        return locale()

    @property
    def time_zone(self) -> str:
        """The IANA name of the person's time zone."""
        return time_zone()

    @property
    def has_absolute_times(self) -> bool:
        """Whether times are shown as date and clock."""
        return has_absolute_times()

    @property
    def has_shortcuts(self) -> bool:
        """Whether keys of the keyboard do things."""
        return has_shortcuts()

    @property
    def banners(self) -> list[Banner]:
        """What every signed-in person must see, the gravest first, of those the newest."""
        sources: list[Callable[[], Iterable[Banner]]] = current_app.extensions[BANNER_SOURCES]
        banners = [banner for source in sources for banner in source()] if person() else []
        return sorted(banners, key=lambda banner: banner.gravity)

    @property
    def here(self) -> str:
        """The address of the page, to come back to after a choice in the menu."""
        return here()

    @property
    def home(self) -> str:
        """Where the product's name leads."""
        return self.bar[0].url if self.bar else "/"

    def has(self, endpoint: str) -> bool:
        """Whether this installation has a page of that name."""
        return endpoint in current_app.view_functions


def init_app(app: Flask) -> None:
    """Bind static files, formats, icons and the frame's own values to the templates."""
    static_files.init_app(app)
    formats.init_app(app)
    highlighting.init_app(app)
    app.extensions[BANNER_SOURCES] = []
    app.jinja_env.globals["frame"] = Frame()


def add_banner_source(app: Flask, source: Callable[[], Iterable[Banner]]) -> None:
    """Let a part of the product put banners on every page; `source` is asked once for each page."""
    app.extensions[BANNER_SOURCES].append(source)


def _visible(entries: Iterable[Entry]) -> list[Entry]:
    known: Any = person()
    return [
        entry
        for entry in entries
        if entry.endpoint in current_app.view_functions
        and (known or entry.is_public)
        and (not entry.for_operators or known.is_operator)
    ]
