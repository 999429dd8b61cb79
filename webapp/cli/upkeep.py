"""What an operator does from time to time: `webapp db upgrade`, `seed`, `prune`, `rotate-keys`, `backup`."""

from __future__ import annotations

from pathlib import Path

import click

from webapp import agreement, backups, config, create_app, key_rotation, upgrading
from webapp.cli.ready import ready_app, say_demo
from webapp.delivery import pruning
from webapp.key_ring import add_key
from webapp.webhooks import secrets as secrets_of_webhooks


@click.group("db")
def database() -> None:
    """The database."""


@database.command()
def upgrade() -> None:
    """Create the database, or bring it up to date."""
    upgrading.bring_up_to_date(create_app(config.load()))
    click.echo("The database is up to date.")


@click.command()
def seed() -> None:
    """Fill an empty installation with the demo company, and print the sign-in."""
    with ready_app():
        say_demo()


@click.command()
def prune() -> None:
    """Delete what is older than the retention, in small batches; everything may go on meanwhile."""
    with ready_app():
        counts = {**pruning.prune(), "old secrets": secrets_of_webhooks.wipe_expired()}
        for noun, count in counts.items():
            click.echo(f"{count:>9,} {noun}")


@click.command("rotate-keys")
@click.option(
    "--new", is_flag=True, help="Make a fresh key first, in instance/encryption.key. The older ones stay there."
)
def rotate_keys(new: bool) -> None:
    """Encrypt all stored secrets with the newest key, while everything goes on. Keep older keys as long as backups."""
    with ready_app(any_keys=True) as app:
        if new:
            add_key(app.extensions["settings"])
        rotated = key_rotation.rotate()
        agreement.renew()
        click.echo(f"{rotated.renewed:>9,} encrypted anew")
        click.echo(f"{rotated.kept:>9,} had the newest key already")
        click.echo(f"{rotated.unreadable:>9,} cannot be read with any key, and were left as they are")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the embedded database to a new FILE while everything goes on. The keys are not in it: keep them apart."""
    with ready_app() as app:
        try:
            size = backups.write(file)
        except (backups.NoBackup, OSError) as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"{file}: {size:,} bytes, and readable as a database.")
        keys = app.extensions["settings"].key_file or f"{config.PREFIX}ENCRYPTION_KEYS"
        click.echo(f"Its secrets are encrypted. Keep the keys ({keys}) too, in another place.")
