from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.models import FieldKind
from webapp.web.field_forms import KINDS
from webapp.workspace import custom_fields
from webapp.workspace.field_rules import Choice, Definition


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def url(project):
    return f"/projects/{project.id}/fields"


@pytest.fixture
def size(project, ada):
    options = (Choice("Small", "#4a9fff"), Choice("Large", "#e5484d"))
    return custom_fields.create("SELECT_SINGLE", Definition("Size", options=options), project=project, by=ada)


def fields(project):
    return [use.field for use in custom_fields.of(project)]


def sent_by(page, action):
    """What the browser would send, as it stands in the form."""
    form = page.find("form", action=action)
    inputs = [field for field in form.find_all("input") if field.attrs.get("name", "") != "csrf_token"]
    sent = {}
    for field in inputs:
        sent.setdefault(field.attrs["name"], []).append(field.attrs.get("value", ""))
    return sent


def test_every_kind_has_a_word_and_a_form(client, url):
    page = check_page(client.get(url))
    assert "No custom fields yet" in page.text
    assert [each.attrs["value"] for each in page.find("select", name="kind").find_all("option")] == list(FieldKind)
    for kind in FieldKind:
        assert str(KINDS[kind]) in check_page(client.get(f"{url}/new?kind={kind}")).h1


def test_a_kind_that_is_none_leads_back(client, url):
    assert client.get(f"{url}/new?kind=LOCATION").location == url


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("NUMBER", {"min": "1", "max": "9.5"}, {"min": 1.0, "max": 9.5}),
        ("CURRENCY", {"currency": "eur", "min": "0"}, {"currency": "EUR", "min": 0.0}),
        ("RATING", {"max": "3"}, {"max": 3.0}),
        ("TEXT_SINGLE", {"description": "Their own number"}, {"description": "Their own number"}),
    ],
)
def test_a_field_is_added_with_what_its_kind_has(client, url, project, kind, sent, expected):
    assert client.post(url, data={"kind": kind, "name": "Mine", **sent}).location == url
    (field,) = fields(project)
    assert field.kind == kind
    assert {name: getattr(field, name) for name in expected} == expected


def test_options_are_typed_as_lines_and_get_different_colours(client, url, project):
    lines = "Small\r\n\r\n Medium \r\nLarge"
    assert client.post(url, data={"kind": "SELECT_MULTI", "name": "Size", "further": lines}).location == url
    options = fields(project)[0].options
    assert [option.title for option in options] == ["Small", "Medium", "Large"]
    assert len({option.color for option in options}) == 3


@pytest.mark.parametrize(
    ("kind", "sent", "error"),
    [
        ("NUMBER", {"name": ""}, "Enter a name."),
        ("NUMBER", {"name": "N", "min": "a few"}, "Enter a number, such as 12 or 12.5."),
        ("NUMBER", {"name": "N", "min": "2", "max": "1"}, "The largest value is smaller than the smallest one."),
        ("SELECT_SINGLE", {"name": "S", "further": "Red\nred"}, "This option is there already."),
    ],
)
def test_what_is_wrong_comes_back_at_its_field(client, url, project, kind, sent, error):
    page = check_page(client.post(url, data={"kind": kind, **sent}), 422)
    assert page.errors() == [error]
    assert page.find("input", name="name").attrs["value"] == sent["name"]
    assert fields(project) == []


def test_options_are_renamed_removed_and_added_in_one_save(client, url, project, size):
    small_id, large_id = (option.id for option in size.options)
    page = check_page(client.get(f"/fields/{size.id}"))
    sent = sent_by(page, f"/fields/{size.id}")
    assert sent["option_title"] == ["Small", "Large"]
    sent["option_title"] = ["Tiny", ""]
    assert client.post(f"/fields/{size.id}", data=sent | {"further": "Huge"}).location == url
    options = fields(project)[0].options
    assert [option.title for option in options] == ["Tiny", "Huge"]
    assert options[0].id == small_id
    assert large_id not in {option.id for option in options}


def test_a_limit_is_taken_away_by_emptying_it(client, project, ada):
    field = custom_fields.create("NUMBER", Definition("N", min=1, max=2), project=project, by=ada)
    page = check_page(client.get(f"/fields/{field.id}"))
    assert page.find("input", name="max").attrs["value"] == "2"
    client.post(f"/fields/{field.id}", data={"name": "N", "min": "1", "max": ""})
    assert (fields(project)[0].min, fields(project)[0].max) == (1.0, None)


def test_fields_change_places(client, url, project, ada, size):
    custom_fields.create("TEXT_SINGLE", Definition("Note"), project=project, by=ada)
    assert client.post(f"/fields/{size.id}/order", data={"to": "down"}).location == url
    assert [field.name for field in fields(project)] == ["Note", "Size"]


def test_a_field_is_deleted_after_a_question(client, url, project, size):
    assert "No record has a value in it." in check_page(client.get(f"/fields/{size.id}/delete")).text
    assert client.post(f"/fields/{size.id}/delete").location == url
    assert fields(project) == []


def test_a_member_adds_fields_and_changes_none(client, cast, url, size):
    client.sign_in(cast.teammate)
    page = check_page(client.get(url))
    assert "Only administrators change custom fields." in page.text
    assert f"/fields/{size.id}" not in page.html
    assert client.post(url, data={"kind": "DATE", "name": "Day"}).location == url
    assert client.post(f"/fields/{size.id}", data={"name": "Mine"}).status_code == 403


def test_fields_of_others_are_not_there(client, cast, size, url):
    client.sign_in(cast.stranger)
    for path in (url, f"{url}/new?kind=DATE", f"/fields/{size.id}", f"/fields/{size.id}/delete"):
        assert client.get(path).status_code == 404
