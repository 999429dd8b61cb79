"""The console command `webapp`, same as `python -m webapp`."""

from __future__ import annotations

import io
import ipaddress
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click
import sqlalchemy as sa
from flask import Flask

from webapp import config, create_app, installation, key_rotation, lifeline
from webapp.accounts import people, tokens
from webapp.config import PREFIX, VERSION, SettingsError
from webapp.delivery import dispatching, pruning
from webapp.doorbell import Listener, QueueUrlError
from webapp.extensions import db, huey
from webapp.key_ring import add_key
from webapp.models import RequestError, User
from webapp.models.addresses import address_of
from webapp.receiver.listening import Orders, Receiver
from webapp.seeds import fill_with_demo
from webapp.server import Server
from webapp.supervisor import Supervisor
from webapp.webhooks import secrets as secrets_of_webhooks

EXIT_WRONG_SETTINGS = 2
STOP_MARGIN_S = 5.0
LOOK_AT_THREADS_EVERY_S = 1.0

_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_port = click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)


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


@commands.command()
@_host
@_port
@click.option("--demo", is_flag=True, help="Fill an empty installation with a demo company, and print the sign-in.")
def up(host: str, port: int, demo: bool) -> None:
    """Start everything: bring the database up to date, then run web and worker under one supervisor."""
    _require_free(host, port)
    _know_own_address(host, port)
    settings = config.load()
    app = create_app(settings)
    installation.bring_up_to_date(app)
    with app.app_context():
        if demo:
            _say_demo()
        db.engine.dispose()
    click.echo(f"Blue Webhooks {VERSION} on {settings.base_url}  (stop with Ctrl-C)")
    roles = (["web", "--host", host, "--port", str(port)], ["worker"])
    stop_within_s = settings.request_timeout.total_seconds() + STOP_MARGIN_S
    Supervisor(
        roles,
        is_first_ready=lambda: _answers(host, port),
        stop_within_s=stop_within_s,
        say=lambda text: click.echo(text, err=True),
    ).run()


@commands.command()
@_host
@_port
def web(host: str, port: int) -> None:
    """Serve the pages and the REST API."""
    lifeline.hold()
    _know_own_address(host, port)
    settings = config.load()
    app = create_app(settings)
    installation.require_database(app)
    code = _setup_code(app, host)
    with app.app_context():
        db.engine.dispose()

    def make() -> Flask:
        served = create_app(settings)
        served.config["SETUP_CODE"] = code
        return served

    Server(make, host=host, port=port).run()  # type: ignore[no-untyped-call]


@commands.command()
@click.option(
    "--threads", default=dispatching.THREADS, show_default=True, type=click.IntRange(1, 256), help="Requests at once."
)
def worker(threads: int) -> None:
    """Send what is due. Any number of workers may run, also on other machines."""
    lifeline.hold()
    app = create_app(config.load())
    installation.require_database(app)
    stopping = threading.Event()
    # Before anything is claimed: a signal that came earlier would leave leases behind.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stop_or_leave(stopping))
    dispatcher = dispatching.Dispatcher(app, threads=threads)
    listener = Listener(huey)
    listener.start()
    dispatcher.start()
    while not stopping.wait(LOOK_AT_THREADS_EVERY_S):
        if not (dispatcher.is_alive and listener.is_alive):
            click.echo("a thread of the worker has died; ending, so that it is started anew", err=True)
            os._exit(1)
    listener.stop()
    dispatcher.stop()


def _stop_or_leave(stopping: threading.Event) -> None:
    """The first signal asks to finish what is in flight; the second leaves at once (leases give the rest to others)."""
    if stopping.is_set():
        os._exit(1)
    stopping.set()


@commands.command()
@click.option("--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option("--secret", "secrets_", multiple=True, help="To check signatures with; again for the one before it.")
@click.option("--status", default=200, show_default=True, type=click.IntRange(200, 599), help="What to answer.")
@click.option("--delay", default=0.0, show_default=True, type=click.FloatRange(0, 3600), help="Seconds before it.")
@click.option("--retry-after", type=click.IntRange(0), help="Seconds, in a header of that name.")
def listen(port: int, secrets_: tuple[str, ...], status: int, delay: float, retry_after: int | None) -> None:
    """Receive webhooks on this machine: print each request and whether its signature is right, and answer as told."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows no umlauts ends nothing
    orders = Orders(status, delay, retry_after, secrets_)
    try:
        receiver = Receiver(port, orders, lambda text: click.echo(text, nl=False))
    except OSError as error:
        raise click.ClickException(
            f"Cannot listen on port {port}: {error.strerror}. Choose another with --port."
        ) from None
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts what runs in the background deaf to Ctrl-C
        signal.signal(number, signal.default_int_handler)
    click.echo(f"Listening on {receiver.url}  (stop with Ctrl-C)")
    with suppress(KeyboardInterrupt), receiver:
        receiver.serve_forever()


@commands.group("db")
def database() -> None:
    """The database."""


@database.command()
def upgrade() -> None:
    """Create the database, or bring it up to date."""
    installation.bring_up_to_date(create_app(config.load()))
    click.echo("The database is up to date.")


@commands.group("user")
def user_group() -> None:
    """People."""


@user_group.command("create")
@click.option("--email", required=True)
@click.option("--password", required=True)
@click.option("--name", default="", help="Defaults to the part of the e-mail before the @.")
@click.option("--admin", is_flag=True, help="Make this person an operator of the installation.")
def create_user(email: str, password: str, name: str, admin: bool) -> None:
    """Add a person."""
    with _ready_app():
        person = people.create(email, password, name=name or email.partition("@")[0], is_operator=admin)
        click.echo(person.id)


@commands.group("token")
def token_group() -> None:
    """API tokens."""


@token_group.command("create")
@click.option("--user", "email", required=True, help="E-mail of the person it stands for.")
@click.option("--name", default="command line", show_default=True)
def create_token(email: str, name: str) -> None:
    """Make an API token and print it, alone, this once."""
    with _ready_app():
        person = db.session.scalars(sa.select(User).where(User.email == address_of(email))).first()
        if person is None:
            raise click.ClickException(f"Nobody here has the e-mail {email}.")
        _, text = tokens.create(person, name)
        click.echo(text)


@commands.command()
def seed() -> None:
    """Fill an empty installation with the demo company, and print the sign-in."""
    with _ready_app():
        _say_demo()


@commands.command()
def prune() -> None:
    """Delete what is older than the retention, in small batches; everything may go on meanwhile."""
    with _ready_app():
        counts = {**pruning.prune(), "old secrets": secrets_of_webhooks.wipe_expired()}
        for noun, count in counts.items():
            click.echo(f"{count:>9,} {noun}")


@commands.command("rotate-keys")
@click.option(
    "--new", is_flag=True, help="Make a fresh key first, in instance/encryption.key. The older ones stay there."
)
def rotate_keys(new: bool) -> None:
    """Encrypt all stored secrets with the newest key, while everything goes on. Keep older keys as long as backups."""
    with _ready_app() as app:
        if new:
            add_key(app.extensions["settings"])
        rotated = key_rotation.rotate()
        click.echo(f"{rotated.renewed:>9,} encrypted anew")
        click.echo(f"{rotated.kept:>9,} had the newest key already")
        click.echo(f"{rotated.unreadable:>9,} cannot be read with any key, and were left as they are")


@commands.command()
def check() -> None:
    """Validate the settings and print them, secrets masked; then look whether the database can be used."""
    settings = config.load()
    app = create_app(settings)
    for name, value, is_changed, description in settings.rows():
        click.echo(f"{'*' if is_changed else ' '} {name:<26} {value or '-':<40} {description}")
    click.echo("  (* = changed from its default)")
    installation.require_database(app)
    click.echo("The settings are right, and the database is up to date.")


@contextmanager
def _ready_app() -> Iterator[Flask]:
    app = create_app(config.load())
    installation.require_database(app)
    with app.app_context():
        yield app


def _say_demo() -> None:
    filled = fill_with_demo()
    if filled is None:
        click.echo("This installation holds people already; the demo only fills an empty one.")
        return
    click.echo(f"Demo sign-in: {filled.email}  password: {filled.password}")


def _know_own_address(host: str, port: int) -> None:
    """Where the installation is reached, unless the operator said so: the inbox is open there, and links lead there."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
    bracketed = f"[{shown}]" if ":" in shown else shown
    os.environ.setdefault(f"{PREFIX}BASE_URL", f"http://{bracketed}:{port}")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen on {host} port {port}: {error.strerror}. Choose another with --port."
            ) from None


def _setup_code(app: Flask, host: str) -> str | None:
    """On another host than loopback the first run asks for a code, so that no stranger sets the installation up."""
    with app.app_context():
        if not people.is_empty() or _is_loopback(host):
            return None
    code = secrets.token_hex(4)
    click.echo(f"First run: open the address above. The setup page asks for this code: {code}")
    return code


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
