"""How the installation is: `webapp check`, for people, and with --json for programs."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence

import click

from webapp import checkup, config, create_app
from webapp.checkup import Found
from webapp.config import Settings, SettingsError
from webapp.delivery.condition import Level
from webapp.doorbell import QueueUrlError

ANSWERS_WITHIN_S = 5.0
WORDS = {Level.GOOD: "ok", Level.WATCH: "warning", Level.BAD: "failure"}
EXIT_CODES = {Level.GOOD: 0, Level.WATCH: 1, Level.BAD: 2}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(as_json: bool) -> None:
    """Look at everything: settings, database, secrets, workers, queue, disk, clock, mail. Secrets are masked.

    The exit code is 0 when all is well, 1 with warnings, 2 with failures.
    """
    settings, found = _look()
    worst = max((each.level for each in found), key=lambda level: EXIT_CODES[level])
    if as_json:
        click.echo(json.dumps(_document(settings, found, worst), ensure_ascii=False))
    else:
        _print(settings, found)
    sys.exit(EXIT_CODES[worst])


def _look() -> tuple[Settings | None, list[Found]]:
    try:
        settings = config.load()
        app = create_app(settings)
    except (SettingsError, QueueUrlError) as error:
        return None, [Found("settings", Level.BAD, str(error))]
    return settings, [Found("settings", Level.GOOD, "They are right."), *checkup.look(app, _answers)]


def _answers(url: str) -> bool:
    """Whether somebody answers there; redirects are followed, as a browser would."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN_S) as answer:  # noqa: S310 - the installation's own
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _document(settings: Settings | None, found: Sequence[Found], worst: Level) -> dict[str, object]:
    return {
        "status": WORDS[worst],
        "checks": [{"name": each.part, "status": WORDS[each.level], "detail": each.sentence} for each in found],
        "settings": {name: value for name, value, _, _ in settings.rows()} if settings else {},
    }


def _print(settings: Settings | None, found: Sequence[Found]) -> None:
    if settings is not None:
        for name, value, is_changed, description in settings.rows():
            click.echo(f"{'*' if is_changed else ' '} {name:<26} {value or '-':<40} {description}")
        click.echo("  (* = changed from its default)\n")
    for each in found:
        click.echo(f"{WORDS[each.level]:<8} {each.part:<10} {each.sentence}")
