from __future__ import annotations

import pytest

from webapp.models import Conflict, Forbidden, Invalid, NotFound, Role, transaction
from webapp.workspace import access, comments, records


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def record(make, ada):
    return make.record(make.list(make.project(owner=ada)))


@pytest.fixture
def member(make, record):
    """Make a member of the record's project with this role."""

    def make_member(role):
        user = make.user()
        make.member(record.list.project, user, role)
        return user

    return make_member


def test_a_new_comment_publishes_itself_with_its_author_and_record(ada, record, published, event_records):
    comment = comments.create("Looks good\r\nfrom here\n\n1 < 2", record=record, by=ada)
    [(code, previous, current)] = published()
    assert (code, previous) == ("COMMENT_CREATED", "absent")
    assert current["text"] == "Looks good\nfrom here\n\n1 < 2"
    assert current["html"] == "<p>Looks good<br>from here</p><p>1 &lt; 2</p>"
    assert (current["id"], current["user"]["firstName"], current["todo"]["id"]) == (comment.id, "Ada", record.id)
    assert current["todo"]["todoList"]["project"]["company"]["id"] == record.list.project.company_id
    assert event_records() == [record.id]
    assert not comment.is_edited


def test_editing_publishes_the_comment_before_and_after(ada, record, published, event_records):
    comment = comments.create("Looks good", record=record, by=ada)
    comments.edit(comment, "Looks great", by=ada)
    code, previous, current = published()[1]
    assert (code, previous["text"], current["text"]) == ("COMMENT_UPDATED", "Looks good", "Looks great")
    assert (previous["html"], current["html"]) == ("<p>Looks good</p>", "<p>Looks great</p>")
    assert previous["updatedAt"] <= current["updatedAt"]
    assert event_records() == [record.id] * 2
    assert comment.is_edited


def test_the_same_text_publishes_nothing(ada, record, published):
    comment = comments.create("Looks good", record=record, by=ada)
    comments.edit(comment, " Looks good\n", by=ada)
    assert len(published()) == 1
    assert not comment.is_edited


def test_deleting_publishes_the_comment_as_it_was(make, ada, record, published, event_records):
    comment = make.comment(record, by=ada)
    comment_id = comment.id
    comments.delete(comment, by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["id"], previous["text"], current) == ("COMMENT_DELETED", comment_id, "Looks good", None)
    assert event_records() == [record.id]
    assert comments.of(record) == []
    with pytest.raises(NotFound):
        access.load_comment(comment_id, ada)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CLIENT, Role.COMMENT_ONLY])
def test_everybody_but_readers_comments_and_changes_only_their_own(make, ada, record, member, role, published):
    tim, others = member(role), make.comment(record, by=ada)
    own = comments.create("Mine", record=record, by=tim)
    comments.edit(own, "Still mine", by=tim)
    comments.delete(own, by=tim)
    with pytest.raises(Forbidden, match="Only its author changes"):
        comments.edit(others, "Not mine", by=tim)
    with pytest.raises(Forbidden, match="administrators delete"):
        comments.delete(others, by=tim)
    assert [code for code, _, _ in published()] == ["COMMENT_CREATED", "COMMENT_UPDATED", "COMMENT_DELETED"]


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_administrators_delete_any_comment_and_change_none_of_others(make, ada, record, member, role):
    grace, comment = member(role), make.comment(record, by=ada)
    with pytest.raises(Forbidden):
        comments.edit(comment, "Not what she wrote", by=grace)
    comments.delete(comment, by=grace)
    assert comments.of(record) == []


ACTS = {
    "create": lambda comment, by: comments.create("Mine", record=comment.record, by=by),
    "edit": lambda comment, by: comments.edit(comment, "Mine", by=by),
    "delete": lambda comment, by: comments.delete(comment, by=by),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_only_reads_does_not_comment_not_even_as_the_author(make, ada, record, member, act, published):
    reader = member(Role.VIEW_ONLY)
    comment = make.comment(record, by=reader)
    with pytest.raises(Forbidden, match="role Comment only"):
        act(comment, reader)
    with pytest.raises(NotFound):
        act(comment, make.user())
    with transaction():
        record.list.project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(comment, ada)
    assert published() == []


@pytest.mark.parametrize("text", ["", " \n ", "t" * 10_001, "a\x00b"])
def test_a_comment_has_1_to_10000_characters(make, ada, record, text):
    comment = make.comment(record, by=ada)
    for act in (lambda: comments.create(text, record=record, by=ada), lambda: comments.edit(comment, text, by=ada)):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["text"]
    assert len(comments.create("t" * 10_000, record=record, by=ada).text) == 10_000


def test_comments_stand_oldest_first_with_their_authors(make, ada, record, statements):
    written = [make.comment(record, by=make.user(name=name)) for name in ("Grace", "Charles", "Mary")]
    make.comment()
    with statements() as asked:
        found = comments.of(record)
        assert [comment.user.name for comment in found] == ["Grace", "Charles", "Mary"]
    assert found == written
    assert len(asked) == 2  # the record itself, and all of this


def test_comments_are_counted_by_record(make, ada, record):
    other, silent = make.record(record.list), make.record(record.list)
    for _ in range(3):
        make.comment(record)
    make.comment(other)
    assert comments.counts([record.id, other.id, silent.id]) == {record.id: 3, other.id: 1}
    assert comments.counts([]) == {}


def test_comments_go_with_their_record_without_events_of_their_own(make, ada, record, published):
    comment_id = make.comment(record, by=ada).id
    records.delete(record, by=ada)
    assert [code for code, _, _ in published()] == ["TODO_DELETED"]
    with pytest.raises(NotFound):
        access.load_comment(comment_id, ada)


def test_a_comment_outlives_its_author(make, ada, record, published):
    comment = make.comment(record)
    comments.delete(comment, by=ada)
    assert (published()[0][1]["userId"], published()[0][1]["user"]) == (None, None)
