"""The filter in the form of a webhook: rows by buttons of the form itself, what is kept, refused and tested."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page
from webapp.delivery.filters import MAX_RULES
from webapp.extensions import db
from webapp.models import Role, Webhook, utc_now

URL = "https://93.184.216.34/hooks"  # by number, so that no name is looked up
LIST = "/settings/webhooks"
DONE = {"match": "all", "rules": [{"path": "record.todoList.title", "operator": "is", "value": "Done"}]}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


def form(*rows: tuple[str, str, str, str], **values: object) -> dict[str, object]:
    names = ("filter_what", "filter_path", "filter_operator", "filter_value")
    columns: dict[str, object] = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return {
        "name": "Orders",
        "url": URL,
        "which_secret": "generated",
        "enabled": "y",
        "which_events": "all",
        "which_projects": "all",
        "payload_format": "full",
        "filter_match": "all",
        **columns,
        **values,
    }


TITLE = ("record.title", "", "contains", "Ada")


def rules(page: Page) -> list[tuple[str, str, str, str]]:
    """What the rows of the page would send."""
    read = []
    for row in page.find_all(class_="filter-rule"):
        what, operator = row.find("select", name="filter_what"), row.find("select", name="filter_operator")
        path, value = (
            row.find("input", name="filter_path"),
            row.find("input", "select", "textarea", name="filter_value"),
        )
        read.append((_chosen(what), path.attrs["value"], _chosen(operator), _chosen(value)))
    return read


def _chosen(control: Any) -> str:
    if control.tag == "select":
        options = control.find_all("option")
        return str(next((each for each in options if "selected" in each.attrs), options[0]).attrs["value"])
    return str(control.attrs.get("value", "") if control.tag == "input" else control.text)


def test_without_rules_every_record_is_sent(signed_in: Browser) -> None:
    page = check_page(signed_in.get(f"{LIST}/new"))
    assert "No rules: every record is sent." in page.text
    assert rules(page) == []
    assert signed_in.post(LIST, data=form()).status_code == 303
    assert db.session.scalars(sa.select(Webhook)).one().filter is None


def test_a_rule_is_added_and_nothing_is_saved(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(TITLE, name="Kept", add_rule="1")))
    assert rules(page) == [TITLE, ("", "", "is", "")]
    assert page.find("input", name="name").attrs["value"] == "Kept"
    assert page.errors() == []
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_a_rule_is_removed_and_the_others_stay(signed_in: Browser) -> None:
    rows = [TITLE, ("record.done", "", "is", "true"), ("other", "value.x", "exists", "")]
    page = check_page(signed_in.post(LIST, data=form(*rows, remove_rule="1")))
    assert rules(page) == [rows[0], rows[2]]


def test_there_are_no_more_rules_than_may_be(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(*[TITLE] * MAX_RULES, add_rule="1")))
    assert len(rules(page)) == MAX_RULES
    assert page.find_all("button", name="add_rule") == []
    refused = check_page(signed_in.post(LIST, data=form(*[TITLE] * (MAX_RULES + 1))), 422)
    assert "A filter has at most 25 rules." in refused.errors()


@pytest.mark.parametrize(
    ("row", "tag", "kind"),
    [
        (("record.title", "", "is", "x"), "input", "text"),
        (("record.done", "", "is", ""), "select", None),
        (("record.done", "", "contains", ""), "input", "text"),
        (("record.duedAt", "", "greater", "2026-05-04"), "input", "date"),
        (("record.duedAt", "", "greater", "2026-05-04T12:00Z"), "input", "text"),
        (("record.title", "", "in", "a\nb"), "textarea", None),
        (("record.title", "", "changed", ""), "input", "hidden"),
    ],
)
def test_the_value_has_the_control_that_fits(
    signed_in: Browser, row: tuple[str, str, str, str], tag: str, kind: str | None
) -> None:
    page = check_page(signed_in.post(LIST, data=form(row, refresh_rules="1")))
    control = page.find("input", "select", "textarea", name="filter_value")
    assert (control.tag, control.attrs.get("type")) == (tag, kind)


def test_another_path_has_a_field_with_suggestions(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(("other", "", "is", ""), refresh_rules="1")))
    assert page.find("input", name="filter_path").attrs["list"] == "filter-paths"
    offered = {each.attrs["value"] for each in page.find("datalist", id="filter-paths").find_all("option")}
    assert {"record.todoTags.tag.title", "record.todoList.title", "value.text", "value.checklist.title"} <= offered


def test_lists_and_people_of_ones_own_projects_are_suggested(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.list(make.project_of(cast.admin), title="Own list")
    make.list(make.project_of(cast.stranger), title="Foreign list")
    shared = make.project(cast.stranger)
    make.member(shared, cast.admin, Role.MEMBER)
    make.list(shared, title="Shared list")
    page = check_page(signed_in.get(f"{LIST}/new"))
    assert [each.attrs["value"] for each in page.find("datalist", id="filter-lists").find_all("option")] == ["Own list"]
    people = {each.attrs["value"] for each in page.find("datalist", id="filter-people").find_all("option")}
    assert people == {cast.admin.email, cast.teammate.email}


def test_a_filter_is_saved_as_it_was_typed(signed_in: Browser) -> None:
    rows = [
        ("", "", "is", " "),
        ("record.todoList.title", "", "is", " Done "),
        ("record.done", "", "changed_to", "true"),
        ("other", " value.text ", "in", "a b\r\n\r\n c "),
        ("record.duedAt", "", "exists", "left over"),
        ("", "", "is", ""),
    ]
    assert signed_in.post(LIST, data=form(*rows, filter_match="any")).status_code == 303
    assert db.session.scalars(sa.select(Webhook)).one().filter == {
        "match": "any",
        "rules": [
            {"path": "record.todoList.title", "operator": "is", "value": "Done"},
            {"path": "record.done", "operator": "changed_to", "value": "true"},
            {"path": "value.text", "operator": "in", "value": ["a b", "c"]},
            {"path": "record.duedAt", "operator": "exists"},
        ],
    }


def test_a_stored_filter_comes_back_into_the_form_and_out_of_it_unchanged(
    signed_in: Browser, make: Make, cast: Cast
) -> None:
    stored = {
        "match": "any",
        "rules": [
            {"path": "record.title", "operator": "in", "value": ["a, b", "c"]},
            {"path": "value.a.b", "operator": "is", "value": "x"},
            {"path": "record.done", "operator": "is", "value": "false"},
            {"path": "record.duedAt", "operator": "less", "value": "2026-05-04T12:00Z"},
            {"path": "value.n", "operator": "greater", "value": "12.5"},
            {"path": "record.title", "operator": "changed"},
        ],
    }
    webhook = make.webhook(by=cast.admin, url=URL, filter=stored)
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert _chosen(page.find("select", name="filter_match")) == "any"
    rows = [(*row[:3], "a, b\nc" if row[2] == "in" else row[3]) for row in rules(page)]
    assert signed_in.post(f"{LIST}/{webhook.id}", data=form(*rows, filter_match="any")).status_code == 303
    assert webhook.filter == stored


def test_editing_changes_and_removes_a_filter(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, url=URL, filter=DONE)
    page = check_page(signed_in.post(f"{LIST}/{webhook.id}", data=form(TITLE, add_rule="1")))
    assert page.find("form", action=f"{LIST}/{webhook.id}")
    assert webhook.filter == DONE
    signed_in.post(f"{LIST}/{webhook.id}", data=form(TITLE))
    assert webhook.filter == {
        "match": "all",
        "rules": [{"path": "record.title", "operator": "contains", "value": "Ada"}],
    }
    signed_in.post(f"{LIST}/{webhook.id}", data=form())
    assert webhook.filter is None


def test_a_form_that_knows_no_filter_leaves_it_as_it_is(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, url=URL, filter=DONE)
    values = {name: value for name, value in form(name="New").items() if not name.startswith("filter_")}
    assert signed_in.post(f"{LIST}/{webhook.id}", data=values).status_code == 303
    assert (webhook.name, webhook.filter) == ("New", DONE)


@pytest.mark.parametrize("button", [{}, {"test_filter": "1"}])
def test_what_is_wrong_stands_at_its_row(signed_in: Browser, button: dict[str, str]) -> None:
    rows = [TITLE, ("other", "title", "is", "x"), ("record.title", "", "is", ""), ("", "", "weird", "x")]
    page = check_page(signed_in.post(LIST, data=form(*rows, **button)), 200 if button else 422)
    shown = [
        [error.text for error in row.find_all(class_="field-error")] for row in page.find_all(class_="filter-rule")
    ]
    assert shown[0] == []
    assert [words[:4] for row in shown[1:] for words in row] == ["This", "Ente", "Ente", "Ther"]
    assert page.find("input", id="filter-1-path").attrs["aria-invalid"] == "true"
    assert page.find(role="alert").find_all("a", href="#filter")
    assert rules(page)[:3] == rows[:3]


def test_hostile_rows_come_back_as_text(signed_in: Browser) -> None:
    evil = '"><script>alert(1)</script>{{7*7}}'
    answer = signed_in.post(LIST, data=form((evil, evil, evil, evil), ("other", evil, "is", evil), filter_match=evil))
    page = check_page(answer, 422)
    assert "<script>alert(1)" not in answer.text
    assert page.find("input", id="filter-1-path").attrs["value"] == evil


def happen(make: Make, cast: Cast, title: str, **values: Any) -> None:
    body = json.dumps({"title": title}).encode()
    make.event(make.project_of(cast.admin), current_value=body, fanned_out_at=utc_now(), **values)


def test_a_test_shows_counts_and_examples_of_both_kinds_in_place(signed_in: Browser, make: Make, cast: Cast) -> None:
    for title in ("Call Ada", "Call Bob", "Call <b>Cid</b>"):
        happen(make, cast, title)
    make.event(make.project_of(cast.stranger), current_value=b'{"title":"Ada, foreign"}')
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="1", name="Kept")))
    result = page.find(id="filter-test").text
    assert "1 of the last 3 events would have been sent." in result
    for words in (
        "Call Ada",
        "Call Bob",
        "Call <b>Cid</b>",
        "Filter: rule 1, Title contains “Ada” - found “Call Bob”.",
    ):
        assert words in result
    assert "foreign" not in result
    assert rules(page) == [TITLE]
    assert page.find("input", name="name").attrs["value"] == "Kept"
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_a_test_looks_at_the_events_and_projects_that_are_chosen_just_now(
    signed_in: Browser, make: Make, cast: Cast
) -> None:
    happen(make, cast, "Ada")
    happen(make, cast, "Ada", type="TODO_NAME_CHANGED")
    chosen = {"which_events": "chosen", "events": ["TODO_NAME_CHANGED"]}
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="1", **chosen)))
    assert "1 of 1 event would have been sent." in page.text
    chosen["events"] = ["TAG_CREATED"]
    page = check_page(signed_in.post(LIST, data=form(TITLE, test_filter="1", **chosen)))
    assert "There are no recorded events" in page.text


def test_a_webhook_with_rules_is_marked_in_the_list(signed_in: Browser, make: Make, cast: Cast) -> None:
    filtered = make.webhook(by=cast.admin, filter=DONE)
    other = make.webhook(by=cast.admin)
    page = check_page(signed_in.get(LIST))
    assert "Filtered" in page.find("tr", id=f"webhook-{filtered.id}").text
    assert "Filtered" not in page.find("tr", id=f"webhook-{other.id}").text
