"""The board: its cards, its filter, what it answers to a page that asks again, and what stands on it for whom."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import Event, Role, transaction, utc_now
from webapp.workspace import lists, records

HTMX = {"HX-Request": "true", "HX-Target": "board"}
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def todo(project, make):
    return make.list(project)


@pytest.fixture
def url(project):
    return f"/projects/{project.id}"


@contextmanager
def counted():
    """The statements that the database is sent meanwhile."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def titles(page):
    return [title.text for title in page.find_all(class_="board-card-title")]


def poll_of(page):
    [poller] = page.find(id="board").find_all("div", hx_trigger="every 5s, live:refresh from:body")
    return poller.attrs["hx-get"]


def test_a_card_says_all_that_is_known_of_its_record(client, cast, ada, todo, make, url):
    yesterday = utc_now().replace(microsecond=0) - timedelta(days=1)
    record = make.record(todo, dued_at=yesterday)
    records.edit(record, {"tag_titles": ["Express"], "assignee_ids": [cast.teammate.id]}, by=ada)
    make.comment(record, by=ada)
    checklist = make.checklist(record)
    make.item(checklist, done=True)
    make.item(checklist)
    card = check_page(client.get(url)).find(id=f"record-card-{record.id}")
    for words in ("Express", "overdue", "1/2", "TT", "Tim Teammate", "Comments 1"):
        assert words in card.text
    assert card.find(class_="board-due").attrs["datetime"] == yesterday.isoformat()


def test_a_done_record_is_never_overdue(client, todo, make, url):
    make.record(todo, dued_at=utc_now() - timedelta(days=1), done=True)
    assert "overdue" not in check_page(client.get(url)).find(id="columns").text


def test_the_head_shows_who_works_here(client, project, make, url):
    for number in range(8):
        make.member(project, make.user(name=f"Member {number}"))
    people = check_page(client.get(url)).find(id="people")
    assert people.attrs["href"] == f"/projects/{project.id}/members"
    assert "Ada Admin" in people.text
    assert "+4" in people.text


def test_the_filter_stands_in_the_address(client, ada, todo, make, url):
    late = make.record(todo, title="Late", dued_at=NOON - timedelta(days=3000))
    make.record(todo, title="Later")
    records.edit(late, {"tag_titles": ["Express"], "assignee_ids": [ada.id]}, by=ada)
    tag = records.on_board([todo])[todo.id][0].tags[0].tag_id
    for query in ("due=overdue", f"assignee={ada.id}", f"tag={tag}"):
        page = check_page(client.get(f"{url}?q=LATE&done=0&{query}"))
        assert titles(page) == ["Late"], query
        assert "1 record fits" in page.text
        assert page.links["Clear filters"] == url
        name, _, value = query.partition("=")
        options = page.find("select", id=f"filter-{name}").find_all("option")
        assert [option.attrs["value"] for option in options if "selected" in option.attrs] == [value]
    page = check_page(client.get(f"{url}?q=nothing+like+it"))
    assert "No record fits" in page.text
    assert titles(check_page(client.get(f"{url}?done=maybe&due=never"))) == ["Late", "Later"]


def test_a_filter_by_htmx_gives_the_board_and_its_short_address(client, todo, make, url):
    make.record(todo)
    headers = {**HTMX, "HX-Trigger": "board-filter"}
    answer = client.get(f"{url}?q=ada&assignee=&tag=&done=&due=", headers=headers)
    assert titles(check_part(answer)) == ["Call Ada"]
    assert answer.headers["HX-Push-Url"] == f"{url}?q=ada"


def test_a_change_on_a_filtered_board_keeps_the_filter(client, todo, make, url):
    record = make.record(todo)
    make.record(todo, title="Other")
    page = f"{url}?q=ada"
    headers = {**HTMX, "HX-Current-URL": f"http://localhost{page}"}
    assert titles(check_part(client.post(f"/records/{record.id}/completion", data={"done": "1"}, headers=headers))) == [
        "Call Ada"
    ]
    answer = client.post(
        f"/records/{record.id}/completion", data={"done": "0"}, headers={"Referer": f"http://localhost{page}"}
    )
    assert answer.location == page
    answer = client.post(
        f"/lists/{todo.id}/records", data={"title": "ada"}, headers={"Referer": f"http://localhost{page}"}
    )
    assert answer.location == f"{url}?open={todo.id}&q=ada"
    elsewhere = {"Referer": "http://localhost/projects/other?q=ada"}
    assert client.post(f"/records/{record.id}/order", data={"to": "up"}, headers=elsewhere).location == url


def test_a_page_that_asks_again_hears_nothing_until_something_changed(client, ada, project, todo, make, url):
    record = make.record(todo)
    poll = poll_of(check_page(client.get(url)))
    assert client.get(poll, headers=HTMX).status_code == 204
    for change in (
        lambda: records.rename(record, "Call Grace", by=ada),
        lambda: records.edit(record, {"tag_titles": ["New"]}, by=ada),
        lambda: make.comment(record, by=ada),
        lambda: lists.create("Doing", project=project, by=ada),
    ):
        change()
        poll = poll_of(check_part(client.get(poll, headers=HTMX)))
        assert client.get(poll, headers=HTMX).status_code == 204


def test_the_question_for_news_keeps_filter_and_whole_lists(client, todo, make, url):
    make.record(todo)
    poll = poll_of(check_page(client.get(f"{url}?q={quote('ada & co')}&list={todo.id}")))
    assert "q=ada+%26+co" in poll
    assert f"list={todo.id}" in poll
    assert client.get(poll, headers=HTMX).status_code == 204
    check_page(client.get(poll))


def test_a_card_dropped_at_a_place_stands_there(client, project, todo, make):
    first, second, third = (make.record(todo, title=str(number), position=float(number)) for number in (1, 2, 3))
    doing = make.list(project, title="Doing", position=131070.0)

    def drop(record, list_, place):
        part = check_part(
            client.post(f"/records/{record.id}/place", data={"list_id": list_.id, "place": place}, headers=HTMX)
        )
        return [titles(part.find(id=f"list-{each.id}")) for each in (todo, doing)]

    assert drop(third, todo, "1") == [["1", "3", "2"], []]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0
    assert drop(second, doing, "0") == [["1", "3"], ["2"]]
    assert drop(first, doing, "0") == [["3"], ["1", "2"]]
    assert list(db.session.scalars(sa.select(Event.type))) == ["TODO_MOVED"] * 2


def test_the_menu_of_a_card_offers_what_dragging_does(client, project, todo, make):
    record, doing = make.record(todo), make.list(project, title="Doing")
    headers = {"HX-Request": "true", "HX-Target": "card-menu"}
    part = check_part(client.get(f"/records/{record.id}/card", headers=headers))
    assert [option.text for option in part.find("select", name="list_id").find_all("option")] == ["To do", "Doing"]
    assert [button.text for button in part.find_all("button")] == ["Mark as done", "Up", "Down", "Top", "Bottom"]
    page = check_page(client.get(f"/records/{record.id}/card"))
    assert page.h1 == "Call Ada"
    assert page.links["Delete"] == f"/records/{record.id}/delete"
    assert doing.title in page.text


def test_lists_move_left_and_right_without_an_event(client, project, todo, make, url):
    doing = make.list(project, title="Doing", position=131070.0)
    page = check_page(client.get(url))
    assert [button.text for button in page.find(id=f"list-{todo.id}").find_all("button", name="to")] == ["Move right"]
    part = check_part(client.post(f"/lists/{doing.id}/order", data={"to": "left"}, headers=HTMX))
    assert [heading.text for heading in part.find_all("h2")] == ["Doing", "To do"]
    assert client.post(f"/lists/{doing.id}/order", data={"to": "right"}).location == url
    client.post(f"/lists/{doing.id}/order", data={"to": "sideways"})
    assert [each.title for each in lists.of(project)] == ["To do", "Doing"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Event)) == 0


def test_several_long_lists_can_be_shown_whole(client, project, todo, make, url):
    doing = make.list(project, title="Doing", position=131070.0)
    with transaction():
        for list_ in (todo, doing):
            for number in range(102):
                make.record(list_, position=float(number))
    page = check_page(client.get(url))
    assert len(titles(page)) == 200
    page = check_page(client.get(page.find(id=f"list-{todo.id}").find(class_="board-more").attrs["href"]))
    assert len(titles(page)) == 202
    page = check_page(client.get(page.find(id=f"list-{doing.id}").find(class_="board-more").attrs["href"]))
    assert len(titles(page)) == 204
    assert page.find_all(class_="board-more") == []


def test_an_empty_board_says_what_a_list_is_and_asks_for_one(client, url):
    page = check_page(client.get(url))
    assert "No lists yet" in page.text
    assert "open" in page.find("details", id="new-list").attrs
    assert page.find_all(id="board-filter") == []


def test_a_full_board_takes_no_more_lists(client, project, make, url):
    with transaction():
        for number in range(lists.MAX_LISTS):
            make.list(project, position=float(number))
    page = check_page(client.get(url))
    assert "A project has at most 50 lists." in page.text
    assert "Add list" not in page.text
    assert (
        "A project has at most 50 lists."
        in check_page(client.post(f"{url}/lists", data={"title": "One more"}), 422).errors()
    )


@pytest.mark.parametrize("role", [Role.VIEW_ONLY, Role.COMMENT_ONLY])
def test_who_may_only_read_is_offered_nothing_to_change(client, project, todo, make, url, role):
    record, reader = make.record(todo), make.user()
    make.member(project, reader, role)
    client.sign_in(reader)
    for path in (url, f"/records/{record.id}/card"):
        main = check_page(client.get(path)).find("main")
        assert main.find_all("form", method="post") + main.find_all("button", class_="done-box") == []
    assert client.post(f"/lists/{todo.id}/order", data={"to": "left"}).status_code == 403


def test_strangers_find_neither_the_menu_of_a_card_nor_the_order_of_lists(client, cast, todo, make):
    record = make.record(todo)
    client.sign_in(cast.stranger)
    assert client.get(f"/records/{record.id}/card").status_code == 404
    assert client.post(f"/lists/{todo.id}/order", data={"to": "left"}).status_code == 404
    client.delete_cookie("session")
    assert client.get(f"/records/{record.id}/card").location.startswith("/login")


def test_the_database_is_asked_as_often_whatever_the_size_of_the_board(client, ada, project, make, url):
    tag, asked = make.tag(project), []
    check_page(client.get(url))  # a first visit asks some things once
    for count in (2, 60):
        list_ = make.list(project, title=f"List {count}")
        with transaction():
            numbered = [make.record(list_, title=str(number), position=float(number)) for number in range(count)]
        for record in numbered[:2]:
            records.edit(record, {"tag_ids": [tag.id], "assignee_ids": [ada.id]}, by=ada)
            make.comment(record, by=ada)
        with counted() as sent:
            assert len(titles(check_page(client.get(url)))) >= count
        asked.append(len(sent))
    assert asked[0] == asked[1] <= 25
