"""The cards of a board."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webapp.models import transaction, utc_now
from webapp.workspace import cards, records
from webapp.workspace.moments import DueState


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


def test_a_card_shows_tags_people_and_how_the_due_date_stands(make, ada, project):
    todo, done, now = make.list(project), make.list(project, title="Done"), utc_now()
    plain = make.record(todo)
    late = make.record(done, dued_at=now - timedelta(hours=1))
    records.edit(late, {"tag_titles": ["b", "a"], "assignee_ids": [ada.id]}, by=ada)
    make.record(done, archived=True)
    shown = {
        list_id: [
            (card.record, card.due, [tag.title for tag in card.tags], [user.name for user in card.assignees])
            for card in row
        ]
        for list_id, row in cards.of([todo, done], now).items()
    }
    assert shown == {
        todo.id: [(plain, DueState.NONE, [], [])],
        done.id: [(late, DueState.OVERDUE, ["b", "a"], ["Ada King"])],
    }


def test_a_card_counts_comments_and_items_of_checklists(make, ada, project):
    todo = make.list(project)
    record, plain = make.record(todo), make.record(todo, position=2.0)
    for _ in range(2):
        make.comment(record, by=ada)
        make.item(make.checklist(record), done=True)
    make.item(make.checklist(record))
    shown = {card.record: (card.comments, card.items_done, card.items) for card in cards.of([todo], utc_now())[todo.id]}
    assert shown == {record: (2, 2, 3), plain: (0, 0, 0)}


def test_a_board_of_many_records_asks_as_often_as_a_board_of_few(make, ada, project, statements):
    todo, tag = make.list(project), make.tag(project)
    asked_for = []
    for many in (3, 40):
        with transaction():
            numbered = [make.record(todo, position=float(number)) for number in range(many)]
        for record in numbered[:5]:
            records.edit(record, {"tag_ids": [tag.id], "assignee_ids": [ada.id]}, by=ada)
        assert todo.id
        with statements() as asked:
            shown = cards.of([todo], utc_now())[todo.id]
            assert sum(len(card.tags) + len(card.assignees) for card in shown) >= 6
        asked_for.append(len(asked))
    assert asked_for[0] == asked_for[1] <= 7
