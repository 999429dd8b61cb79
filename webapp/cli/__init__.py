"""The console command `webapp`, same as `python -m webapp`. Each module holds the commands about one thing.

One is imported when its command runs: a worker keeps in memory what it needs, and no command waits for another's.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from webapp import installation
from webapp.config import VERSION, SettingsError
from webapp.doorbell import QueueUrlError
from webapp.models import RequestError

EXIT_WRONG_SETTINGS = 2

COMMANDS = {
    "up": "roles:up",
    "web": "roles:web",
    "worker": "working:worker",
    "listen": "listening:listen",
    "user": "people:user_group",
    "token": "people:token_group",
    "check": "checking:check",
    "bench": "benching:bench",
    "db": "upkeep:database",
    "seed": "upkeep:seed",
    "prune": "upkeep:prune",
    "rotate-keys": "upkeep:rotate_keys",
    "backup": "upkeep:backup",
}


class Commands(click.Group):
    """The commands of COMMANDS, each in its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, as the help shows them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


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


@click.group(cls=Commands, help="Blue Webhooks: every change becomes a signed JSON POST to the webhooks that want it.")
@click.version_option(VERSION, prog_name="webapp")
def commands() -> None:
    """All commands."""
    os.environ["TZ"] = "UTC"
