"""Structured logs on standard error: a line for people on a terminal, JSON for machines. One line is one entry.

A line has only fields of FIELDS: no bodies, header values, queries, secrets. `request_id` is the number that an error
page shows and every answer carries as X-Request-Id; `delivery`, `attempt`, `webhook` and `event_id` are public ids.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

import structlog

from webapp.config import Settings

STANDARD = ("event", "level", "logger", "timestamp", "exception")
IDS = ("request_id", "delivery", "deliveries", "attempt", "webhook", "event_id", "worker")
FIGURES = ("count", "pause_s", "threads", "notice", "template", "reason", "address")
FIELDS = frozenset({*STANDARD, *IDS, *FIGURES})

# What an end of a line is for some terminal or reader of logs, and what moves a cursor.
_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def only_known(_logger: Any, _method: str, entry: structlog.types.EventDict) -> structlog.types.EventDict:
    """Drop every field that is not in the list."""
    return {name: value for name, value in entry.items() if name in FIELDS}


def on_one_line(_logger: Any, _method: str, entry: structlog.types.EventDict) -> structlog.types.EventDict:
    """Show control characters in what people wrote, so that no text makes a line of its own."""
    return {
        name: value.translate(_CONTROLS) if isinstance(value, str) and name != "exception" else value
        for name, value in entry.items()
    }


_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(settings: Settings) -> None:
    """Send the package's lines to standard error."""
    package = logging.getLogger("webapp")
    package.handlers[:] = [_output(settings)]
    package.propagate = False
    package.setLevel(logging.INFO)


def take_over(settings: Settings) -> None:
    """In a process of our own: other libraries' warnings, too, and what the process or a thread dies of."""
    logging.getLogger().handlers[:] = [_output(settings)]
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings name whole addresses
    logging.captureWarnings(capture=True)
    threading.excepthook = _tell_thread
    sys.excepthook = _tell_end


def _output(settings: Settings) -> logging.Handler:
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    output = logging.StreamHandler()
    output.setFormatter(formatter(is_console=is_console))
    return output


def formatter(*, is_console: bool) -> logging.Formatter:
    """How a line looks."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if is_console else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            only_known,
            *([on_one_line] if is_console else []),
            renderer,
        ],
    )


def _tell_thread(died: threading.ExceptHookArgs) -> None:
    if died.exc_value is not None and not isinstance(died.exc_value, SystemExit):
        cause = (died.exc_type, died.exc_value, died.exc_traceback)
        logging.getLogger("webapp").error("a thread died", exc_info=cause)


def _tell_end(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("webapp").critical("the program ended", exc_info=(kind, error, trace))
