"""Comments over REST: written, read, changed and deleted, by whom, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import Event, Record, Role, User, transaction

Programs = Callable[[User], Program]


@pytest.fixture
def record(make: Make, cast: Cast) -> Record:
    return make.record(make.list(make.project_of(cast.admin)))


def codes() -> list[str]:
    return list(db.session.scalars(sa.select(Event.type).order_by(Event.seq)))


def test_a_comment_is_written_read_changed_and_deleted(api: Program, cast: Cast, record: Record) -> None:
    answer = api.post(f"/records/{record.id}/comments", {"text": "Looks good\n"})
    assert answer.status_code == 201
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/comments/{made['id']}"
    assert list(made) == ["id", "recordId", "text", "html", "author", "edited", "createdAt", "updatedAt"]
    assert (made["recordId"], made["text"], made["html"]) == (record.id, "Looks good", "<p>Looks good</p>")
    assert (made["author"], made["edited"]) == ({"id": cast.admin.id, "name": "Ada Admin"}, False)
    assert api.get(f"/comments/{made['id']}").json == made
    changed = api.patch(f"/comments/{made['id']}", {"text": "Looks great"}).json
    assert (changed["text"], changed["edited"], changed["createdAt"]) == ("Looks great", True, made["createdAt"])
    assert api.get(f"/records/{record.id}/comments").json == {"items": [changed]}
    assert api.delete(f"/comments/{made['id']}").status_code == 204
    assert api.get(f"/comments/{made['id']}").status_code == 404
    assert api.get(f"/records/{record.id}/comments").json == {"items": []}
    assert codes() == ["COMMENT_CREATED", "COMMENT_UPDATED", "COMMENT_DELETED"]


def test_a_comment_without_an_author_is_shown(api: Program, make: Make, record: Record) -> None:
    assert api.get(f"/comments/{make.comment(record).id}").json["author"] is None


def test_comments_of_others_are_theirs(api: Program, program: Programs, make: Make, cast: Cast, record: Record) -> None:
    comment = make.comment(record, by=cast.admin)
    teammate = program(cast.teammate)
    for answer in (
        teammate.patch(f"/comments/{comment.id}", {"text": "Mine"}),
        teammate.delete(f"/comments/{comment.id}"),
    ):
        assert answer.status_code == 403
        assert answer.json["detail"].startswith("Only its author")
    assert teammate.get(f"/comments/{comment.id}").json["text"] == "Looks good"
    theirs = make.comment(record, by=cast.teammate)
    assert api.delete(f"/comments/{theirs.id}").status_code == 204


def test_readers_are_told_which_role_comments(program: Programs, make: Make, record: Record) -> None:
    reader = make.user()
    make.member(record.list.project, reader, Role.VIEW_ONLY)
    answer = program(reader).post(f"/records/{record.id}/comments", {"text": "May I?"})
    assert (answer.status_code, "role Comment only" in answer.json["detail"]) == (403, True)
    assert program(reader).get(f"/records/{record.id}/comments").status_code == 200


def test_to_strangers_there_is_nothing(program: Programs, make: Make, cast: Cast, record: Record) -> None:
    comment, stranger = make.comment(record, by=cast.admin), program(cast.stranger)
    for answer in (
        stranger.get(f"/records/{record.id}/comments"),
        stranger.post(f"/records/{record.id}/comments", {"text": "Hello"}),
        stranger.get(f"/comments/{comment.id}"),
        stranger.patch(f"/comments/{comment.id}", {"text": "Hello"}),
        stranger.delete(f"/comments/{comment.id}"),
    ):
        assert answer.status_code == 404
    assert codes() == []


@pytest.mark.parametrize("body", [{"text": ""}, {"text": " \n"}, {"text": "t" * 10_001}, {}, {"text": None}])
def test_a_wrong_text_is_refused_at_its_field(
    api: Program, make: Make, cast: Cast, record: Record, body: dict[str, str | None]
) -> None:
    comment = make.comment(record, by=cast.admin)
    for answer in (api.post(f"/records/{record.id}/comments", body), api.patch(f"/comments/{comment.id}", body)):
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json["errors"]] == ["text"]


def test_an_archived_project_takes_no_comments(api: Program, record: Record) -> None:
    with transaction():
        record.list.project.archived = True
    answer = api.post(f"/records/{record.id}/comments", {"text": "Too late"})
    assert (answer.status_code, answer.json["detail"]) == (409, "This project is archived: read only.")
