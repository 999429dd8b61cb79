"""What several commands begin with: the application, on a database that is there and up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from webapp import agreement, config, create_app, installation
from webapp.seeds import fill_with_demo


@contextmanager
def ready_app(*, any_keys: bool = False) -> Iterator[Flask]:
    """The application, its context open. Raises NotReady, also for keys that are not those of the installation."""
    app = create_app(config.load())
    installation.require_database(app)
    if not any_keys:
        agreement.require_keys(app)
    with app.app_context():
        yield app


def say_demo() -> None:
    """Fill an empty installation with the demo company, and print the sign-in."""
    filled = fill_with_demo()
    if filled is None:
        click.echo("This installation holds people already; the demo only fills an empty one.")
        return
    click.echo(f"Demo sign-in: {filled.email}  password: {filled.password}")
