"""Installations of real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.installation import Installation
from tests.chaos.pairs import POSTGRESQL, SQLITE, Pair, PostgresqlPairs, Prepared, prepare
from tests.chaos.receiver import ReceiverProcess
from tests.chaos.report import Report
from tests.chaos.scenario import DEADLINE_S, LEASE_S, Scenario
from tests.chaos.zygote import Zygote


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make an empty installation: `install(lease_seconds="2")`. Its processes end with the test."""
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = tmp_path / f"installation{len(made)}"
        folder.mkdir()
        made.append(Installation(folder, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.close()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The process that all others are forked from."""
    made = Zygote()
    yield made
    made.close()


@pytest.fixture(scope="session")
def _prepared_sqlite(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(zygote, tmp_path_factory.mktemp("prepared-sqlite"))


@pytest.fixture(scope="session")
def _postgresql_pairs(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlPairs]:
    pairs = PostgresqlPairs(zygote, tmp_path_factory.mktemp("prepared-postgresql"))
    yield pairs
    pairs.close()


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """A database and a queue of the test's own, prepared: the test runs once on each pair."""
    if request.param == SQLITE:
        made = Pair(SQLITE, request.getfixturevalue("_prepared_sqlite"))
    else:
        made = request.getfixturevalue("_postgresql_pairs").make()
    yield made
    made.close()


@pytest.fixture
def prepared(pair: Pair, zygote: Zygote, tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make an installation on the pair, with a person, their token and a project `p1`: `prepared(lease_seconds="2")`.

    Nothing of it runs yet: `here.web()`, `here.worker()`.
    """
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = tmp_path / f"prepared{len(made)}"
        folder.mkdir()
        made.append(pair.install(folder, zygote, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.close(at_once=True)


@pytest.fixture
def scenario(
    pair: Pair, prepared: Callable[..., Installation], arrivals: ReceiverProcess, report: Report
) -> Callable[..., Scenario]:
    """Make a scenario on the pair: `scenario(retry_schedule="0,1s")`. Its lease and deadline are short."""

    def make(**settings: str) -> Scenario:
        short = {"lease_seconds": str(LEASE_S), "request_timeout": f"{DEADLINE_S}s"}
        return Scenario(pair, prepared(allow_targets=arrivals.target, **{**short, **settings}), arrivals, report)

    return make


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A receiver in a process of its own, which writes down what arrives."""
    with ReceiverProcess(tmp_path / "arrivals.jsonl") as receiver:
        yield receiver
