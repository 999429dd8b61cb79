"""Crash points from outside: runs a command of the product and kills its process at a named moment of a named function.

    python -m tests.chaos.crash_points before_record:3 -- worker
    python -m tests.chaos.crash_points webapp.delivery.recording:record@before:3 -- worker
    python -m tests.chaos.crash_points 'while_sending:1?poison' -- worker

The product contains no crash switches. A point is `module:function@before`, `@after` or `@during` and the number of the
call (of each process) at which SIGKILL comes; `during` means that the call has gone on for a moment, and with `?text`
only calls count whose arguments show that text. `@instead` ends only the thread that calls. Points do nothing until
the file ARMED lies in the current folder, and what happens is first written down in the file CRASHES.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARMED = "crash-points-armed"
CRASHES = "crashes.txt"
MOMENT_S = 0.1  # how long a call goes on before it dies `during` it

# The moments of reliability.md, section 4. When a function gets another name, this is the place.
POINTS = {
    "before_commit": "webapp.models.base:ring_after_commit@after",
    "after_commit": "webapp.extensions:Bell.ring@before",
    "after_bell": "webapp.extensions:Bell.ring@after",
    "inside_fan_out": "webapp.delivery.matching:verdict@after",
    "inside_claim": "webapp.delivery.claims:make@after",
    "after_claim": "webapp.delivery.attempting:attempt@before",
    "while_sending": "webapp.delivery.sending:Sender.send@during",
    "before_record": "webapp.delivery.recording:record@before",
    "inside_record": "webapp.delivery.settling:settle@after",
    "after_record": "webapp.delivery.recording:record@after",
}


@dataclass(frozen=True)
class Point:
    """Where a process kills itself."""

    module: str
    function: str
    moment: str
    call: int
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Point:
        """`before_record:3`, or the same with the place instead of the name."""
        given, _, shown = text.partition("?")
        place, _, call = given.rpartition(":")
        module, _, rest = POINTS.get(place, place).partition(":")
        function, _, moment = rest.partition("@")
        if moment not in {"before", "after", "during", "instead"}:
            raise ValueError(f"{text!r} is no crash point")
        return cls(module, function, moment, int(call), shown)

    def owner(self) -> tuple[Any, str]:
        """The module or class that has the function, and its name there."""
        owner: Any = importlib.import_module(self.module)
        *path, name = self.function.split(".")
        for step in path:
            owner = getattr(owner, step)
        return owner, name


def arm(point: Point) -> None:
    """Wrap the function, also where other modules of the product have imported it by its name."""
    owner, name = point.owner()
    original = getattr(owner, name)
    wrapped = _wrapped(original, point)
    setattr(owner, name, wrapped)
    for module in [module for key, module in sys.modules.items() if key.startswith("webapp")]:
        for other in [key for key, value in vars(module).items() if value is original]:
            setattr(module, other, wrapped)


def _wrapped(original: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = 0
    lock = threading.Lock()

    @functools.wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        if not Path(ARMED).exists() or point.text not in repr((arguments, named)):
            return original(*arguments, **named)
        with lock:
            calls += 1
            is_time = calls == point.call
        if is_time and point.moment == "instead":
            note(point)
            sys.exit()
        if is_time and point.moment == "before":
            die(point)
        if is_time and point.moment == "during":
            threading.Timer(MOMENT_S, die, [point]).start()
        result = original(*arguments, **named)
        if is_time and point.moment == "after":
            die(point)
        return result

    return wrapped


def note(point: Point) -> None:
    """Write down what happens."""
    file = os.open(CRASHES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"{point.module}:{point.function}@{point.moment} {os.getpid()} {time.time()}\n".encode())
    os.close(file)


def die(point: Point) -> None:
    """Write it down and be killed."""
    note(point)
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # nothing more is done here


def main() -> None:
    """Arm the points before `--`, then run the command behind it."""
    end = sys.argv.index("--")
    points = [Point.parse(text) for text in sys.argv[1:end]]
    command = importlib.import_module("webapp.cli").main
    for point in points:
        arm(point)
    sys.argv = ["webapp", *sys.argv[end + 1 :]]
    command()


if __name__ == "__main__":
    main()
