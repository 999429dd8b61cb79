"""The delivery log as a file."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from webapp.models import ErrorWord, Webhook
from webapp.webhooks import log_export


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_what_the_filters_match_comes_as_a_table_newest_first(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    failed = make.delivery(webhook, state="failed", last_error=ErrorWord.TIMED_OUT, attempts_made=2)
    make.delivery(webhook, state="succeeded")
    newest = make.delivery(webhook, state="failed", last_status=500)
    answer = signed_in.get("/deliveries/export.csv?state=failed")
    assert answer.content_type.startswith("text/csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    found = rows(answer.text)
    assert [row["id"] for row in found] == [newest.id, failed.id]
    assert (found[1]["error"], found[1]["attemptsMade"], found[0]["status"]) == ("timed_out", "2", "500")
    assert found[0]["createdAt"].endswith("Z")


@pytest.mark.proves("W06")
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\t=1"])
def test_a_name_that_a_spreadsheet_would_compute_is_harmless(
    signed_in: Browser, make: Make, cast: Cast, name: str
) -> None:
    make.delivery(make.webhook(by=cast.admin, name=name))
    assert [row["webhook"] for row in rows(signed_in.get("/deliveries/export.csv").text)] == [f"'{name}"]


def test_json_lines_tell_the_attempts(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="succeeded")
    make.attempt(delivery, status=500)
    make.attempt(delivery, status=200, redelivery_seq=1)
    make.delivery(make.webhook(by=webhook.created_by))
    answer = signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries/export.jsonl")
    (line,) = [json.loads(line) for line in answer.text.splitlines()]
    assert line["id"] == delivery.id
    assert [(each["number"], each["status"], each["byHand"]) for each in line["attempts"]] == [
        (1, 500, False),
        (2, 200, True),
    ]


def test_a_log_without_deliveries_gives_the_names_of_the_columns(signed_in: Browser, webhook: Webhook) -> None:
    assert signed_in.get("/deliveries/export.csv").text.startswith("id,kind,state,")
    assert signed_in.get("/deliveries/export.jsonl").text == ""


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_that_is_cut_says_so_at_its_end(
    signed_in: Browser, make: Make, webhook: Webhook, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make.delivery(webhook)
    monkeypatch.setattr(log_export, "MAX_ROWS", 3)
    monkeypatch.setattr(log_export, "ROWS_IN_A_PART", 2)
    lines = signed_in.get(f"/deliveries/export.{ending}").text.splitlines()
    assert "Only the newest" in lines[-1]
    assert len(lines) == (5 if ending == "csv" else 4)


def test_parts_hold_all_rows_once(
    signed_in: Browser, make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make.delivery(webhook).id for _ in range(5)]
    monkeypatch.setattr(log_export, "ROWS_IN_A_PART", 2)
    assert [row["id"] for row in rows(signed_in.get("/deliveries/export.csv").text)] == made[::-1]


def test_others_get_nothing_of_it(client: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    one = f"/settings/webhooks/{webhook.id}/deliveries/export.csv"
    assert "/login" in client.get("/deliveries/export.csv").location
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        assert client.get(one).status_code == 404
        assert delivery.id not in client.get("/deliveries/export.csv").text


def test_another_ending_is_not_there(signed_in: Browser) -> None:
    assert signed_in.get("/deliveries/export.xlsx").status_code == 404
