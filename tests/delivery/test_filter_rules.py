"""What may be written as a filter, and that no filter and no event can break or slow the one who judges."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.delivery.event_types import event_types
from webapp.delivery.filters import MAX_RULES, Filter, Match, Operator, Values, check, judge, restore
from webapp.models import Invalid

MAX_JUDGING = 5  # times `span_of_a_millisecond`: 5 ms on the core that it was measured on, and what that is on others


def rule(**values: Any) -> dict[str, Any]:
    return {"path": "record.title", "operator": "is", "value": "Ada", **values}


def only(*rules: Any, match: Any = "all") -> Any:
    return {"match": match, "rules": list(rules)}


def test_a_filter_comes_back_as_it_was_written() -> None:
    written = only(
        rule(),
        rule(operator="in", value=["a", 1, True, 1.5]),
        rule(path="value.a-b.c_d.ä", operator="greater", value=3),
    )
    assert check(written).stored == written
    assert restore(check(written).stored) == check(written)


def test_operators_without_a_value_keep_none() -> None:
    for operator in ("exists", "not_exists", "changed"):
        stored = check(only(rule(operator=operator, value="left over"))).stored
        assert stored["rules"] == [{"path": "record.title", "operator": operator}]


def test_nothing_need_be_said_of_match() -> None:
    assert check({"rules": [rule()]}).match is Match.ALL
    assert check({}).rules == ()


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        ([], "filter", "JSON object"),
        ("all", "filter", "JSON object"),
        (only() | {"not": 1}, "filter", "There is no “not” here"),
        (only(match="some"), "filter.match", "all or any"),
        (only(match=1), "filter.match", "Send a text."),
        ({"rules": {}}, "filter.rules", "list of rules"),
        (only(*[rule()] * (MAX_RULES + 1)), "filter.rules", "at most 25 rules"),
        (only("record.title"), "filter.rules.0", "JSON object"),
        (only(rule(regex=".*")), "filter.rules.0", "There is no “regex” here"),
        (only(rule(), rule(path="")), "filter.rules.1.path", "Enter a path"),
        (only(rule(path=None)), "filter.rules.0.path", "Enter a path"),
        (only(rule(path=7)), "filter.rules.0.path", "Send a text."),
        (only(rule(path="title")), "filter.rules.0.path", "cannot be read: title"),
        (only(rule(path="record")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record.")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="records.title")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record..title")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record.title ")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record.a[0]")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record.title\n")), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record" + ".a" * 9)), "filter.rules.0.path", "cannot be read"),
        (only(rule(path="record." + "a" * 65)), "filter.rules.0.path", "cannot be read"),
        (only(rule(operator="matches")), "filter.rules.0.operator", "There is no operator “matches”"),
        (only(rule(operator=None)), "filter.rules.0.operator", "There is no operator"),
        (only(rule(operator=["is"])), "filter.rules.0.operator", "Send a text."),
        (only(rule(value=None)), "filter.rules.0.value", "Enter a value."),
        (only(rule(value=" ")), "filter.rules.0.value", "Enter a value."),
        (only(rule(value=["a"])), "filter.rules.0.value", "Send a text, a number"),
        (only(rule(value={"a": 1})), "filter.rules.0.value", "Send a text, a number"),
        (only(rule(value="x" * 501)), "filter.rules.0.value", "500"),
        (only(rule(value="a\0b")), "filter.rules.0.value", "control characters"),
        (only(rule(value="\ud800")), "filter.rules.0.value", "control characters"),
        (only(rule(value=float("inf"))), "filter.rules.0.value", "too large"),
        (only(rule(value=10**30)), "filter.rules.0.value", "too large"),
        (only(rule(operator="in", value="a")), "filter.rules.0.value", "at least one value"),
        (only(rule(operator="in", value=[])), "filter.rules.0.value", "at least one value"),
        (only(rule(operator="in", value=["a", ""])), "filter.rules.0.value", "Enter a value."),
        (only(rule(operator="in", value=["a"] * 101)), "filter.rules.0.value", "at most 100"),
        (only(rule(operator="greater", value="soon")), "filter.rules.0.value", "Enter a number"),
        (only(rule(operator="less", value=True)), "filter.rules.0.value", "Enter a number"),
        (only(*[rule(operator="in", value=["ä" * 100] * 10)] * 25), "filter", "too large"),
    ],
)
def test_a_wrong_filter_is_refused_at_its_place(written: Any, field: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(written)
    assert list(refused.value.fields) == [field]
    assert words in refused.value.fields[field].sentence


def test_every_wrong_place_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        check(only(rule(path="x", operator="y"), rule(), rule(value=None), match="z"))
    assert list(refused.value.fields) == [
        "filter.match",
        "filter.rules.0.path",
        "filter.rules.0.operator",
        "filter.rules.2.value",
    ]


def test_a_filter_that_cannot_be_read_any_more_lets_nothing_pass() -> None:
    for stored in (only(rule(operator="of_next_year")), 7, None):
        refusal = judge(restore(stored), Values.of("TODO_CREATED", None, b'{"title":"Ada"}'))
        assert refusal is not None
        assert refusal.rule is None
        assert refusal.stored == {"match": "any"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "todo", "checklist"]), inner)
    ),
    max_leaves=20,
)
names = st.sampled_from(["a", "b", "todo"])
scalars = st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["a", "1", "true", "2026-05-04"])
rules = st.builds(
    lambda root, path, operator, value: {
        "path": ".".join([root, *path]),
        "operator": operator,
        "value": [value] if operator == "in" else value,
    },
    st.sampled_from(["record", "value"]),
    st.lists(names, min_size=1, max_size=3),
    st.sampled_from([str(each) for each in Operator if not each.is_ordering]),
    scalars,
) | st.builds(
    lambda operator, value: {"path": "value.a", "operator": operator, "value": value},
    st.sampled_from(["greater", "less"]),
    st.integers(-3, 3) | st.sampled_from(["2026-05-04", "2026-05-04T12:00:00Z", "0.5"]),
)
filters = st.builds(
    lambda match, each: check(only(*each, match=match)), st.sampled_from(Match), st.lists(rules, max_size=4)
)
bodies = st.none() | st.binary(max_size=20) | json_values.map(lambda value: json.dumps(value).encode())


@given(filters, st.sampled_from([*event_types(None), "OF_NEXT_YEAR"]), bodies, bodies)
@example(check(only(rule())), "TODO_CREATED", None, b"[" * 100_000)
@example(check(only(rule())), "TODO_CREATED", None, b'{"title":' + b"9" * 5_000 + b"}")
@example(check(only(rule())), "TODO_CREATED", b"\xff", b'{"title":NaN}')
@example(check(only(rule(operator="changed"))), "TODO_CREATED", b'{"title":1e999}', b'{"title":1e999}')
def test_a_filter_never_raises_and_what_it_says_can_be_kept(
    record_filter: Filter, code: str, previous: bytes | None, current: bytes | None
) -> None:
    refusal = judge(record_filter, Values.of(code, previous, current))
    if refusal is not None:
        kept = json.dumps(refusal.stored, ensure_ascii=False, allow_nan=False).encode()
        assert len(kept) < 2_000


@given(rules, json_values)
def test_the_opposites_never_hold_both(written: dict[str, Any], value: Any) -> None:
    values = Values.of("TODO_CREATED", None, json.dumps(value).encode())
    for one, other in (("is", "is_not"), ("contains", "not_contains"), ("exists", "not_exists")):
        both = [
            judge(check(only({"path": written["path"], "operator": operator, "value": "a"})), values)
            for operator in (one, other)
        ]
        assert None not in both or both != [None, None]


@given(st.lists(st.text(max_size=3), max_size=6), st.text("abc", min_size=1, max_size=2))
def test_a_path_into_a_list_is_the_same_as_any_of_its_items(items: list[str], wanted: str) -> None:
    record_filter = check(only(rule(path="value.x.y", value=wanted)))
    whole = judge(record_filter, Values.of("TODO_CREATED", None, json.dumps({"x": [{"y": y} for y in items]}).encode()))
    single = [
        judge(record_filter, Values.of("TODO_CREATED", None, json.dumps({"x": {"y": y}}).encode())) for y in items
    ]
    assert (whole is None) == (None in single)


def many(item: Any) -> dict[str, Any]:
    return {f"k{number}": item for number in range(MAX_RULES)}


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else "2026-05-04T12:00:00.123Z"


def nests(depth: int) -> Any:
    """Lists in lists: the six innermost levels with two each, the rest one in the other."""
    value: Any = []
    for level in range(depth):
        value = [value, value] if level < 6 else [value]
    return value


EVIL = {
    "dates": (many(["2026-05-04T12:00:00.123Z"] * 300), "value.k{}", "is", "2027-01-01"),
    "days in many": (many(["2026-05-04T12:00:00.123+02:00"] * 300), "value.k{}", "in", ["2027-01-01"] * 15),
    "numbers in texts": (many(["1" * 20 + ".5e300"] * 300), "value.k{}", "greater", "1e308"),
    "large letters": (many("ÄÖẞ" * 20_000), "value.k{}", "contains", "ÄÖẞ" * 40),
    "almost the same": ({"k": "ab" * 130_000}, "value.k", "contains", "ab" * 200 + "c"),
    "lists in lists": (many(nests(14)), "value.k{}.a.a.a", "is", "x"),
    "empty lists": (many([[]] * 5_000), "value.k{}.a", "is", "x"),
    "a deep hole": ({"k0": nests(900)}, "value.k{}.a.a.a", "is", "x"),
    "long ways": (many([nested(7)] * 150), "value.k{}.a.a.a.a.a.a.a", "is", "2027-01-01"),
    "there and back": (many([nested(7)] * 60), "value.k{}.a.a.a.a.a.a.a", "changed_to", "2026-05-04"),
    "a wide object": ({"k": {f"n{number}": number for number in range(20_000)}}, "value.k", "changed", None),
    "a long list": ({"k": [{"n": number} for number in range(30_000)]}, "value.k", "changed", None),
}


def span_of_a_millisecond() -> float:
    """Seconds that 20,000 look-ups of keys take now: a millisecond on the core that MAX_JUDGING is meant for."""
    items = [{"key": 0}] * 50
    start = time.thread_time()
    for _ in range(400):
        [item["key"] for item in items if isinstance(item, dict) and "key" in item]
    return time.thread_time() - start


@pytest.mark.proves("W47")
@pytest.mark.parametrize("name", EVIL)
def test_judging_is_bounded_whatever_the_event_and_the_rules(name: str) -> None:
    value, path, operator, wanted = EVIL[name]
    body = json.dumps(value).encode()
    record_filter = check(
        only(*[rule(path=path.format(number), operator=operator, value=wanted) for number in range(25)], match="any")
    )
    times = []
    for _ in range(5):
        values = Values.of("TODO_NAME_CHANGED", body.replace(b"2026", b"2025"), body)
        span = span_of_a_millisecond()
        start = time.thread_time()
        judge(record_filter, values)
        times.append((time.thread_time() - start) / span)
    assert min(times) <= MAX_JUDGING


def test_what_is_too_large_to_be_compared_counts_as_changed() -> None:
    body = json.dumps({"k": list(range(50))}).encode()
    large = json.dumps({"k": {"x": list(range(10_000))}}).encode()
    record_filter = check(only(rule(path="value.k", operator="changed")))
    assert judge(record_filter, Values.of("TODO_NAME_CHANGED", body, body)) is not None
    assert judge(record_filter, Values.of("TODO_NAME_CHANGED", large, large)) is None


def test_a_path_looks_at_the_first_50_items_of_a_list() -> None:
    record_filter = check(only(rule(path="value.k", value="x")))
    for place, is_seen in ((49, True), (50, False)):
        items = ["x" if number == place else "y" for number in range(120)]
        values = Values.of("TODO_CREATED", None, json.dumps({"k": items}).encode())
        assert (judge(record_filter, values) is None) is is_seen
