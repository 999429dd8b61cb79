"""Companies: those one belongs to, what they are called, their members and projects."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import EmailField, SelectField, StringField

from webapp.models import Company, Conflict, Forbidden, Invalid, Role
from webapp.web.errors import said
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.roles import ROLES, choices
from webapp.workspace import companies, company_members, members

bp = for_people(Blueprint("companies", __name__, url_prefix="/companies"))


class CompanyForm(Form):
    """What a company is called."""

    name = StringField(_l("Name"), [Required()])
    slug = StringField(_l("Short name in addresses"))


class CompanyMemberForm(Form):
    """Somebody to add, and as what."""

    email = EmailField(_l("E-mail"), [Required()])
    role = SelectField(_l("Role"), validate_choice=False, default=Role.MEMBER.value)


@bp.get("")
def index() -> str:
    """The companies that I belong to."""
    rows = [(company, companies.role_in(company, me())) for company in companies.of(me())]
    return render_template("companies/index.html", rows=rows, roles=ROLES)


@bp.get("/<company_id>")
def show(company_id: str) -> str:
    """One company."""
    return _page(companies.load(company_id, me()))


@bp.post("/<company_id>")
def update(company_id: str) -> Response | tuple[str, int]:
    """Rename it."""
    company, form = companies.load(company_id, me()), CompanyForm()
    name, slug = form.name.data or "", form.slug.data or ""
    if run(form, lambda: companies.edit(company, by=me(), name=name, slug=slug)) is None:
        return _page(company, form=form), 422
    flash(_("Saved."), "success")
    return redirect(url_for(".show", company_id=company_id), 303)


@bp.post("/<company_id>/members")
def create_member(company_id: str) -> Response | tuple[str, int]:
    """Add somebody."""
    company, form = companies.load(company_id, me()), CompanyMemberForm()
    email, role = form.email.data or "", form.role.data or ""
    done = run(form, lambda: company_members.add(company, email, role, by=me()))
    if done is None:
        return _page(company, member_form=form), 422
    flash(_("%(name)s is a member now.", name=done.value.user.name), "success")
    return redirect(url_for(".show", company_id=company_id), 303)


@bp.post("/<company_id>/members/<user_id>")
def update_member(company_id: str, user_id: str) -> Response:
    """Give a member another role."""
    company, role = companies.load(company_id, me()), request.form.get("role", "")
    return _done(company, lambda: company_members.change_role(company, user_id, role, by=me()))


@bp.get("/<company_id>/members/<user_id>/removal")
def confirm_removal(company_id: str, user_id: str) -> str:
    """Ask before somebody is taken out of a company."""
    company = companies.load(company_id, me())
    member = company_members.load(company, user_id)
    company_members.require_remover(company, member, me())
    return render_template("companies/removal.html", company=company, member=member, is_me=user_id == me().id)


@bp.post("/<company_id>/members/<user_id>/removal")
def remove_member(company_id: str, user_id: str) -> Response:
    """Take somebody out of a company."""
    company = companies.load(company_id, me())
    answer = _done(company, lambda: company_members.remove(company, user_id, by=me()))
    is_gone = companies.role_in(company, me()) is None
    return redirect(url_for(".index"), 303) if is_gone else answer


def _page(company: Company, *, form: CompanyForm | None = None, member_form: CompanyMemberForm | None = None) -> str:
    mine = companies.role_in(company, me())
    given = members.roles_given_by(mine)
    member_form = member_form or CompanyMemberForm(formdata=None)
    member_form.role.choices = choices(given)
    return render_template(
        "companies/show.html",
        company=company,
        form=form or CompanyForm(formdata=None, data={"name": company.name, "slug": company.slug}),
        member_form=member_form,
        members=company_members.of(company),
        projects=companies.projects_in(company, me()),
        is_owner=mine is Role.OWNER,
        given=given,
        me=me(),
        roles=ROLES,
    )


def _done(company: Company, act: Callable[[], object]) -> Response:
    company_id = company.id
    try:
        act()
    except (Conflict, Forbidden, Invalid) as error:
        flash(said(error), "danger")
    else:
        flash(_("Saved."), "success")
    return redirect(url_for(".show", company_id=company_id), 303)
