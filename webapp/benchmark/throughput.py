"""Section `throughput`: deliveries a second with everything that is promised, beside the floors, in turns.

A round commits a chunk of events at once and waits until the last outcome is in the database: fan-out, delivery and
attempt rows, signatures and the log are in it. Rounds and floors take turns, so that a machine that gets slower or
busier meets both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from webapp.benchmark import floors
from webapp.benchmark.figures import Figure, Targets
from webapp.benchmark.publishing import publish
from webapp.benchmark.stage import Place, Stage

CHUNK, SMALL_CHUNK = 2_000, 500  # deliveries of a round; the small one where there is little time
SHORT_S = 4.0
WARM_UP = 400
MANY = 50  # webhooks
FLOOR_S = 0.7
CEILING_S = 0.4
ROUND_WITHIN_S = 60.0
IS_BOTTLENECK_FROM = 0.5  # of the receiver's ceiling
MIN_ROUNDS = 1


@dataclass
class Rounds:
    """What the rounds to so many webhooks took."""

    deliveries: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    unsettled: int = 0

    @property
    def per_s(self) -> float:
        """Deliveries a second."""
        return self.deliveries / self.seconds if self.seconds else 0.0


@dataclass
class Floors:
    """Requests a second of each turn."""

    session: list[float] = field(default_factory=list)
    urllib3: list[float] = field(default_factory=list)


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """Rounds to one webhook and to fifty, and the floors between them."""
    one, many = stage.place(["/one"]), stage.place([f"/many/{number}" for number in range(MANY)])
    _round(stage, one, "one", WARM_UP, Rounds())
    sent = stage.book.last()
    _round(stage, many, "many", WARM_UP // MANY, Rounds())
    request, url = floors.Request(sent), stage.book.url("/floor")
    ceiling = floors.receiver_per_s(stage.book.port, sent, CEILING_S)
    to_one, to_many, bare = Rounds(), Rounds(), Floors()
    chunk = CHUNK if seconds >= SHORT_S else SMALL_CHUNK
    deadline, rounds = time.monotonic() + seconds, 0
    while rounds < MIN_ROUNDS or time.monotonic() < deadline:
        bare.session.append(floors.session_per_s(url, request, FLOOR_S))
        _round(stage, one, "one", chunk, to_one)
        bare.urllib3.append(floors.urllib3_per_s(url, request, FLOOR_S))
        _round(stage, many, "many", chunk // MANY, to_many)
        rounds += 1
    for place in (one, many):
        stage.clear(place)
    memory = Figure("worker.memory", "memory of the worker, at most so far", stage.worker.peak_mb(), "MB")
    return [
        *_pipeline(to_one, to_many, bare, targets),
        memory,
        *_floors(bare, ceiling, max(to_one.per_s, to_many.per_s)),
    ]


def _round(stage: Stage, place: Place, path: str, events: int, into: Rounds) -> None:
    wanted = events * len(place.webhook_ids)
    stage.book.empty()
    cpu_s = stage.worker.cpu_s()
    published = publish(stage, place, events)
    deadline = time.monotonic() + ROUND_WITHIN_S
    while (arrived := stage.book.wait(wanted, 5.0, path)) < wanted and time.monotonic() < deadline:
        pass
    is_settled = stage.wait_until_settled(max(0.0, deadline - time.monotonic()))
    into.seconds += (time.time_ns() - published.done_ns) / 1e9
    into.deliveries += min(arrived, wanted)
    into.cpu_s += stage.worker.cpu_s() - cpu_s
    into.unsettled += not is_settled
    stage.book.empty()


def _pipeline(one: Rounds, many: Rounds, bare: Floors, targets: Targets) -> list[Figure]:
    session, urllib3 = _mean(bare.session), _mean(bare.urllib3)
    note = "every event, delivery and attempt on disk"
    if one.unsettled or many.unsettled:
        note = f"NOT SETTLED in time: {one.unsettled + many.unsettled} rounds"
    cpu_us = (one.cpu_s + many.cpu_s) / max(1, one.deliveries + many.deliveries) * 1e6
    least = targets.fifty_webhooks_per_s
    ratio = "times the loop of requests.Session"
    return [
        Figure("throughput.one", "deliveries/s to 1 webhook", one.per_s, "/s", note=note),
        Figure("throughput.fifty", f"deliveries/s to {MANY} webhooks", many.per_s, "/s", at_least=least, note=note),
        Figure("ratio.session", ratio, one.per_s / session, "×", at_least=targets.session_ratio, note="1 webhook"),
        Figure("ratio.session_fifty", ratio, many.per_s / session, "×", note=f"{MANY} webhooks"),
        Figure(
            "ratio.urllib3",
            "times the loop of urllib3",
            one.per_s / urllib3,
            "×",
            at_least=targets.urllib3_ratio,
            note="1 webhook",
        ),
        Figure("worker.cpu", "CPU of the worker per delivery", cpu_us, "µs", note="user and system"),
    ]


def _floors(bare: Floors, ceiling: float, fastest: float) -> list[Figure]:
    is_bottleneck = fastest > ceiling * IS_BOTTLENECK_FROM
    note = "THE BOTTLENECK: figures above are too low" if is_bottleneck else "not the bottleneck"
    turns = f"{len(bare.session)} turns of {FLOOR_S} s"
    return [
        Figure("floor.session", "floor: a loop of requests.Session().post", _mean(bare.session), "/s", note=turns),
        Figure("floor.urllib3", "floor: a loop of urllib3", _mean(bare.urllib3), "/s", note=turns),
        Figure("receiver.ceiling", "what the receiver takes", ceiling, "/s", note=note),
    ]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
