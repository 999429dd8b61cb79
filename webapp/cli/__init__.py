"""The console command `webapp`, same as `python -m webapp`. Each module holds the commands about one thing."""

from __future__ import annotations

import os
import sys

import click

from webapp import installation
from webapp.cli import benching, checking, listening, people, roles, upkeep
from webapp.config import VERSION, SettingsError
from webapp.doorbell import QueueUrlError
from webapp.models import RequestError

EXIT_WRONG_SETTINGS = 2


def main() -> None:
    """Run the command. What a person can mend is one message and exit code 2; nothing prints a traceback for it."""
    try:
        commands(prog_name="webapp")
    except (SettingsError, QueueUrlError) as error:
        click.echo(f"The settings are not right:\n{error}", err=True)
        sys.exit(EXIT_WRONG_SETTINGS)
    except installation.NotReady as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_WRONG_SETTINGS)
    except RequestError as error:
        click.echo(error.sentence, err=True)
        sys.exit(1)


@click.group(help="Blue Webhooks: every change becomes a signed JSON POST to the webhooks that want it.")
@click.version_option(VERSION, prog_name="webapp")
def commands() -> None:
    """All commands."""
    os.environ["TZ"] = "UTC"


for command in (
    roles.up,
    roles.web,
    roles.worker,
    listening.listen,
    people.user_group,
    people.token_group,
    checking.check,
    benching.bench,
    upkeep.database,
    upkeep.seed,
    upkeep.prune,
    upkeep.rotate_keys,
    upkeep.backup,
):
    commands.add_command(command)
