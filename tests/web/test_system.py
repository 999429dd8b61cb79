"""The system page of operators."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import Browser
from tests.factories import Make
from tests.page_checker import Page, check_page, check_part
from webapp.delivery import heartbeats

PATH = "/admin/system"


def line(page: Page, part: str) -> str:
    return page.find(id=f"part-{part}").text


@pytest.fixture
def operator(client: Browser, make: Make) -> Browser:
    return client.sign_in(make.user(is_operator=True))


def test_for_everybody_but_operators_there_is_no_such_page(client: Browser, make: Make) -> None:
    person = make.user()
    assert client.get(PATH).status_code == 303
    assert check_page(client.sign_in(person).get(PATH), 404)


def test_an_operator_sees_every_part_with_a_word_and_what_to_do(operator: Browser) -> None:
    page = check_page(operator.get(PATH))
    assert "Bad" in line(page, "workers")
    assert "Start “webapp worker”." in line(page, "workers")
    assert "Good" in line(page, "disk")
    assert "No private address can be contacted." in line(page, "targets")
    assert "System" in page.links


def test_a_worker_that_lives_is_listed(operator: Browser) -> None:
    heartbeats.beat("here:7", threads=9)
    page = check_page(operator.get(PATH))
    assert "Good" in line(page, "workers")
    assert "1 running, 9 requests at once" in line(page, "workers")
    assert "Running" in page.find(id="workers").text


def test_what_changes_by_itself_is_asked_alone(operator: Browser) -> None:
    part = check_part(operator.get(PATH, headers={"HX-Request": "true"}))
    assert part.find(id="system")
    assert "WEBAPP_" not in part.text


def test_settings_show_what_was_changed_and_no_secret(
    make_app: Callable[..., Flask], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(retention_days=7, allow_targets="127.0.0.1:9000", allow_cidrs="10.1.0.0/16", secret_key="s3cret" * 9)
    client = app.test_client()
    assert isinstance(client, Browser)
    answer = client.sign_in(make.user(is_operator=True)).get(PATH)
    page = check_page(answer)
    assert "s3cret" not in answer.text
    rows = {row.find("code").text: row.text for row in page.find_all("tr") if row.find_all("code")}
    assert "changed" in rows["WEBAPP_RETENTION_DAYS"]
    assert "changed" not in rows["WEBAPP_LEASE_SECONDS"]
    assert "(set)" in rows["WEBAPP_SECRET_KEY"]
    assert "0s, 5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h" in rows["WEBAPP_RETRY_SCHEDULE"]
    assert "20s" in rows["WEBAPP_REQUEST_TIMEOUT"]
    assert "127.0.0.1:9000, 10.1.0.0/16" in line(page, "targets")
    assert "These private addresses can be contacted:" in page.text
