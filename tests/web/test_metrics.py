"""Figures for Prometheus: who may ask, what they say, and that counters only grow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from tests.conftest import Browser
from tests.factories import Make
from webapp import config
from webapp.config import SettingsError
from webapp.delivery import heartbeats, pruning, surveying
from webapp.extensions import bell, db
from webapp.models import DeliveryState, ErrorWord, WebhookHour, transaction, utc_now

TOKEN = "a-token-for-the-figures"


def ask(client: Browser, peer: str = "127.0.0.1", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/metrics", headers=named, environ_overrides={"REMOTE_ADDR": peer})


def figures(client: Browser) -> dict[str, float]:
    """Each sample under its name and labels."""
    found = {}
    for family in text_string_to_metric_families(ask(client).text):
        assert family.documentation, family.name
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name.removeprefix('blue_webhooks_')}{{{labels}}}" if labels else sample.name[14:]] = (
                sample.value
            )
    return found


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_ask(client: Browser, peer: str) -> None:
    answer = ask(client, peer)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("peer", ["10.0.0.7", "203.0.113.9", "::2", ""])
def test_for_other_machines_there_is_nothing(client: Browser, peer: str) -> None:
    assert ask(client, peer).status_code == 404
    assert ask(client, peer, Authorization="Bearer ").status_code == 404


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"]
)
def test_what_a_proxy_on_this_machine_passes_on_is_not_of_this_machine(client: Browser, header: str) -> None:
    assert ask(client, **{header: "127.0.0.1"}).status_code == 404


def test_a_name_of_the_outside_is_not_of_this_machine(client: Browser) -> None:
    assert ask(client, Host="hooks.example.com").status_code == 404
    assert ask(client, Host="[::1]:5000").status_code == 200


@pytest.mark.parametrize("claimed", ["127.0.0.1", "::1, 127.0.0.1"])
def test_behind_trusted_proxies_a_claimed_address_counts_for_nothing(
    make_app: Callable[..., Flask], claimed: str
) -> None:
    client = make_app(trusted_proxies=1).test_client()
    assert ask(client, "203.0.113.9", X_Forwarded_For=claimed).status_code == 404
    assert ask(client, "127.0.0.1", X_Forwarded_For=claimed).status_code == 404
    assert ask(client, "127.0.0.1").status_code == 200


def test_with_the_token_every_machine_may_ask_and_without_it_is_told_to(make_app: Callable[..., Flask]) -> None:
    client = make_app(metrics_token=TOKEN).test_client()
    assert ask(client, "10.0.0.7", Authorization=f"Bearer {TOKEN}").status_code == 200
    assert ask(client, "10.0.0.7", Authorization=f"bearer {TOKEN}", Host="hooks.example.com").status_code == 200
    for wrong in ("", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer é"):
        answer = ask(client, "10.0.0.7", Authorization=wrong)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), wrong
    assert ask(client).status_code == 200


@pytest.mark.parametrize("token", ["too short", "sixteen with blanks in it", "sécret-sécret-sécret"])
def test_a_token_that_is_easily_guessed_or_cannot_be_sent_is_refused_unseen(token: str) -> None:
    with pytest.raises(SettingsError, match="WEBAPP_METRICS_TOKEN: needs at least 16") as refused:
        config.load(metrics_token=token)
    assert token not in str(refused.value)


def test_what_waits_is_told_with_its_age(client: Browser, make: Make) -> None:
    then = utc_now() - timedelta(seconds=70)
    webhook = make.webhook()
    make.delivery(webhook, next_attempt_at=then)
    make.delivery(webhook, state=DeliveryState.HELD, held_at=then)
    make.delivery(webhook, state=DeliveryState.STUCK)
    make.event(created_at=then)
    found = figures(client)
    assert found["events_waiting"] == 1
    assert [found[f"deliveries{{{state}}}"] for state in ("pending", "held", "stuck", "failed")] == [1, 1, 1, 0]
    assert 70 <= found["oldest_due_age_seconds"] < 90
    assert 70 <= found["oldest_event_age_seconds"] < 90
    assert found["oldest_behind_age_seconds"] == 0


def test_workers_count_while_they_beat(client: Browser) -> None:
    assert figures(client)["workers{alive}"] == 0
    heartbeats.beat("here:1", threads=1)
    heartbeats.beat("here:2", threads=1)
    with transaction() as session:
        session.execute(sa.text("UPDATE worker SET beat_at = '2020-01-01 00:00:00' WHERE id = 'here:1'"))
    found = figures(client)
    assert (found["workers{alive}"], found["workers{silent}"]) == (1, 1)
    assert found["worker_heartbeat_timestamp_seconds"] == pytest.approx(utc_now().timestamp(), abs=30)


def test_attempts_are_counted_by_class_and_error_word_and_by_their_length(client: Browser, make: Make) -> None:
    delivery = make.delivery()
    for status in (200, 204, 404, 418, 503):
        make.attempt(delivery, status=status, total_ms=12.0)
    make.attempt(delivery, status=None, error=ErrorWord.TIMED_OUT, total_ms=20_000.0)
    make.attempt(delivery, status=None, finished_at=None, total_ms=None)
    found = figures(client)
    counted = {name: value for name, value in found.items() if name.startswith("attempts_total")}
    assert counted == {
        "attempts_total{2xx}": 2,
        "attempts_total{4xx}": 2,
        "attempts_total{5xx}": 1,
        "attempts_total{timed_out}": 1,
    }
    assert found["attempts_unknown"] == 1
    assert found["attempt_duration_seconds_count"] == 6
    assert found["attempt_duration_seconds_sum"] == pytest.approx(20.06, rel=0.1)
    bounds = {name[32:-1]: value for name, value in found.items() if "_bucket" in name}
    assert (bounds["0.001"], bounds["0.0107"], bounds["0.0222"], bounds["+Inf"]) == (0, 0, 5, 6)
    assert list(bounds.values()) == sorted(bounds.values())


def test_counters_do_not_fall_when_hours_are_pruned(client: Browser, make: Make) -> None:
    delivery = make.delivery()
    for days in (0, 1, 40):
        make.attempt(delivery, claimed_at=utc_now() - timedelta(days=days))
    before = figures(client)
    assert before["attempts_total{2xx}"] == 3
    pruning.prune(pause=lambda _: None)
    assert db.session.scalar(sa.select(sa.func.count()).where(WebhookHour.webhook_id == delivery.webhook_id)) == 2
    after = figures(client)
    kept = [name for name in before if name.startswith("attempt")]
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["pruned_timestamp_seconds"] == pytest.approx(utc_now().timestamp(), abs=30)


def test_nothing_that_people_write_is_a_label(client: Browser, make: Make) -> None:
    webhook = make.webhook(name="Quarterly-Orders", url="https://hidden.example.net/x")
    make.attempt(make.delivery(webhook))
    text = ask(client).text
    for secret in ("Quarterly", "hidden.example", webhook.id, webhook.created_by.email, webhook.created_by.name):
        assert secret not in text


def test_lost_bells_are_counted(client: Browser) -> None:
    bell.lost = 7
    assert figures(client)["bells_lost_total"] == 7
    bell.lost = 0


def test_the_machine_and_what_runs_on_it_are_told(client: Browser) -> None:
    found = figures(client)
    assert found[f"build_info{{SQLite,{found_python()},{config.VERSION}}}"] == 1
    assert found["database_up"] == found["queue_up"] == 1
    assert found["database_size_bytes"] > 10_000
    assert found["disk_free_bytes"] > 0


def found_python() -> str:
    import platform  # noqa: PLC0415

    return platform.python_version()


def test_a_database_that_does_not_answer_is_a_figure_too(client: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(surveying, "survey", fail)
    assert figures(client) == {"database_up": 0}


def test_who_speaks_openmetrics_gets_it(client: Browser) -> None:
    answer = ask(client, Accept="application/openmetrics-text; version=1.0.0")
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
