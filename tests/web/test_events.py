"""Events: what happened in my projects, and what became of it at my webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page, check_part
from webapp.models import Event, Role, transaction, utc_now
from webapp.workspace import event_log

HTMX = {"HX-Request": "true", "HX-Target": "event-log"}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def happen(make: Make, cast: Cast) -> Any:
    """An event in the admin's project that a worker has looked at."""

    def make_event(**values: Any) -> Event:
        return make.event(**{"project": make.project_of(cast.admin), "fanned_out_at": utc_now(), **values})

    return make_event


def shown(page: Page) -> list[str]:
    return [row.attrs["id"] for row in page.find_all("tr") if row.attrs.get("id", "").startswith("event-")]


def test_a_row_names_type_record_project_person_and_how_many_webhooks_got_it(
    signed_in: Browser, make: Make, cast: Cast, happen: Any
) -> None:
    project = make.project_of(cast.admin)
    record = make.record(make.list(project), title="Call Grace")
    event = happen(record_id=record.id, user_id=cast.teammate.id)
    make.delivery(make.webhook(by=cast.admin), event)
    make.webhook(by=cast.admin)
    page = check_page(signed_in.get("/events"))
    row = page.find("tr", id=f"event-{event.seq}").text
    for words in ("Record created", "TODO_CREATED", "Call Grace", project.name, "Tim Teammate", "sent to 1 of 2"):
        assert words in row


def test_what_another_application_published_is_named_by_its_id_and_not_called_gone(
    signed_in: Browser, happen: Any
) -> None:
    event = happen(record_id="order-1001")
    row = check_page(signed_in.get("/events")).find("tr", id=f"event-{event.seq}").text
    assert "order-1001 not on a board of yours" in row
    assert "order-1001 not on a board of yours" in check_page(signed_in.get(f"/events/{event.id}")).text


def test_members_without_webhooks_see_the_events_of_their_projects_alone(
    client: Browser, make: Make, cast: Cast, happen: Any
) -> None:
    event = happen()
    page = check_page(client.sign_in(cast.teammate).get("/events"))
    assert shown(page) == [f"event-{event.seq}"]
    assert "sent to" not in page.text
    stranger = client.sign_in(cast.stranger)
    assert "Nothing has happened in your projects yet" in check_page(stranger.get("/events")).text
    assert stranger.get(f"/events/{event.id}").status_code == 404
    assert shown(check_page(stranger.get(f"/events?project={event.project_id}&record=x"))) == []


def test_a_record_that_moved_is_seen_where_it_came_from(client: Browser, make: Make, cast: Cast, happen: Any) -> None:
    elsewhere = make.project(owner=cast.stranger)
    event = happen(project=elsewhere, source_project_id=make.project_of(cast.admin).id, type="TODO_MOVED")
    for person in (cast.teammate, cast.stranger):
        assert shown(check_page(client.sign_in(person).get("/events"))) == [f"event-{event.seq}"]
    both = make.member(make.project_of(cast.admin), cast.stranger, Role.MEMBER)
    assert both.role is Role.MEMBER
    assert shown(check_page(client.get("/events"))) == [f"event-{event.seq}"]


@pytest.mark.parametrize("name", ["project", "event", "person", "record", "since", "until", "unsent"])
def test_each_filter_leaves_out_what_does_not_match(
    signed_in: Browser, make: Make, cast: Cast, happen: Any, name: str
) -> None:
    second = make.project(owner=cast.admin)
    meant = happen(project=second, type="TODO_MOVED", user_id=cast.teammate.id, record_id="r1")
    other = happen(created_at=utc_now() - timedelta(days=1))
    make.delivery(make.webhook(by=cast.admin), other)
    noon = (utc_now() - timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M")
    values = {"project": second.id, "event": "TODO_MOVED", "person": cast.teammate.id, "record": "r1"}
    value = {**values, "since": noon, "until": noon, "unsent": "y"}[name]
    expected = other if name == "until" else meant
    page = check_page(signed_in.get("/events", query_string={name: value}))
    assert shown(page) == [f"event-{expected.seq}"]
    assert page.links["Clear filters"] == "/events"


@pytest.mark.parametrize("path", ["/events", "/deliveries"])
def test_projects_stand_under_their_companies_where_there_are_several(
    signed_in: Browser, make: Make, cast: Cast, happen: Any, path: str
) -> None:
    first = make.project_of(cast.admin)
    make.delivery(make.webhook(cast.admin), happen())
    assert check_page(signed_in.get(path)).find("select", id="project").find_all("optgroup") == []

    second = make.project(cast.admin, make.company(cast.admin, name="Zebra"), name=first.name)

    groups = check_page(signed_in.get(path)).find("select", id="project").find_all("optgroup")
    assert [group.attrs["label"] for group in groups] == [first.company.name, "Zebra"]
    assert [group.find("option").attrs["value"] for group in groups] == [first.id, second.id]


@pytest.mark.parametrize("query", ["project=no", "event=NO", "person=no", "since=soon", "before=x", "after=-1"])
def test_filters_that_cannot_be_read_do_not_restrict(signed_in: Browser, happen: Any, query: str) -> None:
    event = happen()
    assert shown(check_page(signed_in.get(f"/events?{query}"))) == [f"event-{event.seq}"]


def test_no_match_looks_different_from_empty(signed_in: Browser, happen: Any) -> None:
    assert "Nothing has happened" in check_page(signed_in.get("/events")).text
    happen()
    assert "No events match" in check_page(signed_in.get("/events?record=none")).text


def test_pages_lead_to_each_other(signed_in: Browser, happen: Any) -> None:
    with transaction():
        for _ in range(51):
            happen()
    first = check_page(signed_in.get("/events"))
    assert len(shown(first)) == 50
    older = check_page(signed_in.get(first.links["Older"]))
    assert len(shown(older)) == 1
    assert shown(check_page(signed_in.get(older.links["Newer"]))) == shown(first)


def test_a_filter_without_an_index_looks_at_some_and_leads_further_back(
    signed_in: Browser, cast: Cast, happen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "LOOK", 4)
    monkeypatch.setattr(event_log, "MIN_LOOK", 4)
    wanted = happen(user_id=cast.teammate.id)
    with transaction():
        for _ in range(10):
            happen(user_id=cast.admin.id)
    page, steps = check_page(signed_in.get(f"/events?person={cast.teammate.id}")), 0
    while not shown(page):
        assert "No events match so far" in page.text
        page, steps = check_page(signed_in.get(page.links["Look further back"])), steps + 1

    assert shown(page) == [f"event-{wanted.seq}"]
    assert steps == 2
    while "Newer" in page.links:
        page = check_page(signed_in.get(page.links["Newer"]))
    assert "Newer" not in page.links


def test_the_page_asks_on_and_gets_the_log_when_something_happened(signed_in: Browser, happen: Any) -> None:
    happen()
    page = check_page(signed_in.get("/events"))
    assert page.find("div", id="events-news").attrs["hx-get"] == "/events"
    seen = f"/events?seen={page.find('input', id='events-seen').attrs['value']}"
    assert signed_in.get(seen, headers=HTMX).status_code == 204
    event = happen()
    answer = signed_in.get(seen, headers=HTMX)
    assert shown(check_part(answer))[0] == f"event-{event.seq}"
    assert {"HX-Request", "HX-Target"} <= set(answer.vary)


def test_an_event_tells_what_changed_and_what_each_webhook_made_of_it(
    signed_in: Browser, make: Make, cast: Cast, happen: Any
) -> None:
    got, not_chosen, filtered, later = (make.webhook(by=cast.admin, name=f"Webhook {number}") for number in range(4))
    with transaction():
        later.created_at = utc_now() + timedelta(days=1)
    rule = {"match": "all", "rule": 1, "path": "record.title", "operator": "contains", "value": "Ada", "found": "New"}
    event = happen(
        type="TODO_NAME_CHANGED",
        previous_value=b'{"title":"Old"}',
        current_value=b'{"title":"New"}',
        refusals=[
            {"reason": "event_not_chosen", "webhookIds": ["another", not_chosen.id]},
            {"reason": "filtered", "webhookIds": [filtered.id], **rule},
        ],
    )
    delivery = make.delivery(got, event, state="succeeded")
    page = check_page(signed_in.get(f"/events/{event.id}"))
    assert "Title title Old New" in page.find("section", id="changes").text
    entries = {entry.text.split(" ")[1]: entry for entry in page.find("section", id="verdicts").find_all("li")}
    assert "Delivered" in entries["0"].text
    assert entries["0"].find_all("a", href=f"/settings/webhooks/{got.id}/deliveries/{delivery.id}")
    assert "does not send this event type" in entries["1"].text
    assert "rule 2, Title contains “Ada” - found “New”" in entries["2"].text
    assert entries["2"].find_all("a", href=f"/settings/webhooks/{filtered.id}/settings")
    assert "made after this event" in entries["3"].text


def test_what_was_refused_to_each_webhook_by_itself_is_still_told(
    signed_in: Browser, make: Make, cast: Cast, happen: Any
) -> None:
    webhook = make.webhook(by=cast.admin)
    event = happen(refusals=[{"webhookId": webhook.id, "reason": "project_not_chosen"}])
    page = check_page(signed_in.get(f"/events/{event.id}"))
    assert "does not send events of this project" in page.find("section", id="verdicts").text


def test_values_are_shown_as_text(signed_in: Browser, happen: Any) -> None:
    event = happen(current_value=b'{"title":"<script>alert(1)</script>"}')
    page = check_page(signed_in.get(f"/events/{event.id}"))
    assert "<script>alert(1)</script>" in page.text
    assert "You have no webhooks." in page.text
