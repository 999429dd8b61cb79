"""The process that sends: `webapp worker`. It imports what it needs to send, and nothing that serves."""

from __future__ import annotations

import logging
import os
import signal
import threading

import click

from webapp import agreement, config, cores, create_worker, installation, lifeline, logs, warming
from webapp.delivery import dispatching
from webapp.doorbell import Listener
from webapp.extensions import huey
from webapp.models import checkpoints

log = logging.getLogger(__name__)

LOOK_AT_THREADS_EVERY_S = 1.0


@click.command()
@click.option(
    "--threads", default=dispatching.THREADS, show_default=True, type=click.IntRange(1, 256), help="Requests at once."
)
def worker(threads: int) -> None:
    """Send what is due. Any number of workers may run, also on other machines."""
    lifeline.hold()
    settings = config.load()
    app = create_worker(settings)
    logs.take_over(settings)
    installation.require_database(app)
    agreement.require_keys(app)
    cores.keep_one()
    stopping = threading.Event()
    # Before anything is claimed: a signal that came earlier would leave leases behind.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _stop_or_leave(stopping))
    dispatcher = dispatching.Dispatcher(app, threads=threads)
    listener = Listener(huey)
    listener.start()
    checkpointer = checkpoints.Checkpointer(app)
    dispatcher.start()
    checkpointer.start()
    warming.settle()
    log.info("worker started", extra={"worker": dispatcher.name, "threads": threads})
    while not stopping.wait(LOOK_AT_THREADS_EVERY_S):
        if not (dispatcher.is_alive and listener.is_alive):
            log.critical("a thread of the worker has died; ending, so that it is started anew")
            os._exit(1)
    checkpointer.stop()
    listener.stop()
    dispatcher.stop()
    log.info("worker stopped", extra={"worker": dispatcher.name})


def _stop_or_leave(stopping: threading.Event) -> None:
    """The first signal asks to finish what is in flight; the second leaves at once (leases give the rest to others)."""
    if stopping.is_set():
        os._exit(1)
    stopping.set()
