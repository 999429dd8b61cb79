"""How fast this installation is: `webapp bench`."""

from __future__ import annotations

import json
import signal
from http.client import HTTPException

import click

from webapp import benchmark, config
from webapp.benchmark import CallFailed, NoScratch, ProcessDied

_names = ", ".join(benchmark.SECTIONS)


def _chosen(_context: click.Context, _option: click.Parameter, value: str) -> list[str]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if unknown := [name for name in names if name not in benchmark.SECTIONS]:
        raise click.BadParameter(f"there is no {', '.join(unknown)}; there are: {_names}")
    return names


@click.command()
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1, 3600), help="About so long, in all.")
@click.option("--only", default="", callback=_chosen, help=f"Some of: {_names}; commas between them.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def bench(seconds: int, only: list[str], as_json: bool) -> None:
    """Measure this installation: latency, deliveries a second, and how they compare with bare loops.

    Nothing of the installation is touched: an empty one is made beside it (a folder beside the SQLite file; on
    PostgreSQL a schema, for which the account needs the right CREATE on the database; an empty logical database of
    Redis), filled, measured with processes of its own on loopback, and removed. Each run is added to bench.jsonl in
    the instance folder.
    """
    settings = config.load()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended, and removed, then too
    try:
        report = benchmark.run(settings, seconds=seconds, only=only, say=lambda text: click.echo(f"… {text}", err=True))
    except (NoScratch, ProcessDied, CallFailed, OSError, HTTPException) as error:
        raise click.ClickException(str(error) or type(error).__name__) from error
    before = benchmark.keep(report, settings.instance)
    if as_json:
        click.echo(json.dumps(report.document(), ensure_ascii=False))
        return
    for line in report.table(before):
        click.echo(line)
