from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.models import CustomField, CustomFieldOption, FieldKind, Invalid
from webapp.workspace import import_cells, value_rules

COLOR = {"color": "#4a9fff", "position": 1.0}


def field(kind, **values):
    return CustomField(id="f", name="Field", kind=FieldKind(kind), **values)


@pytest.mark.parametrize(
    ("cell", "order", "iso"),
    [
        ("2026-05-04", "", "2026-05-04"),
        ("31.12.2026", "", "2026-12-31"),
        ("1. 2. 2026", "month", "2026-02-01"),
        ("31.12.2026 9:05", "", "2026-12-31T09:05"),
        ("03/04/2026", "day", "2026-04-03"),
        ("03/04/2026", "month", "2026-03-04"),
        ("03/04/2026 14:30:10", "month", "2026-03-04T14:30:10"),
        ("04/04/2026", "", "2026-04-04"),
        ("31.02.2026", "", "31.02.2026"),
        ("13/13/2026", "day", "13/13/2026"),
        ("soon", "", "soon"),
    ],
)
def test_dates_are_read_as_they_are_written_in_both_countries(cell, order, iso):
    assert import_cells.day("dued_at", cell, order) == iso


def test_a_date_that_may_be_read_in_two_ways_asks():
    with pytest.raises(Invalid, match="the day or the month") as caught:
        import_cells.day("dued_at", "03/04/2026", "")
    assert caught.value.field == "dued_at"


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["03/04/2026", "31/12/2026"], "day"),
        (["03/04/2026", "12/31/2026"], "month"),
        (["03/04/2026"], ""),
        (["31/12/2026", "12/31/2026"], ""),
        (["31.12.2026"], ""),
    ],
)
def test_a_column_says_itself_what_comes_first_where_it_can(cells, order):
    assert import_cells.order_of(cells) == order


@pytest.mark.parametrize(
    ("cell", "mark", "text"),
    [
        ("1,234.5", ".", "1234.5"),
        ("1.234,5", ",", "1234.5"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("12.5", ",", "12.5"),
        ("12,5", ".", "12,5"),
        ("1 234 567,89", ",", "1234567.89"),
        ("-3", ".", "-3"),
        ("many", ",", "many"),
    ],
)
def test_numbers_are_read_by_their_decimal_mark(cell, mark, text):
    assert import_cells.number(cell, mark) == text


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [("€ 12,50", "12.50", "EUR"), ("1.000 EUR", "1000", "EUR"), ("12", "12", None), ("CHF 3", "3", "CHF")],
)
def test_money_may_name_its_currency(cell, amount, currency):
    given_value = import_cells.value(field("CURRENCY"), cell, order="", mark=",")
    assert given_value == {"amount": amount, "currency": currency}


@pytest.mark.parametrize(("word", "is_yes"), [("Ja", True), ("x", True), ("1", True), ("nein", False), ("", False)])
def test_yes_and_no_are_understood_in_both_languages(word, is_yes):
    assert import_cells.yes_or_no("done", word) is is_yes


def test_other_words_are_neither_yes_nor_no():
    with pytest.raises(Invalid, match="yes or no"):
        import_cells.yes_or_no("done", "perhaps")


def test_options_are_named_by_their_titles_whatever_their_case():
    options = [CustomFieldOption(id="1", title="Red, dark", **COLOR), CustomFieldOption(id="2", title="Blue", **COLOR)]
    one, many = field("SELECT_SINGLE", options=options), field("SELECT_MULTI", options=[])
    many.options = [
        CustomFieldOption(id="3", title="Red, dark", **COLOR),
        CustomFieldOption(id="4", title="B", **COLOR),
    ]
    assert import_cells.value(one, "blue", order="", mark=".") == "2"
    assert import_cells.value(one, "red, dark", order="", mark=".") == "1"
    assert import_cells.value(many, "Red, dark", order="", mark=".") == ["3"]
    assert import_cells.value(many, "b; B", order="", mark=".") == ["4", "4"]
    with pytest.raises(Invalid, match="no option “Green”"):
        import_cells.value(one, "Green", order="", mark=".")


@given(st.sampled_from(list(FieldKind)), st.text(max_size=40), st.sampled_from(["", "day", "month"]))
def test_whatever_stands_in_a_cell_is_a_value_or_a_named_error(kind, text, order):
    one = field(kind.value)
    for mark in (".", ","):
        with contextlib.suppress(Invalid):
            columns = value_rules.read(one, import_cells.value(one, text, order=order, mark=mark))
            assert columns is None or columns
