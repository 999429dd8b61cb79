from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Record,
    RecordImport,
    Role,
    Tag,
    transaction,
    utc_now,
)
from webapp.workspace import custom_fields, importing, imports, lists, members, records

FILE = (
    "Titel;Beschreibung;Start;Fällig;Schlagwörter;Zuständig;Erledigt;Budget;Extra\n"
    "Äpfel kaufen;Beim Markt;01.05.2026;04.05.2026 14:30;Obst, Markt;TIM@example.com;ja;1.234,50 €;nothing\n"
    "=SUM(A1);;;;obst;;nein;;\n"
)


@pytest.fixture
def ada(cast):
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def todo(project, make):
    return make.list(project)


@pytest.fixture
def upload(todo, ada):
    return lambda text, by=None, zone="UTC": imports.upload(text, "plan.csv", list_=todo, by=by or ada, zone=zone)


@pytest.fixture
def run():
    return lambda: importing.work(pause=lambda _: None)


def titles(list_):
    db.session.rollback()
    return [record.title for record in records.on_board([list_])[list_.id]]


def said(lines):
    return [(line.line.number, fault.column, str(fault.error)) for line in lines for fault in line.faults]


def test_a_german_file_becomes_records_with_all_they_have(upload, run, ada, cast, todo, project, make, published):
    with transaction():
        cast.teammate.email = "tim@example.com"
    budget = make.field(project, "CURRENCY", name="Budget", currency="EUR")
    make.tag(project, "Obst")
    found = upload(FILE, zone="Europe/Berlin")
    seen = imports.preview(found, by=ada)
    assert seen.choices.columns == (
        "title", "description", "started_at", "dued_at", "tags", "assignees", "done", f"field:{budget.id}", "",
    )  # fmt: skip
    assert (len(seen.right), seen.wrong, seen.new_tags) == (2, [], ["Markt"])

    imports.start(found, only_right=False, by=ada)
    run()

    first, second = records.on_board([todo])[todo.id]
    assert (first.title, first.text, first.done, first.timezone) == (
        "Äpfel kaufen",
        "Beim Markt",
        True,
        "Europe/Berlin",
    )
    assert first.started_at.isoformat() == "2026-04-30T22:00:00+00:00"
    assert first.dued_at.isoformat() == "2026-05-04T12:30:00+00:00"
    assert sorted(one.tag.title for one in first.tags) == ["Markt", "Obst"]
    assert [one.user_id for one in first.assignees] == [cast.teammate.id]
    assert [(value.number, value.currency) for value in first.field_values] == [(1234.5, "EUR")]
    assert (second.title, second.done, second.created_by_id) == ("=SUM(A1)", False, ada.id)
    assert [code for code, _, _ in published()] == ["TAG_CREATED", "TODO_CREATED", "TODO_CREATED"]
    db.session.refresh(found)
    assert (found.text, found.created, found.taken, found.ended_because) == (None, 2, 2, None)


def test_every_wrong_line_is_told_by_the_rules_of_the_actions_and_saves_nothing(upload, ada, todo, project, make):
    make.field(project, "NUMBER", name="Size", max=10)
    found = upload(
        "Title,Start,Due date,Done,Assignees,Size,Tags\n"
        ",,,,,,\n"
        " ,2026-05-09,2026-05-04,perhaps,nobody@example.com,11," + "t" * 51 + "\n"
        "Fine,,,,,,\n"
        "Late,2026-05-09,2026-05-04,,,,\n"
        "When,,tomorrow,,,,\n"
        "Wide,,,,,,,more\n"
    )
    seen = imports.preview(found, by=ada)
    assert [one.line.number for one in seen.right] == [4]
    assert said(seen.wrong) == [
        (3, "Done", "Write yes or no."),
        (3, "Assignees", "Nobody in this project has the address “nobody@example.com”."),
        (3, "Size", "Enter a number up to 10."),
        (3, "Tags", "Use at most 50 characters."),
        (5, "Due date", "Choose a due date that is not before the start."),
        (6, "Due date", "Enter a date such as 2026-05-04, or with a time: 2026-05-04T14:30."),
        (7, "", "This line has more cells than the first one."),
    ]
    with pytest.raises(Invalid, match="Some lines are wrong"):
        imports.start(found, only_right=False, by=ada)
    assert titles(todo) == []


def test_the_right_lines_alone_are_imported_and_the_others_kept(upload, run, ada, todo):
    found = upload("Title,Done\nA,\nB,perhaps\nC,x\n")
    imports.start(found, only_right=True, by=ada)
    run()
    assert titles(todo) == ["A", "C"]
    (line,) = imports.refused(found, by=ada)
    assert (line.number, list(line.cells), line.faults[0].column) == (3, ["B", "perhaps"], "Done")


def test_nothing_starts_when_no_line_is_right_or_no_column_the_title(upload, ada):
    with pytest.raises(Invalid, match="No line is right"):
        imports.start(upload("Title,Done\nA,perhaps\n"), only_right=True, by=ada)
    found = upload("What,Done\nA,\n")
    assert imports.preview(found, by=ada).needs_title
    with pytest.raises(Invalid, match="which column is the title"):
        imports.start(found, only_right=True, by=ada)
    imports.arrange(found, ["title", ""], "", ".", by=ada)
    assert len(imports.preview(found, by=ada).right) == 1


@pytest.mark.parametrize(
    ("columns", "order", "mark"),
    [
        (["title"], "", "."),
        (["title", "title"], "", "."),
        (["title", "field:x"], "", "."),
        (["title", ""], "year", "."),
    ],
)
def test_columns_that_make_no_sense_are_refused(upload, ada, columns, order, mark):
    found = upload("Title,Done\nA,\n")
    with pytest.raises(Invalid) as caught:
        imports.arrange(found, columns, order, mark, by=ada)
    assert caught.value.field == "columns"


def test_an_order_of_dates_is_asked_for_and_then_followed(upload, ada):
    found = upload("Title,Due\nA,03/04/2026\n")
    assert said(imports.preview(found, by=ada).wrong) == [
        (2, "Due", "Say above which comes first, the day or the month.")
    ]
    imports.arrange(found, ["title", "dued_at"], "month", ".", by=ada)
    assert imports.preview(found, by=ada).right[0].changes["dued_at"] == "2026-03-04"


def test_many_lines_go_in_small_transactions_in_their_order(upload, ada, todo):
    found = upload("Title\n" + "".join(f"Record {number}\n" for number in range(120)))
    imports.start(found, only_right=False, by=ada)
    seen = []
    importing.work(pause=lambda _: seen.append(len(titles(todo))))
    assert seen == [50, 100, 120]
    assert titles(todo) == [f"Record {number}" for number in range(120)]


def test_a_worker_that_dies_between_or_within_transactions_neither_loses_nor_doubles(
    upload, run, ada, todo, monkeypatch
):
    found = upload("Title\n" + "".join(f"Record {number}\n" for number in range(120)))
    imports.start(found, only_right=False, by=ada)

    def die(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.work(pause=die)
    assert len(titles(todo)) == 50

    count = importing._count
    monkeypatch.setattr(importing, "_count", lambda *_args, **_values: die(0))
    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(titles(todo)) == 50

    monkeypatch.setattr(importing, "_count", count)
    run()
    assert Counter(titles(todo)) == Counter(f"Record {number}" for number in range(120))


def test_stopping_keeps_what_is_done_and_gives_up_the_rest(upload, run, ada, todo):
    found = upload("Title\n" + "A\n" * 120)
    imports.start(found, only_right=False, by=ada)
    importing.work(pause=lambda _: imports.stop(imports.load(found.id, ada), by=ada))
    run()
    assert len(titles(todo)) == 50
    found = imports.load(found.id, ada)
    assert (found.created, found.text, found.stopped_at is not None) == (50, None, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("suspended", "You may no longer sign in."),
        ("removed", "There is no such list."),
        ("role", "Your role in this project does not change records. Ask an administrator for the role Client."),
        ("archived", "This project is archived: read only."),
        ("deleted", "The list was deleted."),
    ],
)
def test_an_import_ends_where_the_person_may_no_longer(upload, run, cast, ada, project, todo, change, sentence):
    tim = cast.teammate
    found = upload("Title\nA\n", by=tim)
    imports.start(found, only_right=False, by=tim)
    if change == "suspended":
        with transaction():
            tim.suspended_at = utc_now()
    elif change == "removed":
        members.remove(project, tim.id, by=ada)
    elif change == "role":
        members.change_role(project, tim.id, Role.VIEW_ONLY, by=ada)
    elif change == "archived":
        with transaction():
            project.archived = True
    else:
        lists.delete(todo, by=ada)
    run()
    db.session.refresh(found)
    assert (found.ended_because, found.created, found.text) == (sentence, 0, None)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Record)) == 0


def test_lines_are_judged_anew_when_they_are_saved(upload, run, cast, ada, project, todo, make):
    field = make.field(project, "NUMBER", name="Size")
    found = upload(f"Title,Assignees,Size\nA,{cast.teammate.email},\nB,,\nC,,5\n")
    imports.start(found, only_right=False, by=ada)
    members.remove(project, cast.teammate.id, by=ada)
    custom_fields.delete(field, by=ada)
    run()
    assert titles(todo) == []
    assert [line.number for line in imports.refused(found, by=ada)] == [2, 3, 4]


def test_what_fails_at_saving_alone_is_refused_alone(upload, run, ada, todo, monkeypatch):
    add = importing.record_changes.add

    def refuse(list_, changes, **values):
        if changes["title"] == "B":
            raise Invalid("assignee_ids", "Choose members of this project only.")
        return add(list_, changes, **values)

    monkeypatch.setattr(importing.record_changes, "add", refuse)
    found = upload("Title\nA\nB\nC\n")
    imports.start(found, only_right=False, by=ada)
    run()
    assert titles(todo) == ["A", "C"]
    assert [line.number for line in imports.refused(found, by=ada)] == [3]


def test_clients_may_import_but_make_no_tags(upload, project, make):
    client = make.user()
    make.member(project, client, Role.CLIENT)
    make.tag(project, "Old")
    seen = imports.preview(upload("Title,Tags\nA,old\nB,new\n", by=client), by=client)
    assert [one.line.number for one in seen.right] == [2]
    assert "does not add tags" in said(seen.wrong)[0][2]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tag)) == 1


def test_who_only_reads_uploads_nothing(upload, project, make):
    viewer = make.user()
    make.member(project, viewer, Role.VIEW_ONLY)
    with pytest.raises(Forbidden):
        upload("Title\nA\n", by=viewer)


def test_an_import_is_seen_by_its_person_alone_and_only_as_a_member(upload, cast, ada, project):
    found = upload("Title\nA\n", by=cast.teammate)
    for other in (ada, cast.stranger):
        with pytest.raises(NotFound):
            imports.load(found.id, other)
    members.remove(project, cast.teammate.id, by=ada)
    with pytest.raises(NotFound):
        imports.load(found.id, cast.teammate)


def test_one_file_waits_for_each_person_and_one_import_runs_in_each_list(upload, cast, ada):
    first_id = upload("Title\nA\n").id
    second = upload("Title\nB\n")
    assert db.session.get(RecordImport, first_id) is None
    imports.start(second, only_right=False, by=ada)
    other = upload("Title\nC\n", by=cast.teammate)
    with pytest.raises(Conflict, match="Another import"):
        imports.start(other, only_right=False, by=cast.teammate)
    for again in (lambda: imports.start(second, only_right=False, by=ada), lambda: imports.preview(second, by=ada)):
        with pytest.raises(Conflict, match="begun"):
            again()


def test_a_project_gets_no_more_tags_than_it_may_have(upload, ada, monkeypatch):
    monkeypatch.setattr("webapp.workspace.tags.MAX_TAGS", 2)
    seen = imports.preview(upload("Title,Tags\nA,one\nB,two\nC,ONE\nD,three\n"), by=ada)
    assert said(seen.wrong) == [(5, "Tags", "A project has at most 2 tags.")]
