"""Structured logs: a line for people on a terminal, JSON for machines. No bodies, header values, queries, secrets."""

from __future__ import annotations

import logging
import sys

import structlog

from webapp.config import Settings

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(settings: Settings) -> None:
    """Send the package's logs, and other libraries' warnings, to standard error."""
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if is_console else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    output = logging.StreamHandler()
    output.setFormatter(formatter)
    package = logging.getLogger("webapp")
    package.handlers[:] = [output]
    package.propagate = False
    package.setLevel(logging.INFO)
