"""HTML pages: load within what the caller may see, parse, one call, render. Imports everything below, never `api`."""

from __future__ import annotations

from flask import Blueprint, Flask

from webapp.web import (
    activations,
    banners,
    cancellations,
    cards,
    checklist_items,
    checklists,
    colors,
    comments,
    companies,
    compression,
    custom_fields,
    deliveries,
    docs,
    errors,
    event_types,
    events,
    exports,
    frame,
    handovers,
    headers,
    imports,
    inboxes,
    invitations,
    lists,
    machines,
    members,
    password_resets,
    pings,
    preferences,
    profile,
    project_column,
    project_settings,
    projects,
    receiving,
    record_values,
    record_words,
    records,
    redeliveries,
    releases,
    replays,
    session,
    setup,
    shortcuts,
    signature_checks,
    signatures,
    system,
    tags,
    tests,
    tokens,
    url_checks,
    users,
    webhook_editing,
)
from webapp.web.frame import locale, time_zone

__all__ = ["BLUEPRINTS", "init_app", "locale", "time_zone"]

BLUEPRINTS: tuple[Blueprint, ...] = (
    activations.bp,
    cancellations.bp,
    cards.bp,
    checklist_items.bp,
    checklists.bp,
    comments.bp,
    companies.bp,
    custom_fields.bp,
    deliveries.bp,
    docs.bp,
    event_types.bp,
    events.bp,
    exports.bp,
    handovers.bp,
    imports.bp,
    inboxes.bp,
    invitations.bp,
    lists.bp,
    machines.bp,
    members.bp,
    password_resets.bp,
    pings.bp,
    preferences.bp,
    profile.bp,
    project_settings.bp,
    projects.bp,
    receiving.bp,
    record_values.bp,
    records.bp,
    redeliveries.bp,
    releases.bp,
    replays.bp,
    session.bp,
    setup.bp,
    shortcuts.bp,
    signature_checks.bp,
    signatures.bp,
    system.bp,
    tags.bp,
    tests.bp,
    tokens.bp,
    url_checks.bp,
    users.bp,
    webhook_editing.bp,
)


def init_app(app: Flask) -> None:
    """Bind the frame, the headers, the compression, the error pages and every blueprint."""
    frame.init_app(app)
    headers.init_app(app)
    compression.init_app(app)
    errors.init_app(app)
    banners.init_app(app)
    colors.init_app(app)
    record_words.init_app(app)
    project_column.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
