from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.delivery.event_types import event_types


@pytest.fixture(autouse=True)
def ada(cast, client):
    client.sign_in(cast.admin)


def test_the_catalogue_lists_all_types_in_their_groups(client):
    page = check_page(client.get("/event-types"))
    assert len(page.find_all("section")) == 6
    for code in event_types(None):
        assert code in page.text


@pytest.mark.parametrize("words", ["todo_moved", "RECORD_MOVED"])
def test_the_catalogue_can_be_searched_by_either_name(client, words):
    page = check_page(client.get(f"/event-types?q={words}"))
    assert "TODO_MOVED" in page.text
    assert "COMMENT_CREATED" not in page.text


def test_a_search_without_a_find_says_so(client):
    assert "No event type fits" in check_page(client.get("/event-types?q=unicorn")).text


@pytest.mark.parametrize("code", event_types(None))
def test_each_type_has_a_page_with_both_examples(client, code):
    page = check_page(client.get(f"/event-types/{code}"))
    event_type = event_types(None)[code]
    assert page.h1 == event_type.label
    for example in ("example-full", "example-compact"):
        assert page.find(id=example) is not None
    assert event_type.compact_code in page.find(id="example-compact").text


def test_what_is_no_type_has_no_page(client):
    assert client.get("/event-types/UNICORN_SEEN").status_code == 404


def test_the_catalogue_is_for_signed_in_people(client):
    client.delete_cookie("session")
    assert client.get("/event-types").location.startswith("/login")


def test_a_type_names_its_schema_and_leads_into_the_form(client):
    page = check_page(client.get("/event-types/TODO_MOVED"))
    assert page.links["Use in a new webhook"] == "/settings/webhooks/new?event=TODO_MOVED"
    assert "/api/v1/event-types/TODO_MOVED/schemas/full" in page.text
    assert [
        box.attrs["value"]
        for box in check_page(client.get(page.links["Use in a new webhook"])).find_all("input", name="events")
        if "checked" in box.attrs
    ] == ["TODO_MOVED"]
