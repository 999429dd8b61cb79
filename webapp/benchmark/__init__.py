"""`webapp bench`: how fast this installation is, measured with real processes beside it, and floors to compare with.

It stands above everything like the commands, and only they import it. In reading order: `scratch` (an empty
installation beside the real one), `processes` and `receiver` (what is started), `stage` (all of it together), `asking`
and `publishing` (what is done to it), `floors`, the sections `latency`, `ingest`, `throughput`, `slowness`, `isolation`
and `backlog`, `running` (one after the other), and `figures`, `machine` and `report`.
"""

from webapp.benchmark.asking import CallFailed
from webapp.benchmark.processes import ProcessDied
from webapp.benchmark.report import Report, keep
from webapp.benchmark.running import SECTIONS, run
from webapp.benchmark.scratch import NoScratch

__all__ = ["SECTIONS", "CallFailed", "NoScratch", "ProcessDied", "Report", "keep", "run"]
