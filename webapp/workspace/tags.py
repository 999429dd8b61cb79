"""Tags of a project: words in colours, which records carry."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Invalid, NotFound, Project, ProjectMember, RecordTag, Tag, User, transaction
from webapp.models.tag import TITLE_LENGTH
from webapp.models.texts import checked, one_line
from webapp.workspace import access

DEFAULT_COLOR = "#4a9fff"
MAX_TAGS = 500  # of one project

_COLOR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class TagUse:
    """A tag, and how many records carry it."""

    tag: Tag
    records: int


def create(title: str, *, project: Project, by: User, color: str | None = None) -> Tag:
    """A new tag. Raises Invalid at `title` (taken, for instance) or `color`, Forbidden, Conflict when archived."""
    values, project_id = _checked(title, color), project.id
    with transaction():
        project = access.load_project(project_id, by)
        access.demand(project, by, "add_tags")
        _lock(project)
        _demand_free(project, values["title"])
        return _add("title", project, by, **values)


def edit(tag: Tag, *, by: User, title: str | None = None, color: str | None = None) -> None:
    """Another title or colour; None leaves it. What changes nothing publishes nothing. Raises Invalid, Forbidden."""
    values = _checked(tag.title if title is None else title, tag.color if color is None else color)
    tag_id, given = tag.id, {"title": title, "color": color}
    with transaction() as session:
        tag = load(tag_id, by)
        access.demand(tag.project, by, "edit_tags")
        _lock(tag.project)
        changes = {name: values[name] for name in given if given[name] is not None}
        if all(getattr(tag, name) == value for name, value in changes.items()):
            return
        _demand_free(tag.project, changes.get("title", tag.title), but=tag)
        previous = payloads.tag(tag)
        for name, value in changes.items():
            setattr(tag, name, value)
        session.flush()
        outbox.publish("TAG_UPDATED", project=tag.project, by=by, previous=previous, current=payloads.tag(tag))


def delete(tag: Tag, *, by: User) -> None:
    """Delete a tag, also from its records, which publish nothing of their own. Raises Forbidden, Conflict."""
    tag_id = tag.id
    with transaction() as session:
        tag = load(tag_id, by)
        access.demand(tag.project, by, "edit_tags")
        outbox.publish("TAG_DELETED", project=tag.project, by=by, previous=payloads.tag(tag), current=None)
        session.delete(tag)


def load(tag_id: str, user: User) -> Tag:
    """A tag of a project that `user` is a member of; raises NotFound, also for other people's."""
    query = sa.select(Tag).join(Tag.project).join(Project.members).join(Project.company)
    chain = contains_eager(Tag.project).contains_eager(Project.company)
    tag = db.session.scalar(query.where(Tag.id == tag_id, ProjectMember.user_id == user.id).options(chain))
    if tag is None:
        raise NotFound("There is no such tag.")
    return tag


def of(project: Project) -> list[TagUse]:
    """A project's tags by title, and how many records carry each."""
    records = sa.select(sa.func.count()).where(RecordTag.tag_id == Tag.id).scalar_subquery()
    query = sa.select(Tag, records).where(Tag.project_id == project.id).order_by(Tag.title_key, Tag.id)
    return [TagUse(tag, count) for tag, count in db.session.execute(query)]


def chosen(project: Project, tag_ids: Collection[str]) -> list[Tag]:
    """Inside transaction(): the tags of these ids, kept until it ends. Raises Invalid at `tag_ids` for others."""
    wanted = list(dict.fromkeys(tag_ids))
    query = sa.select(Tag).where(Tag.project_id == project.id, Tag.id.in_(wanted))
    found = {tag.id: tag for tag in db.session.scalars(query.with_for_update(read=True, key_share=True))}
    if len(found) < len(wanted):
        raise Invalid("tag_ids", "Choose tags of this project only.")
    return [found[tag_id] for tag_id in wanted]


def titled(project: Project, titles: Sequence[str], *, by: User) -> list[Tag]:
    """Inside transaction(): the tags of these titles, made where there are none. Raises Invalid at `tag_titles`."""
    wanted: dict[str, str] = {}
    for title in titles:
        one = checked_title("tag_titles", title)
        wanted.setdefault(one.casefold(), one)
    if not wanted:
        return []
    _lock(project)
    query = sa.select(Tag).where(Tag.project_id == project.id, Tag.title_key.in_(wanted))
    found = {tag.title_key: tag for tag in db.session.scalars(query)}
    if len(found) < len(wanted):
        access.demand(project, by, "add_tags")
    return [
        found.get(key) or _add("tag_titles", project, by, title=title, color=DEFAULT_COLOR)
        for key, title in wanted.items()
    ]


def checked_title(field: str, title: str) -> str:
    """The title of a tag. Raises Invalid at `field`."""
    return one_line(field, title, longest=TITLE_LENGTH, empty="Enter a title.")


def color(field: str, value: str | None) -> str:
    """A colour as `#rrggbb` in small letters; nothing is the default. Raises Invalid at `field`."""
    text = (value or DEFAULT_COLOR).strip().lower()
    if not _COLOR.fullmatch(text):
        raise Invalid(field, "Enter a colour such as #4a9fff.")
    return text


def _checked(title: str, typed: str | None) -> dict[str, str]:
    return checked(title=lambda: checked_title("title", title), color=lambda: color("color", typed))


def _lock(project: Project) -> None:
    """Nobody else makes or renames a tag of this project meanwhile."""
    db.session.execute(sa.select(Project.id).where(Project.id == project.id).with_for_update(key_share=True))


def _demand_free(project: Project, title: str, but: Tag | None = None) -> None:
    taken = sa.select(Tag.id).where(Tag.project_id == project.id, Tag.title_key == title.casefold())
    if db.session.scalar(taken) not in {None, but and but.id}:
        raise Invalid("title", "This tag exists already.")


def _add(field: str, project: Project, by: User, *, title: str, color: str) -> Tag:
    count = db.session.scalar(sa.select(sa.func.count()).where(Tag.project_id == project.id)) or 0
    if count >= MAX_TAGS:
        raise Invalid(field, "A project has at most %(most)s tags.", most=MAX_TAGS)
    tag = Tag(title=title, color=color, project=project)
    db.session.add(tag)
    db.session.flush()
    outbox.publish("TAG_CREATED", project=project, by=by, current=payloads.tag(tag))
    return tag
