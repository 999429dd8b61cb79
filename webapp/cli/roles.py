"""The processes that serve, and the one that keeps them: `webapp up`, `webapp web`."""

from __future__ import annotations

import ipaddress
import logging
import os
import secrets
import socket

import click
from flask import Flask

from webapp import agreement, config, create_app, installation, lifeline, logs, upgrading, warming
from webapp.accounts import people
from webapp.cli.ready import say_demo
from webapp.config import PREFIX, VERSION
from webapp.extensions import db
from webapp.server import Server
from webapp.supervisor import Supervisor

log = logging.getLogger(__name__)

STOP_MARGIN_S = 5.0

_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_port = click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on."
)


@click.command()
@_host
@_port
@click.option("--demo", is_flag=True, help="Fill an empty installation with a demo company, and print the sign-in.")
def up(host: str, port: int, demo: bool) -> None:
    """Start everything: bring the database up to date, then run web and worker under one supervisor."""
    _require_free(host, port)
    _know_own_address(host, port)
    settings = config.load()
    app = create_app(settings)
    logs.take_over(settings)
    upgrading.bring_up_to_date(app)
    agreement.require_keys(app)
    with app.app_context():
        if demo:
            say_demo()
        db.engine.dispose()
    click.echo(f"Blue Webhooks {VERSION} on {settings.base_url}  (stop with Ctrl-C)")
    roles = (["web", "--host", host, "--port", str(port)], ["worker"])
    stop_within_s = settings.request_timeout.total_seconds() + STOP_MARGIN_S
    Supervisor(
        roles,
        is_first_ready=lambda: _answers(host, port),
        stop_within_s=stop_within_s,
        say=log.warning,
    ).run()


@click.command()
@_host
@_port
def web(host: str, port: int) -> None:
    """Serve the pages and the REST API."""
    lifeline.hold()
    _know_own_address(host, port)
    settings = config.load()
    app = create_app(settings)
    logs.take_over(settings)
    installation.require_database(app)
    agreement.require_keys(app, serves_pages=True)
    code = _setup_code(app, host)
    with app.app_context():
        db.engine.dispose()

    def make() -> Flask:
        served = create_app(settings)
        served.config["SETUP_CODE"] = code
        warming.warm_up(served)
        warming.settle()
        return served

    Server(make, host=host, port=port).run()  # type: ignore[no-untyped-call]


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
