"""Tags: of a project, and on its records."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Conflict, Forbidden, Invalid, NotFound, RecordTag, Role, Tag, transaction
from webapp.workspace import records, tags


@pytest.fixture
def ada(make):
    return make.user(name="Ada King")


@pytest.fixture
def project(make, ada):
    return make.project(owner=ada)


@pytest.fixture
def record(make, project):
    return make.record(make.list(project))


def tagged(value):
    return [link["tag"]["title"] for link in value["todoTags"]]


def test_a_new_tag_publishes_itself(ada, project, published):
    tag = tags.create("  Very  urgent ", project=project, by=ada, color="#FF0000")
    [(code, previous, current)] = published()
    assert (code, previous) == ("TAG_CREATED", "absent")
    assert (current["id"], current["title"], current["color"]) == (tag.id, "Very urgent", "#ff0000")
    assert current["project"]["id"] == project.id
    assert tags.create("Plain", project=project, by=ada).color == "#4a9fff"


def test_a_tag_is_changed_with_one_event(make, ada, project, published):
    tag = make.tag(project, "Important", color="#00a0d2")
    tags.edit(tag, title="Urgent", color="#4a9fff", by=ada)
    [(code, previous, current)] = published()
    assert (code, previous["title"], previous["color"]) == ("TAG_UPDATED", "Important", "#00a0d2")
    assert (current["title"], current["color"]) == ("Urgent", "#4a9fff")
    assert previous["updatedAt"] < current["updatedAt"]


def test_only_the_case_of_a_tag_may_change_too(make, ada, project, published):
    tags.edit(make.tag(project, "urgent"), title="Urgent", by=ada)
    assert [(old["title"], new["title"]) for _, old, new in published()] == [("urgent", "Urgent")]


def test_what_changes_nothing_publishes_nothing(make, ada, project, record, published):
    tag = make.tag(project)
    tags.edit(tag, title=" Urgent ", color="#4A9FFF", by=ada)
    tags.edit(tag, by=ada)
    records.edit(record, {"tag_ids": []}, by=ada)
    assert published() == []
    records.edit(record, {"tag_ids": [tag.id]}, by=ada)
    changed_at = record.updated_at
    records.edit(record, {"tag_titles": ["URGENT"]}, by=ada)
    records.edit(record, {"tag_ids": [tag.id, tag.id], "tag_titles": ["urgent"]}, by=ada)
    assert [code for code, *_ in published()] == ["TODO_TAG_ADDED"]
    assert record.updated_at == changed_at


def test_deleting_a_tag_takes_it_off_its_records_without_their_events(make, ada, project, record, published):
    tag = make.tag(project)
    records.edit(record, {"tag_ids": [tag.id]}, by=ada)
    tags.delete(tag, by=ada)
    code, previous, current = published()[-1]
    assert (len(published()), code, previous["title"], current) == (2, "TAG_DELETED", "Urgent", None)
    assert record.tags == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RecordTag)) == 0


@pytest.mark.parametrize("title", ["", "  ", "t" * 51, "a\x00b"])
def test_a_title_is_a_line_of_1_to_50_characters(make, ada, project, record, title, published):
    for act in (
        lambda: tags.create(title, project=project, by=ada),
        lambda: tags.edit(make.tag(project), title=title, by=ada),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["title"]
    with pytest.raises(Invalid) as refused:
        records.edit(record, {"tag_titles": ["Good", title]}, by=ada)
    assert list(refused.value.fields) == ["tag_titles"]
    assert published() == []


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#gggggg", "#fff"])
def test_a_colour_has_six_digits(make, ada, project, color):
    for act in (
        lambda: tags.create("Red", project=project, by=ada, color=color),
        lambda: tags.edit(make.tag(project), color=color, by=ada),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert list(refused.value.fields) == ["color"]


@pytest.mark.parametrize("title", ["urgent", "URGENT", " Urgent "])
def test_no_two_tags_of_a_project_differ_in_case_alone(make, ada, project, title):
    make.tag(project)
    other = make.tag(project, "Other")
    for act in (lambda: tags.create(title, project=project, by=ada), lambda: tags.edit(other, title=title, by=ada)):
        with pytest.raises(Invalid, match="exists already"):
            act()
    assert tags.create(title, project=make.project(owner=ada), by=ada).title == "".join(title.split())


def test_words_that_fold_alike_are_one_tag(make, ada, project, record):
    make.tag(project, "Straße")
    records.edit(record, {"tag_titles": ["STRASSE", "strasse"]}, by=ada)
    assert [link.tag.title for link in record.tags] == ["Straße"]


def test_tags_come_and_go_with_one_event_for_each_direction(make, ada, project, record, published):
    old, stays, new, newer = (make.tag(project, title) for title in ("old", "stays", "new", "newer"))
    records.edit(record, {"tag_ids": [old.id, stays.id]}, by=ada)
    kept = {link.tag_id: link.id for link in record.tags}
    records.edit(record, {"tag_ids": [newer.id, stays.id, new.id]}, by=ada)
    assert [(code, tagged(was), tagged(now)) for code, was, now in published()[1:]] == [
        ("TODO_TAG_ADDED", ["old", "stays"], ["stays", "newer", "new"]),
        ("TODO_TAG_REMOVED", ["old", "stays"], ["stays", "newer", "new"]),
    ]
    assert {link.tag_id: link.id for link in record.tags}[stays.id] == kept[stays.id]
    assert published()[1][1]["updatedAt"] < published()[1][2]["updatedAt"]
    db.session.expire_all()
    assert [link.tag.title for link in record.tags] == ["stays", "newer", "new"]


def test_a_new_title_makes_a_tag_that_publishes_itself_first(make, ada, project, record, published):
    known = make.tag(project, "Known")
    records.edit(record, {"tag_ids": [known.id], "tag_titles": ["New", "known", "new", "Other"]}, by=ada)
    assert [code for code, *_ in published()] == ["TAG_CREATED", "TAG_CREATED", "TODO_TAG_ADDED"]
    assert [current["color"] for _, _, current in published()[:2]] == ["#4a9fff"] * 2
    assert tagged(published()[2][2]) == ["Known", "New", "Other"]


@pytest.mark.parametrize("where", ["another project", "nowhere"])
def test_a_record_takes_tags_of_its_own_project_only(make, ada, record, published, where):
    tag_id = make.tag(make.project(owner=ada)).id if where == "another project" else "nothing"
    with pytest.raises(Invalid) as refused:
        records.edit(record, {"title": "Changed", "tag_ids": [tag_id]}, by=ada)
    assert list(refused.value.fields) == ["tag_ids"]
    assert (published(), record.title) == ([], "Call Ada")


def test_a_project_and_a_record_hold_only_so_many_tags(make, ada, project, record, monkeypatch):
    monkeypatch.setattr(tags, "MAX_TAGS", 2)
    records.edit(record, {"tag_titles": ["a", "b"]}, by=ada)
    with pytest.raises(Invalid, match="at most 2 tags") as refused:
        records.edit(record, {"tag_titles": ["a", "b", "c"]}, by=ada)
    assert list(refused.value.fields) == ["tag_titles"]
    with pytest.raises(Invalid, match="at most 2 tags"):
        tags.create("c", project=project, by=ada)
    monkeypatch.setattr("webapp.workspace.record_changes.MAX_TAGS", 1)
    with pytest.raises(Invalid, match="at most 1 tags"):
        records.edit(record, {"tag_titles": ["b", "a"]}, by=ada)


def test_tags_are_listed_by_title_with_their_uses_in_one_question(make, ada, project, statements):
    todo = make.list(project)
    for title in ("beta", "Alpha", "gamma"):
        make.tag(project, title)
    make.tag(title="foreign")
    for titles in (["beta", "alpha"], ["beta"]):
        records.edit(make.record(todo), {"tag_titles": titles}, by=ada)
    assert project.id
    with statements() as asked:
        shown = [(use.tag.title, use.records) for use in tags.of(db.session.merge(project, load=False))]
    assert shown == [("Alpha", 1), ("beta", 2), ("gamma", 0)]
    assert len(asked) <= 2


ADDS, EDITS = "role Member", "Only owners and administrators"
ACTS = {
    "create": (lambda tag, by: tags.create("New", project=tag.project, by=by), Role.MEMBER, ADDS),
    "edit": (lambda tag, by: tags.edit(tag, title="New", by=by), Role.ADMIN, EDITS),
    "delete": (lambda tag, by: tags.delete(tag, by=by), Role.ADMIN, EDITS),
}
ORDER = [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.CLIENT, Role.COMMENT_ONLY, Role.VIEW_ONLY]


@pytest.mark.parametrize("role", ORDER)
@pytest.mark.parametrize(("act", "least", "sentence"), ACTS.values(), ids=ACTS)
def test_each_role_may_do_what_it_may(make, project, act, least, sentence, role, published):
    tag, person = make.tag(project), make.user()
    make.member(project, person, role)
    if ORDER.index(role) <= ORDER.index(least):
        act(tag, person)
        assert len(published()) == 1
        return
    with pytest.raises(Forbidden, match=sentence):
        act(tag, person)
    assert published() == []


@pytest.mark.parametrize("act", [act for act, *_ in ACTS.values()], ids=ACTS)
def test_strangers_see_no_tag_and_archived_projects_keep_theirs(make, ada, project, act, published):
    tag = make.tag(project)
    with pytest.raises(NotFound):
        act(tag, make.user())
    with transaction():
        project.archived = True
    with pytest.raises(Conflict, match="read only"):
        act(tag, ada)
    assert published() == []


def test_clients_put_tags_on_records_but_make_none(make, project, record, published):
    client = make.user()
    make.member(project, client, Role.CLIENT)
    make.tag(project)
    records.edit(record, {"tag_titles": ["urgent"]}, by=client)
    with pytest.raises(Forbidden, match="role Member"):
        records.edit(record, {"tag_titles": ["urgent", "new"]}, by=client)
    assert [code for code, *_ in published()] == ["TODO_TAG_ADDED"]
    assert db.session.scalars(sa.select(Tag.title)).all() == ["Urgent"]
