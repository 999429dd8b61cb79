"""People and their tokens: `webapp user create`, `webapp token create`."""

from __future__ import annotations

import click
import sqlalchemy as sa

from webapp.accounts import people, tokens
from webapp.cli.ready import ready_app
from webapp.extensions import db
from webapp.models import User
from webapp.models.addresses import address_of


@click.group("user")
def user_group() -> None:
    """People."""


@user_group.command("create")
@click.option("--email", required=True)
@click.option("--password", required=True)
@click.option("--name", default="", help="Defaults to the part of the e-mail before the @.")
@click.option("--admin", is_flag=True, help="Make this person an operator of the installation.")
def create_user(email: str, password: str, name: str, admin: bool) -> None:
    """Add a person."""
    with ready_app():
        person = people.create(email, password, name=name or email.partition("@")[0], is_operator=admin)
        click.echo(person.id)


@click.group("token")
def token_group() -> None:
    """API tokens."""


@token_group.command("create")
@click.option("--user", "email", required=True, help="E-mail of the person it stands for.")
@click.option("--name", default="command line", show_default=True)
def create_token(email: str, name: str) -> None:
    """Make an API token and print it, alone, this once."""
    with ready_app():
        person = db.session.scalars(sa.select(User).where(User.email == address_of(email))).first()
        if person is None:
            raise click.ClickException(f"Nobody here has the e-mail {email}.")
        _, text = tokens.create(person, name)
        click.echo(text)
