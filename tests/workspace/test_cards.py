"""The cards of a board."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webapp.models import transaction, utc_now
from webapp.workspace import cards, records
from webapp.workspace.cards import DueWish, Wanted
from webapp.workspace.moments import DueState

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def todo(make, project):
    return make.list(project)


def test_a_card_shows_tags_people_and_how_the_due_date_stands(make, ada, project, todo):
    done, now = make.list(project, title="Done"), utc_now()
    plain = make.record(todo)
    late = make.record(done, dued_at=now - timedelta(hours=1))
    records.edit(late, {"tag_titles": ["b", "a"], "assignee_ids": [ada.id]}, by=ada)
    make.record(done, archived=True)
    shown = {
        list_id: [(card.id, card.due, [tag.title for tag in card.tags], list(card.assignees)) for card in column.cards]
        for list_id, column in cards.of([todo, done], now).items()
    }
    assert shown == {
        todo.id: [(plain.id, DueState.NONE, [], [])],
        done.id: [(late.id, DueState.OVERDUE, ["b", "a"], ["Ada King"])],
    }


def test_a_card_counts_comments_and_items_of_checklists(make, ada, todo):
    record, plain = make.record(todo), make.record(todo, position=2.0)
    for _ in range(2):
        make.comment(record, by=ada)
        make.item(make.checklist(record), done=True)
    make.item(make.checklist(record))
    column = cards.of([todo], utc_now())[todo.id]
    shown = {card.id: (card.comments, card.items_done, card.items) for card in column.cards}
    assert shown == {record.id: (2, 2, 3), plain.id: (0, 0, 0)}


def test_of_a_long_list_the_first_ones_are_shown_unless_it_is_wanted_whole(make, todo):
    for number in range(5):
        make.record(todo, title=f"Record {number}", position=float(number))
    column = cards.of([todo], utc_now(), most=2)[todo.id]
    assert [card.title for card in column.cards] == ["Record 0", "Record 1"]
    assert (column.hidden, column.fitting, column.records) == (3, 5, 5)
    column = cards.of([todo], utc_now(), most=2, whole=[todo.id])[todo.id]
    assert (len(column.cards), column.hidden) == (5, 0)


def test_cards_that_fit_a_wish_keep_their_place_in_the_list(make, todo):
    for number, title in enumerate(["ÖLWECHSEL", "Tyres", "Check öl"]):
        make.record(todo, title=title, position=float(number))
    column = cards.of([todo], utc_now(), wanted=Wanted(text=" öl "), most=1)[todo.id]
    assert [(card.title, card.place) for card in column.cards] == [("ÖLWECHSEL", 0)]
    assert (column.hidden, column.records) == (1, 3)
    column = cards.of([todo], utc_now(), wanted=Wanted(text="check"))[todo.id]
    assert [card.place for card in column.cards] == [2]


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        ({}, {"late", "sunday", "monday", "open", "met"}),
        ({"due": DueWish.OVERDUE}, {"late"}),
        ({"due": DueWish.WEEK}, {"late", "sunday", "met"}),
        ({"due": DueWish.WEEK, "timezone": "Asia/Tokyo"}, {"late", "met"}),
        ({"due": DueWish.NONE}, {"open"}),
        ({"done": True}, {"met"}),
        ({"done": False, "due": DueWish.WEEK}, {"late", "sunday"}),
    ],
)
def test_cards_are_narrowed_by_what_is_done_and_due(make, todo, wanted, fitting):
    for title, hours in (("late", -1), ("sunday", 4 * 24 + 11), ("monday", 4 * 24 + 12)):
        make.record(todo, title=title, dued_at=WEDNESDAY + timedelta(hours=hours))
    make.record(todo, title="open")
    make.record(todo, title="met", done=True, dued_at=WEDNESDAY - timedelta(hours=2))
    column = cards.of([todo], WEDNESDAY, wanted=Wanted(**wanted))[todo.id]
    assert {card.title for card in column.cards} == fitting


def test_cards_are_narrowed_by_tag_and_assignee(make, ada, project, todo):
    tag = make.tag(project)
    both, tagged = make.record(todo), make.record(todo, position=131070.0)
    records.edit(both, {"tag_ids": [tag.id], "assignee_ids": [ada.id]}, by=ada)
    records.edit(tagged, {"tag_ids": [tag.id]}, by=ada)

    def fitting(**wish):
        return [card.id for card in cards.of([todo], utc_now(), wanted=Wanted(**wish))[todo.id].cards]

    assert fitting(tag_id=tag.id) == [both.id, tagged.id]
    assert fitting(assignee_id=ada.id) == fitting(tag_id=tag.id, assignee_id=ada.id) == [both.id]
    assert fitting(tag_id="no-such-tag") == []


def test_only_a_wish_restricts():
    assert not Wanted(timezone="Asia/Tokyo").restricts
    assert Wanted(done=False).restricts


def test_a_board_of_many_records_asks_as_often_as_a_board_of_few(make, ada, project, todo, statements):
    tag = make.tag(project)
    asked_for = []
    for many in (3, 40):
        with transaction():
            numbered = [make.record(todo, position=float(number)) for number in range(many)]
        for record in numbered[:5]:
            records.edit(record, {"tag_ids": [tag.id], "assignee_ids": [ada.id]}, by=ada)
        assert todo.id
        with statements() as asked:
            shown = cards.of([todo], utc_now())[todo.id].cards
            assert sum(len(card.tags) + len(card.assignees) for card in shown) >= 6
        asked_for.append(len(asked))
    assert asked_for[0] == asked_for[1] <= 7
