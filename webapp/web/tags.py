"""Tags of a project, in its settings: add, edit, delete."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import ColorField, StringField

from webapp.models import Project, Tag
from webapp.web import loading
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.workspace import access, tags

bp = for_people(Blueprint("tags", __name__))


class TagForm(Form):
    """A tag's word and colour."""

    title = StringField(_l("Title"), [Required()])
    color = ColorField(_l("Colour"), default=tags.DEFAULT_COLOR)


@bp.get("/projects/<project_id>/tags")
def index(project_id: str) -> str:
    """The tags of a project."""
    return _page(loading.project(project_id))


@bp.post("/projects/<project_id>/tags")
def create(project_id: str) -> Response | tuple[str, int]:
    """Add a tag."""
    project, form = loading.project(project_id), TagForm()
    if run(form, lambda: tags.create(form.title.data or "", color=form.color.data, project=project, by=me())) is None:
        return _page(project, form), 422
    flash(_("The tag is added."), "success")
    return _back(project)


@bp.get("/tags/<tag_id>")
def edit(tag_id: str) -> str:
    """A tag, to change."""
    tag = tags.load(tag_id, me())
    access.demand(tag.project, me(), "edit_tags")
    return _edit(tag, TagForm(formdata=None, title=tag.title, color=tag.color))


@bp.post("/tags/<tag_id>")
def update(tag_id: str) -> Response | tuple[str, int]:
    """Give a tag another word or colour."""
    tag, form = tags.load(tag_id, me()), TagForm()
    if run(form, lambda: tags.edit(tag, title=form.title.data or "", color=form.color.data, by=me())) is None:
        return _edit(tag, form), 422
    flash(_("Saved."), "success")
    return _back(tag.project)


@bp.get("/tags/<tag_id>/delete")
def confirm(tag_id: str) -> str:
    """Ask before a tag is deleted, also from its records."""
    tag = tags.load(tag_id, me())
    access.demand(tag.project, me(), "edit_tags")
    records = next(use.records for use in tags.of(tag.project) if use.tag.id == tag.id)
    return render_template("tags/delete.html", tag=tag, project=tag.project, records=records)


@bp.post("/tags/<tag_id>/delete")
def delete(tag_id: str) -> Response:
    """Delete a tag."""
    tag = tags.load(tag_id, me())
    project, title = tag.project, tag.title
    tags.delete(tag, by=me())
    flash(_("The tag “%(title)s” is deleted.", title=title), "success")
    return _back(project)


def _page(project: Project, form: TagForm | None = None) -> str:
    role = access.role_in(project, me())
    return render_template(
        "tags/index.html",
        project=project,
        uses=tags.of(project),
        form=form or TagForm(formdata=None),
        rights=set() if project.archived else access.rights(role),
    )


def _edit(tag: Tag, form: TagForm) -> str:
    return render_template("tags/edit.html", tag=tag, project=tag.project, form=form)


def _back(project: Project) -> Response:
    return redirect(url_for(".index", project_id=project.id), 303)
