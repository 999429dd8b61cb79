"""`webapp up`: web and worker under one supervisor, which restarts one that dies and stops both cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from webapp.lifeline import DESCRIPTOR

LOOK_EVERY_S = 0.2
FIRST_PAUSE_S = 0.5  # before a child that died is started again; doubles while it keeps dying
LONGEST_PAUSE_S = 30.0
IS_STABLE_AFTER_S = 60.0
WAIT_FOR_FIRST_S = 10.0  # the first role gets a head start: what it serves may be what the others send to


@dataclass
class Child:
    """One role of the installation, in a process of its own."""

    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    start_at: float = field(default_factory=time.monotonic)

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs children until SIGTERM or SIGINT. `stop_within_s` is how long they may take to finish what they do."""

    def __init__(
        self,
        roles: Sequence[Sequence[str]],
        *,
        is_first_ready: Callable[[], bool],
        stop_within_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._children = [Child(arguments) for arguments in roles]
        self._is_first_ready = is_first_ready
        self._stop_within_s = stop_within_s
        self._say = say
        self._stops = 0
        self._lifeline, self._held_end = os.pipe()

    def run(self) -> None:
        """Start the children and keep them; returns when all have stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ask_to_stop())
        try:
            self._start(self._children[0])
            self._wait_for_first()
            while not self._stops:
                for child in self._children:
                    self._tend(child)
                time.sleep(LOOK_EVERY_S)
        finally:
            self._stop()

    def _wait_for_first(self) -> None:
        until = time.monotonic() + WAIT_FOR_FIRST_S
        while not self._stops and time.monotonic() < until and not self._is_first_ready():
            time.sleep(LOOK_EVERY_S / 4)

    def _ask_to_stop(self) -> None:
        self._stops += 1

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.is_running:
            if now - child.started_at > IS_STABLE_AFTER_S:
                child.pause_s = FIRST_PAUSE_S
            return
        if child.process is not None:
            self._say(f"{child.arguments[0]} ended with {child.process.returncode}; starting it again")
            child.start_at = now
            if child.process.returncode:  # one that was asked to end is started anew at once
                child.start_at += child.pause_s
                child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)
            child.process = None
        if now >= child.start_at:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "webapp", *child.arguments],
            env={**os.environ, DESCRIPTOR: str(self._lifeline)},
            pass_fds=(self._lifeline,),
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then stops them in order
        )
        child.started_at = time.monotonic()

    def _stop(self) -> None:
        """The last role first: what still sends may send to the first one."""
        asked = self._stops
        for child in reversed(self._children):
            if child.process is not None and child.is_running:
                self._end(child.process, asked)

    def _end(self, process: subprocess.Popen[bytes], asked: int) -> None:
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_within_s
        while process.poll() is None:
            if time.monotonic() > deadline or self._stops > asked:
                process.kill()
            time.sleep(LOOK_EVERY_S / 4)
