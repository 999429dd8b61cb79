"""What a filter would have done with the recorded events of one's own projects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories import Make
from webapp.models import Invalid, Role, User, utc_now
from webapp.webhooks.back_tests import MAX_BYTES, MAX_EXAMPLES, BackTest, back_test

ADA = {"rules": [{"path": "record.title", "operator": "contains", "value": "Ada"}]}


def happen(make: Make, user: User, title: str, **values: Any) -> None:
    body = json.dumps({"title": title}).encode()
    make.event(
        values.pop("project", None) or make.project_of(user), current_value=body, fanned_out_at=utc_now(), **values
    )


@pytest.fixture
def owner(make: Make) -> User:
    person = make.user()
    make.project(person)
    return person


def counts(result: BackTest) -> tuple[int, int]:
    return result.passed, result.refused


def test_both_kinds_are_counted_with_the_newest_as_examples(make: Make, owner: User) -> None:
    for number in range(8):
        happen(make, owner, f"Call Ada {number}")
        happen(make, owner, f"Call Bob {number}")
    result = back_test(owner, ADA)
    assert (result.passed, result.refused, result.judged) == (8, 8, 16)
    assert [each.name for each in result.passed_examples] == [f"Call Ada {number}" for number in (7, 6, 5, 4, 3)]
    assert len(result.refused_examples) == MAX_EXAMPLES
    first = result.refused_examples[0]
    assert first.refusal is not None
    assert (first.name, first.refusal["rule"], first.refusal["found"]) == ("Call Bob 7", 0, "Call Bob 7")
    assert all(each.refusal is None for each in result.passed_examples)


def test_only_the_last_ones_are_judged(make: Make, owner: User) -> None:
    for title in ("Ada", "Bob", "Bob"):
        happen(make, owner, title)
    assert counts(back_test(owner, ADA, last=2)) == (0, 2)
    assert counts(back_test(owner, ADA, last=3)) == (1, 2)


def test_only_chosen_events_and_projects_count(make: Make, owner: User) -> None:
    other = make.project(owner)
    happen(make, owner, "Ada")
    happen(make, owner, "Ada", type="TODO_NAME_CHANGED")
    happen(make, owner, "Ada", project=other)
    assert counts(back_test(owner, ADA)) == (3, 0)
    assert counts(back_test(owner, ADA, events=["TODO_NAME_CHANGED"])) == (1, 0)
    assert counts(back_test(owner, ADA, project_ids=[other.id])) == (1, 0)


def test_events_of_projects_that_one_does_not_administer_are_never_told(make: Make, owner: User) -> None:
    foreign, shared = make.project(), make.project()
    make.member(shared, owner, Role.MEMBER)
    happen(make, owner, "Ada", project=foreign)
    happen(make, owner, "Ada", project=shared)
    assert back_test(owner, ADA).judged == 0
    assert back_test(owner, ADA, project_ids=[foreign.id, shared.id]).judged == 0


def test_no_filter_lets_all_pass_and_a_wrong_one_is_named(make: Make, owner: User) -> None:
    happen(make, owner, "Bob")
    assert counts(back_test(owner, None)) == (1, 0)
    with pytest.raises(Invalid) as refused:
        back_test(owner, {"rules": [{"path": "title", "operator": "is", "value": "x"}]})
    assert list(refused.value.fields) == ["filter.rules.0.path"]


def test_very_large_events_end_it_early_and_the_count_says_so(make: Make, owner: User) -> None:
    for _ in range(5):
        happen(make, owner, "Ada" * (MAX_BYTES // 10))
    assert back_test(owner, ADA).judged == 3
