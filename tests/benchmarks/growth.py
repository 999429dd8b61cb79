"""Whether anything slows as the tables grow: `python -m tests.benchmarks.growth [--sizes 50000,500000,5000000]`.

Fills an installation of each size (once: `--folder` keeps them; 5,000,000 deliveries are 10 GB and some ten minutes)
and prints how long each step of a delivery's life and each page takes there, in ms: the shortest of a few, as others
use the machine, too. `--postgresql URL` does the same on a server, in databases of the same names; `--fill SECONDS`
only fills, as far as it comes.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from tests.benchmarks.growing import Grown, grown, rest
from tests.conftest import Browser
from webapp.config import current
from webapp.delivery import (
    cancelling,
    claiming,
    disabling,
    fan_out,
    holding,
    leases,
    outbox,
    pruning,
    readiness,
    recording,
    redeliveries,
    replaying,
    surveying,
)
from webapp.delivery.claiming import Claim, Turn
from webapp.delivery.recording import Result
from webapp.delivery.replaying import Chosen
from webapp.delivery.sending import Outcome
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, Event, Webhook, database_now, transaction, utc_now
from webapp.webhooks import replays

SIZES = (50_000, 500_000, 5_000_000)
TIMES = 9
BATCH_EVENTS = 40  # of one fan-out: 200 deliveries, as many as one claim takes
PRUNED = 2_000  # deliveries of the oldest events, which become too old
ANSWER = Outcome(status=200, body=b"thank you", total_ms=12.0, request_headers=(("X-Signature", "0" * 64),) * 5)

Measured = dict[str, list[float]]


class _Undone(Exception):
    """Nothing of it is kept."""


def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--sizes", default=",".join(str(size) for size in SIZES))
    options.add_argument("--folder", type=Path, help="where the installations are kept; default: nowhere")
    options.add_argument("--postgresql", default="", help="URL of a server, with {database} for the database's name")
    options.add_argument("--fill", type=float, help="only fill, for so many seconds")
    asked = options.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    found: dict[int, Measured] = {}
    with _folder(asked.folder) as folder:
        for size in sizes:
            place = folder / str(size)
            place.mkdir(parents=True, exist_ok=True)
            url = asked.postgresql.format(database=f"growth_{size}") or f"sqlite:///{place / 'app.db'}"
            with grown(url, place, deliveries=size, seconds=asked.fill or float("inf")) as made:
                print(f"{size:,} deliveries: {'there' if made else 'not yet complete'}", flush=True)
                if made and asked.fill is None:
                    rest()
                    found[size] = measure(made)
    if found:
        print(table(found))


def measure(made: Grown) -> Measured:
    """How long each thing takes at this size, in ms."""
    measured: Measured = {}
    _work(made, measured)
    _replay(made, measured)
    _look(measured)
    _read(made, measured)
    _prune(measured)
    return measured


def table(found: dict[int, Measured]) -> str:
    """The shortest times side by side, and the largest size beside the smallest."""
    sizes = sorted(found)
    lines = ["".join([f"{'ms, the shortest of a few':<44}", *(f"{size:>12,}" for size in sizes), f"{'ratio':>9}"])]
    for name in found[sizes[0]]:
        times = [min(found[size][name]) for size in sizes]
        lines.append(f"{name:<44}{''.join(f'{each:12.2f}' for each in times)}{times[-1] / times[0]:9.2f}")
    return "\n".join(lines)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _timed(measured: Measured, name: str, act: Callable[[], object]) -> object:
    began = time.perf_counter()
    result = act()
    measured.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return result


def _work(made: Grown, measured: Measured) -> None:
    """The life of 200 deliveries, again and again: published, fanned out, claimed, recorded."""
    turn = Turn("bench:1")
    for number in range(TIMES + 1):
        into: Measured = {} if number == 0 else measured  # the first one warms up
        _timed(into, "publish 40 events", lambda: _publish(made))
        _timed(into, "fan out to 200 deliveries", _fan_out_all)
        claims: list[Claim] = []
        _timed(into, "claim 200", lambda claims=claims: _claim_all(turn, claims))
        assert len(claims) == BATCH_EVENTS * 5, len(claims)
        now = utc_now()
        results = [Result(claim, ANSWER, claim.recipient.url, "0" * 64, now, now) for claim in claims]
        _timed(into, "record 200 outcomes", lambda results=results: disabling.draw(recording.record(results)))


def _publish(made: Grown) -> None:
    with transaction():
        for number in range(BATCH_EVENTS):
            project = made.projects[number % len(made.projects)]
            current_value = {"id": f"record{number}", "title": "Call Ada"}
            outbox.publish("TODO_CREATED", project=project, by=made.user, current=current_value)


def _fan_out_all() -> None:
    while fan_out.is_waiting():
        fan_out.fan_out()


def _claim_all(turn: Turn, claims: list[Claim]) -> None:
    while found := claiming.claim(turn, slots=200, lease=current().lease):
        claims += found


def _replay(made: Grown, measured: Measured) -> None:
    """A few steps of a replay of what one webhook got within a week, and its end."""
    webhook = made.webhooks[0]
    chosen = Chosen(utc_now() - timedelta(days=7), states=(DeliveryState.SUCCEEDED,))
    _timed(measured, "start a replay of a week", lambda: replays.start(webhook, chosen, by=made.user))
    for _ in range(TIMES):
        assert _timed(measured, "a step of a replay: 5 wishes", replaying.advance) == replaying.MAX_OPEN_PER_REPLAY
        with transaction() as session:
            redeliveries.end(session, database_now())  # as if they had been sent
    replay = replays.running(webhook)
    assert replay is not None
    _timed(measured, "stop a replay", lambda: replays.stop(replay, by=made.user))
    _timed(measured, "undone: a webhook off, a role lost", lambda: _stop_much(made, webhook))


def _stop_much(made: Grown, webhook: Webhook) -> None:
    """What ends wishes and holds or cancels what waits; undone again."""
    with contextlib.suppress(_Undone), transaction() as session:
        holding.hold(session, webhook.id, reason=holding.BY_OWNER, now=database_now())
        cancelling.cancel_for_lost_role(made.user.id, made.projects[0].id)
        raise _Undone


def _look(measured: Measured) -> None:
    """What a worker asks each second, and what a probe and Prometheus ask."""
    for _ in range(TIMES):
        db.session.rollback()
        _timed(measured, "idle look: waiting, due, leases, replays", _idle)
        _timed(measured, "readiness (/readyz)", readiness.check)
        _timed(measured, "survey (/metrics, system page)", surveying.survey)


def _idle() -> None:
    fan_out.is_waiting()
    claiming.until_due()
    leases.expire()
    replaying.advance()


def _read(made: Grown, measured: Measured) -> None:
    """The pages, whole, as a browser gets them."""
    made.app.test_client_class = Browser
    client = made.app.test_client()
    assert isinstance(client, Browser)
    client.sign_in(made.user)
    for name, path in pages(made).items():
        assert client.get(path).status_code == 200, path
        for _ in range(TIMES):
            _timed(measured, name, lambda path=path: client.get(path))


def pages(made: Grown) -> dict[str, str]:
    """What people look at."""
    webhook = made.webhooks[0].id
    middle = (db.session.scalar(sa.select(sa.func.max(Delivery.seq))) or 0) // 2
    one = db.session.scalar(sa.select(Delivery.id).where(Delivery.seq == middle))
    record = "record77"
    return {
        "log of one webhook": f"/settings/webhooks/{webhook}/deliveries",
        "log of one webhook, failed": f"/settings/webhooks/{webhook}/deliveries?state=failed",
        "log of one webhook, timed out": f"/settings/webhooks/{webhook}/deliveries?error=timed_out",
        "log of one webhook, a week ago": f"/settings/webhooks/{webhook}/deliveries?until={_week_ago()}",
        "log of all webhooks": "/deliveries",
        "log of all webhooks, from the middle": f"/deliveries?before={middle}",
        "log of all webhooks, failed": "/deliveries?state=failed",
        "log, search by id": f"/deliveries?q={one}",
        "log, search by record": f"/deliveries?q={record}",
        "overview of a webhook, 30 days": f"/settings/webhooks/{webhook}?span=30d",
        "list of webhooks": "/settings/webhooks",
        "event log": "/events",
        "event log, one type": "/events?event=TODO_MOVED",
        "event log, one project": f"/events?project={made.projects[3].id}",
        "event log, one record": f"/events?record={record}",
    }


def _week_ago() -> str:
    return f"{utc_now() - timedelta(days=7):%Y-%m-%dT%H:%M}"


def _prune(measured: Measured) -> None:
    """Deleting the oldest 2,000 deliveries with their attempts and events; only the time that others wait for."""
    _grow_old()
    held: list[float] = []
    delete = pruning._delete

    def timed(*arguments: object) -> tuple[int, float]:
        gone, held_lock_s = delete(*arguments)  # type: ignore[arg-type]
        held.append(held_lock_s * 1000)
        return gone, held_lock_s

    pruning._delete = timed  # type: ignore[assignment]
    try:
        _timed(measured, "prune 2,000 deliveries, without pauses", lambda: pruning.prune(pause=lambda _: None))
    finally:
        pruning._delete = delete
    measured["prune: the write lock of one batch"] = held or [0.0]


def _grow_old() -> None:
    """The oldest become older than the retention."""
    long_ago = database_now() - timedelta(days=current().retention_days + 1)
    first = db.session.scalar(sa.select(sa.func.min(Event.seq))) or 0
    with transaction() as session:
        for table, key in ((Event, Event.seq), (Delivery, Delivery.event_seq)):
            old = sa.update(table).where(key >= first, key < first + PRUNED // 5).values(created_at=long_ago)
            session.execute(old.execution_options(synchronize_session=False))


if __name__ == "__main__":
    main()
