"""Custom fields in the filter of the form, and its tests against one payload: a tick or a cross beside each rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page
from webapp.extensions import db
from webapp.models import Webhook, utc_now
from webapp.webhooks import filter_fields

URL = "https://93.184.216.34/hooks"  # by number, so that no name is looked up
LIST = "/settings/webhooks"
NAMES = ("filter_what", "filter_path", "filter_operator", "filter_value")
TITLE, DONE = ("record.title", "", "contains", "Ada"), ("record.done", "", "is", "true")


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


def form(*rows: tuple[str, str, str, str], **values: object) -> dict[str, object]:
    columns: dict[str, object] = {name: [row[place] for row in rows] for place, name in enumerate(NAMES)}
    fixed = {"name": "Orders", "url": URL, "which_secret": "generated", "which_events": "all", "which_projects": "all"}
    return {**fixed, "payload_format": "full", "filter_match": "all", **columns, **values}


def happen(make: Make, cast: Cast, title: str) -> None:
    body = json.dumps({"title": title, "done": False}).encode()
    make.event(make.project_of(cast.admin), current_value=body, fanned_out_at=utc_now())


def findings(page: Page) -> list[str]:
    return [each.text for each in page.find_all(class_="filter-finding")]


def test_the_last_event_shows_beside_each_rule_what_it_found(signed_in: Browser, make: Make, cast: Cast) -> None:
    happen(make, cast, "Call Ada")
    page = check_page(signed_in.post(LIST, data=form(TITLE, ("", "", "is", ""), DONE, test_filter="last")))
    assert findings(page) == ["Holds found “Call Ada”", "Does not hold found false"]
    assert "Would not be sent Record created “Call Ada”" in page.find(id="filter-test").text
    page = check_page(signed_in.post(LIST, data=form(TITLE, DONE, test_filter="last", filter_match="any")))
    assert "Would be sent" in page.find(id="filter-test").text
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_a_pasted_payload_is_judged_and_stays_in_its_field(signed_in: Browser) -> None:
    payload = '{"event": "TODO_CREATED", "currentValue": {"title": "<b>Ada</b>"}}'
    answer = signed_in.post(LIST, data=form(TITLE, test_filter="pasted", filter_payload=payload))
    page = check_page(answer)
    assert findings(page) == ["Holds found “<b>Ada</b>”"]
    assert page.find("textarea", name="filter_payload").text == payload
    assert "<b>Ada" not in answer.text


def test_a_pasted_text_that_is_no_payload_says_so_at_its_field(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="pasted", filter_payload="{\r\n]")))
    assert "This is not valid JSON (line 2)." in page.errors()
    assert page.find("textarea", name="filter_payload").attrs["aria-invalid"] == "true"
    assert findings(page) == []


def test_without_an_event_the_test_says_so(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="last")))
    assert "There are no recorded events" in page.find(id="filter-test").text


def test_a_payload_as_large_as_an_event_can_be_pasted(signed_in: Browser) -> None:
    payload = json.dumps({"event": "TODO_CREATED", "currentValue": {"title": '"' * 80_000}})
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="pasted", filter_payload=payload)))
    assert findings(page)[0].startswith("Does not hold found “")


def test_a_custom_field_is_chosen_by_its_name_and_kept_by_its_id(signed_in: Browser, make: Make, cast: Cast) -> None:
    size = make.field(make.project_of(cast.admin), "SELECT_SINGLE", name="Size", options="Small Large")
    path = filter_fields.path_of(size)
    page = check_page(signed_in.post(LIST, data=form((path, "", "is", "Large"), refresh_rules="1")))
    row = page.find(class_="filter-rule")
    chosen = [each for each in row.find("select", name="filter_what").find_all("option") if "selected" in each.attrs]
    assert [each.text for each in chosen] == ["Size"]
    options = page.find("datalist", id=row.find("input", name="filter_value").attrs["list"])
    assert [each.attrs["value"] for each in options.find_all("option")] == ["Small", "Large"]
    signed_in.post(LIST, data=form((path, "", "is", "Large")))
    webhook = db.session.scalars(sa.select(Webhook)).one()
    assert webhook.filter["rules"] == [{"path": path, "operator": "is", "value": "Large"}]
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert page.find("input", name="filter_path").attrs["value"] == ""


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("NUMBER", ("text", "decimal")), ("DATE", ("date", None)), ("TEXT_SINGLE", ("text", None))],
)
def test_a_custom_fields_value_has_the_control_that_fits(
    signed_in: Browser, make: Make, cast: Cast, kind: str, shown: tuple[str, str | None]
) -> None:
    path = filter_fields.path_of(make.field(make.project_of(cast.admin), kind))
    page = check_page(signed_in.post(LIST, data=form((path, "", "is", ""), refresh_rules="1")))
    control = page.find("input", name="filter_value")
    assert (control.attrs["type"], control.attrs.get("inputmode")) == shown


def test_a_checkbox_is_yes_or_no(signed_in: Browser, make: Make, cast: Cast) -> None:
    path = filter_fields.path_of(make.field(make.project_of(cast.admin), "CHECKBOX"))
    page = check_page(signed_in.post(LIST, data=form((path, "", "is", ""), refresh_rules="1")))
    assert page.find("select", name="filter_value")


def test_a_field_that_is_not_offered_stays_in_its_rule(signed_in: Browser, make: Make, cast: Cast) -> None:
    foreign = filter_fields.path_of(make.field(make.project_of(cast.stranger), name="Hush"))
    page = check_page(signed_in.post(LIST, data=form((foreign, "", "is", "x"), refresh_rules="1")))
    (chosen,) = [
        each for each in page.find("select", name="filter_what").find_all("option") if "selected" in each.attrs
    ]
    assert (chosen.text, chosen.attrs["value"]) == ("A custom field of another project", foreign)
    assert "Hush" not in page.text


def test_tags_of_ones_own_projects_are_suggested(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.tag(make.project_of(cast.admin), "Urgent")
    make.tag(make.project_of(cast.stranger), "Foreign")
    rule: Any = ("record.todoTags.tag.title", "", "is", "")
    page = check_page(signed_in.post(LIST, data=form(rule, refresh_rules="1")))
    offered = page.find("datalist", id=page.find("input", name="filter_value").attrs["list"])
    assert [each.attrs["value"] for each in offered.find_all("option")] == ["Urgent"]
