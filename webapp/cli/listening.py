"""A receiver on a developer's own machine: `webapp listen`."""

from __future__ import annotations

import io
import signal
import sys
from contextlib import suppress
from urllib.parse import urlsplit

import click

from webapp.receiver.listening import Orders, Receiver


@click.command()
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
    click.echo(f"An installation may send here if it runs with WEBAPP_ALLOW_TARGETS={urlsplit(receiver.url).netloc}")
    with suppress(KeyboardInterrupt), receiver:
        receiver.serve_forever()
