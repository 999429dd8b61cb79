"""The page of a record: each part saves alone and causes its events; with htmx the answer is the part that changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page, check_part
from webapp.delivery import fan_out
from webapp.extensions import db
from webapp.models import Event, Record, Role
from webapp.workspace import checklist_items, checklists, custom_fields, records, tags
from webapp.workspace.field_rules import Choice, Definition

HTMX = {"HX-Request": "true", "HX-Target": "record"}


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def record(project, make):
    return make.record(make.list(project))


@pytest.fixture
def url(record):
    return f"/records/{record.id}"


def codes():
    return list(db.session.scalars(sa.select(Event.type).order_by(Event.seq)))


def fresh(record):
    return db.session.get(Record, record.id, populate_existing=True)


def test_every_part_is_on_the_page(client, url):
    page = check_page(client.get(url))
    for words in ("Dates", "Assignees", "Tags", "Add checklist", "No comments yet.", "No webhook", "What was sent"):
        assert (words in page.text) is (words not in {"No webhook", "What was sent"}), words


def test_a_description_is_saved_and_no_event(client, url, record):
    assert (
        client.post(f"{url}/description", data={"description": "One\r\nhttps://example.com/a?b=1."}).status_code == 303
    )
    assert fresh(record).text == "One\nhttps://example.com/a?b=1."
    assert codes() == []


def test_dates_are_typed_with_or_without_a_time_and_cleared(client, url, record):
    sent = {"started_at": "2026-05-04", "dued_at": "2026-05-06", "dued_time": "14:30", "timezone": "Europe/Berlin"}
    client.post(f"{url}/dates", data=sent)
    assert fresh(record).started_at == datetime(2026, 5, 3, 22, 0, tzinfo=UTC)
    assert fresh(record).dued_at == datetime(2026, 5, 6, 12, 30, tzinfo=UTC)
    page = check_page(client.get(url))
    shown = {name: page.find("input", name=name).attrs["value"] for name in ("started_at", "dued_at", "dued_time")}
    assert shown == {"started_at": "2026-05-04", "dued_at": "2026-05-06", "dued_time": "14:30"}
    client.post(f"{url}/dates", data=sent | {"dued_at": "2026-05-07"})
    client.post(f"{url}/dates", data=sent | {"clear": "1"})
    assert (fresh(record).started_at, fresh(record).dued_at) == (None, None)
    assert codes() == ["TODO_DUE_DATE_ADDED", "TODO_DUE_DATE_UPDATED", "TODO_DUE_DATE_REMOVED"]


def test_the_likely_time_zones_are_offered_and_all_on_demand(client, url):
    def offered(page):
        return [each.attrs["value"] for each in page.find("select", name="timezone").find_all("option")]

    client.post(f"{url}/dates", data={"dued_at": "2026-05-06", "timezone": "Asia/Tokyo"})
    page = check_page(client.get(url))
    assert offered(page)[0] == "Asia/Tokyo"
    assert len(offered(page)) <= 3
    page = check_page(client.get(page.links["Other time zones"]))
    assert {"Europe/Berlin", "Asia/Tokyo"} <= set(offered(page))
    assert "open" in page.find("details", id="part-dates").attrs


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_due_date_before_the_start_comes_back_as_it_was_typed(client, url, record, headers):
    sent = {"started_at": "2026-05-04", "dued_at": "2026-05-01", "timezone": "UTC"}
    page = check_part(client.post(f"{url}/dates", data=sent, headers=headers), 422)
    assert page.errors() == ["Choose a due date that is not before the start."]
    assert page.find("input", name="dued_at").attrs["value"] == "2026-05-01"
    assert "open" in page.find("details", id="part-dates").attrs
    assert fresh(record).started_at is None


def test_assignees_are_set_and_taken_off_by_boxes(client, cast, url, record):
    client.post(f"{url}/assignees", data={"assignee_ids": [cast.admin.id, cast.teammate.id]})
    assert {one.user_id for one in fresh(record).assignees} == {cast.admin.id, cast.teammate.id}
    boxes = check_page(client.get(url)).find_all("input", name="assignee_ids")
    assert {box.attrs["value"] for box in boxes if "checked" in box.attrs} == {cast.admin.id, cast.teammate.id}
    client.post(f"{url}/assignees", data={})
    assert codes() == ["TODO_ASSIGNEE_ADDED", "TODO_ASSIGNEE_REMOVED"]


def test_a_stranger_cannot_be_assigned(client, cast, url, record):
    page = check_page(client.post(f"{url}/assignees", data={"assignee_ids": [cast.stranger.id]}), 422)
    assert page.errors() == ["Choose members of this project only."]
    assert fresh(record).assignees == []


def test_tags_are_ticked_and_new_ones_made_by_their_titles(client, ada, project, url, record):
    urgent = tags.create("Urgent", project=project, by=ada)
    client.post(f"{url}/tags", data={"tag_ids": [urgent.id], "tag_titles": "Brass, Steam"})
    assert {one.tag.title for one in fresh(record).tags} == {"Urgent", "Brass", "Steam"}
    assert codes() == ["TAG_CREATED", "TAG_CREATED", "TAG_CREATED", "TODO_TAG_ADDED"]


@pytest.mark.parametrize(
    ("kind", "definition", "sent", "shown"),
    [
        ("TEXT_SINGLE", {}, {"value": "Brass"}, "Brass"),
        ("NUMBER", {"max": 10}, {"value": "2.50"}, "2.5"),
        ("DATE", {}, {"value": "2026-05-04"}, "2026-05-04"),
        ("URL", {}, {"value": "https://example.com"}, "https://example.com"),
        ("EMAIL", {}, {"value": "ada@example.com"}, "ada@example.com"),
        ("CURRENCY", {"currency": "EUR"}, {"value": "12", "currency": "chf"}, "12"),
    ],
)
def test_a_value_is_typed_for_each_kind_of_field(client, ada, project, url, kind, definition, sent, shown):
    field = custom_fields.create(kind, Definition("Mine", **definition), project=project, by=ada)
    client.post(f"{url}/values/{field.id}", data=sent)
    page = check_page(client.get(url))
    assert page.find("input", id=f"field-{field.id}-value").attrs["value"] == shown
    client.post(f"{url}/values/{field.id}", data=sent)
    client.post(f"{url}/values/{field.id}", data={"value": ""})
    assert codes()[1:] == ["TODO_CUSTOM_FIELD_UPDATED"] * 2


def test_options_stars_and_boxes_are_chosen(client, ada, project, url):
    options = (Choice("Small"), Choice("Large"))
    one = custom_fields.create("SELECT_SINGLE", Definition("One", options=options), project=project, by=ada)
    some = custom_fields.create("SELECT_MULTI", Definition("Some", options=options), project=project, by=ada)
    stars = custom_fields.create("RATING", Definition("Stars"), project=project, by=ada)
    box = custom_fields.create("CHECKBOX", Definition("Paid"), project=project, by=ada)
    client.post(f"{url}/values/{one.id}", data={"value": one.options[1].id})
    client.post(f"{url}/values/{some.id}", data={"value": [option.id for option in some.options]})
    client.post(f"{url}/values/{stars.id}", data={"value": "4"})
    client.post(f"{url}/values/{box.id}", data={"value": "1"})
    page = check_page(client.get(url))
    chosen = [each.text for each in page.find_all("option") if "selected" in each.attrs]
    assert {"Large", "4 stars"} <= set(chosen)
    assert len([each for each in page.find_all("input", type="checkbox") if "checked" in each.attrs]) == 3


def test_a_wrong_value_comes_back_at_its_field_and_keeps_what_was_typed(client, ada, project, url):
    field = custom_fields.create("NUMBER", Definition("Size", max=10), project=project, by=ada)
    answer = client.post(f"{url}/values/{field.id}", data={"value": "eleven"}, headers=HTMX)
    page = check_part(answer, 422)
    assert page.errors() == ["Enter a number, such as 12 or 12.5."]
    assert page.find("input", id=f"field-{field.id}-value").attrs["value"] == "eleven"


def test_whoever_saves_a_title_last_is_told_what_it_replaced(client, ada, url, record):
    records.rename(record, "Call Grace", by=ada)
    answer = client.post(f"{url}/title", data={"title": "Call Alan", "was": "Call Ada"}, headers=HTMX)
    page = check_part(answer)
    assert "Meanwhile somebody changed it to “Call Grace”. Yours was saved over that." in page.text
    assert fresh(record).title == "Call Alan"
    values = db.session.execute(sa.select(Event.previous_value, Event.current_value).order_by(Event.seq)).all()
    assert b'"title":"Call Grace"' in values[1][0]
    assert b'"title":"Call Alan"' in values[1][1]


def test_a_checklist_is_filled_ticked_ordered_and_deleted(client, url, record):
    client.post(f"{url}/checklists", data={"title": "Steps"})
    page = check_page(client.get(url))
    (checklist,) = [each.attrs["id"].removeprefix("checklist-") for each in page.find_all("article")]
    for title in ("Measure", "Cut"):
        answer = client.post(f"/checklists/{checklist}/items", data={"title": title}, headers=HTMX)
    page = check_part(answer)
    assert "data-focus" in page.find("input", placeholder="New item").attrs
    first, second = [each.attrs["id"].removeprefix("item-") for each in page.find_all("li", class_="item")]
    client.post(f"/checklist-items/{first}/completion", data={"done": "1"})
    client.post(f"/checklist-items/{second}/order", data={"to": "up"})
    page = check_page(client.get(url))
    assert "1 of 2" in page.text
    assert [each.attrs["id"] for each in page.find_all("li", class_="item")] == [f"item-{second}", f"item-{first}"]
    client.post(f"/checklist-items/{first}/delete")
    assert "Its 1 item goes with it." in check_page(client.get(f"/checklists/{checklist}/delete")).text
    client.post(f"/checklists/{checklist}", data={"title": "Work"})
    client.post(f"/checklists/{checklist}/delete")
    assert codes() == [
        "TODO_CHECKLIST_CREATED",
        "TODO_CHECKLIST_ITEM_CREATED",
        "TODO_CHECKLIST_ITEM_CREATED",
        "TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED",
        "TODO_CHECKLIST_ITEM_DELETED",
        "TODO_CHECKLIST_NAME_CHANGED",
        "TODO_CHECKLIST_DELETED",
    ]


def test_an_item_has_a_page_for_title_dates_and_people(client, cast, make, ada, record):
    checklist = checklists.create("Steps", record=record, by=ada)
    item = checklist_items.create("Measure", checklist=checklist, by=ada)
    path = f"/checklist-items/{item.id}"
    assert check_page(client.get(path)).h1 == "Measure"
    client.post(f"{path}/title", data={"title": "Measure twice"})
    client.post(f"{path}/dates", data={"dued_at": "2026-05-04", "timezone": "Europe/Berlin"})
    client.post(f"{path}/assignees", data={"assignee_ids": [cast.teammate.id]})
    page = check_page(client.post(f"{path}/title", data={"title": ""}), 422)
    assert page.errors() == ["Enter a title."]
    page = check_page(client.post(f"{path}/dates", data={"dued_at": "soon", "timezone": "UTC"}), 422)
    assert page.errors() == ["Enter a date such as 2026-05-04, or with a time: 2026-05-04T14:30."]
    assert codes()[2:] == [
        "TODO_CHECKLIST_ITEM_NAME_CHANGED",
        "TODO_CHECKLIST_ITEM_DUE_DATE_ADDED",
        "TODO_CHECKLIST_ITEM_ASSIGNEE_ADDED",
    ]


def test_a_comment_is_written_changed_and_deleted(client, url, record):
    page = check_page(client.post(f"{url}/comments", data={"text": " "}), 422)
    assert page.errors() == ["Write something first."]
    client.post(f"{url}/comments", data={"text": "See <b>https://example.com/x</b>"})
    page = check_page(client.get(url))
    assert page.links["https://example.com/x"] == "https://example.com/x"
    assert "<b>" not in page.html.replace("&lt;b&gt;", "")
    (comment,) = [each.attrs["id"].removeprefix("comment-") for each in page.find_all("article")]
    assert client.post(f"/comments/{comment}", data={"text": "Better"}).location == f"{url}#comment-{comment}"
    assert "edited" in check_page(client.get(url)).text
    check_page(client.get(f"/comments/{comment}/delete"))
    client.post(f"/comments/{comment}/delete")
    assert codes() == ["COMMENT_CREATED", "COMMENT_UPDATED", "COMMENT_DELETED"]


def test_what_was_sent_stands_beside_the_record_with_the_reasons(client, ada, make, url, record):
    webhook = make.webhook(by=ada, events=["TODO_DELETED"])
    records.set_done(record, True, by=ada)
    page = check_page(client.get(url))
    assert "No worker has looked at it yet." in page.text
    part = page.find("section", id="sent").attrs["hx-get"]
    headers = {"HX-Request": "true"}
    assert client.get(part, headers=headers).status_code == 204
    fan_out.fan_out()
    page = check_part(client.get(part, headers=headers))
    assert "No webhook wanted this event" in page.text
    assert f"{webhook.name} : The webhook does not send this event type." in page.text


def test_who_may_only_comment_sees_no_other_form(client, make, project, url, record):
    reader = make.user()
    make.member(project, reader, Role.COMMENT_ONLY)
    client.sign_in(reader)
    page = check_page(client.get(url))
    forms = {form.attrs.get("action") for form in page.find("main").find_all("form")}
    assert forms == {f"{url}/comments"}
    assert client.post(f"{url}/dates", data={"dued_at": "2026-05-04"}).status_code == 403
