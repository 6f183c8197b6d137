"""Fields of answers: what is missing, mistyped or absurd never becomes a figure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StrictBool

from fw_pipeline.http import (
    Count,
    InvalidResponse,
    Response,
    Text,
    Transient,
    Votes,
    needed,
    optional,
    rows,
    strict_json,
    text,
    utc_date,
    utc_moment,
    whole_number,
)


@pytest.mark.parametrize(("value", "number"), [(0, 0), (10**12, 10**12), ("17", 17), (" 007 ", 7), ("+5", 5)])
def test_counts_may_come_as_numbers_or_digits(value: Any, number: int) -> None:
    assert whole_number(value, "total") == number


WRONG_COUNTS = [-1, "-1", 10**12 + 1, "9" * 30, True, False, 1.0, "1.0", "1e3", "", "٣", None, [], {}, "1,000", "0x10"]


@pytest.mark.parametrize("value", WRONG_COUNTS)
def test_what_is_no_count_is_refused_with_the_name_of_its_field(value: Any) -> None:
    with pytest.raises(InvalidResponse, match="field total is ") as caught:
        whole_number(value, "total")
    assert "\n" not in caught.value.cause


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.integers(), st.lists(st.integers(), max_size=2)))
def test_whatever_comes_a_count_is_a_count_or_refused(value: Any) -> None:
    try:
        number = whole_number(value, "total")
    except InvalidResponse:
        return
    assert type(number) is int
    assert 0 <= number <= 10**12
    assert number == int(value)


@pytest.mark.parametrize(
    ("reader", "value"),
    [(text, ""), (text, "  "), (text, 5), (text, None), (rows, {}), (rows, [[]])],
)
def test_texts_and_lists_are_checked(reader: Callable[[Any, str], Any], value: Any) -> None:
    with pytest.raises(InvalidResponse, match="field f"):
        reader(value, "f")


def test_lists_may_be_empty() -> None:
    assert rows([], "items") == []


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2025-11-04T08:25:31.000Z", datetime(2025, 11, 4, 8, 25, 31, tzinfo=UTC)),
        ("2025-11-04", datetime(2025, 11, 4, tzinfo=UTC)),
        ("2025-11-04 23:30:00-02:00", datetime(2025, 11, 5, 1, 30, tzinfo=UTC)),
        (1646092800, datetime(2022, 3, 1, tzinfo=UTC)),
    ],
)
def test_moments_are_utc(value: Any, moment: datetime) -> None:
    assert utc_moment(value, "createdAt") == moment
    assert utc_moment(value, "createdAt").tzinfo is UTC


def test_a_day_is_the_utc_day() -> None:
    assert utc_date("2022-02-28T23:30:00-01:00", "date") == date(2022, 3, 1)


@pytest.mark.parametrize(
    "value", ["0000-00-00", "2022-13-01", "soon", "", None, True, 1.5, -1, 10**20, "1815-12-10", {}]
)
def test_what_is_no_date_is_refused(value: Any) -> None:
    with pytest.raises(InvalidResponse, match="field date is "):
        utc_date(value, "date")


def test_a_missing_and_a_null_field_are_told_apart() -> None:
    with pytest.raises(InvalidResponse, match="field total is missing"):
        needed({}, "total", whole_number)
    with pytest.raises(InvalidResponse, match="field total is null"):
        needed({"total": None}, "total", whole_number)
    assert optional({}, "total", whole_number) is optional({"total": None}, "total", whole_number) is None
    with pytest.raises(InvalidResponse, match="field total is 'x'"):
        optional({"total": "x"}, "total", whole_number)


class Item(BaseModel):
    """One item of an answer."""

    name: Text
    score: Votes | None = None


class Listing(BaseModel):
    """An answer."""

    total: Count
    more: StrictBool | None = Field(None, alias="has_more")
    items: tuple[Item, ...] = ()


def listing(said: Any) -> Listing:
    body = json.dumps(said).encode()
    return Response("GET x", 200, {}, body, None, datetime.now(UTC)).json(Listing)  # type: ignore[arg-type]


def test_an_answer_is_read_as_its_model_at_once() -> None:
    found = listing({"total": " 12 ", "has_more": True, "items": [{"name": "a", "score": -3}], "strange": 1})
    assert (found.total, found.more, found.items) == (12, True, (Item(name="a", score=-3),))


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({}, "field total is missing"),
        ({"total": None}, "field total is null"),
        ({"total": True}, "field total is True, not a whole number"),
        ({"total": 1.0}, "field total is 1.0, not a whole number"),
        ({"total": -1}, "field total is -1, which no count can be"),
        ({"total": 10**12 + 1}, "field total is 1000000000001, which no count can be"),
        ({"total": int("9" * 4000)}, "which no count can be"),
        ({"total": 1, "has_more": "no"}, "field has_more is 'no', neither true nor false"),
        ({"total": 1, "items": {}}, "field items is {}, not a list"),
        ({"total": 1, "items": [5]}, "field items is 5, not an object"),
        ({"total": 1, "items": [{"name": " "}]}, "field name is ' ', not a text"),
        ({"total": 1, "items": [{"name": "a"}, {"name": 5}]}, "field name is 5, not a text"),
        ({"total": 1, "items": [{"name": "a", "score": "x"}]}, "field score is 'x', not a whole number"),
        ([], "answered a JSON list instead of a dict"),
    ],
)
def test_the_first_field_that_is_not_what_the_model_declares_is_named(said: Any, cause: str) -> None:
    with pytest.raises(InvalidResponse, match=re.escape(cause)) as caught:
        listing(said)
    assert "\n" not in caught.value.cause


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('{"a":1,"a":2}', "the key 'a' twice"),
        ('[{"b":{"a":1,"a":1}}]', "the key 'a' twice"),
        ('{"a":NaN}', "NaN"),
        ('{"a":-Infinity}', "-Infinity"),
        ('{"a":1e999}', "1e999"),
        ("{'a':1}     and more", "not JSON"),
        ('{"a":1} {"a":2}   more', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_json_that_python_would_let_pass_is_refused(body: str, cause: str) -> None:
    with pytest.raises(InvalidResponse, match=re.escape(cause)):
        strict_json(body)


WHOLE = '{"items":[{"name":"tensorflow","count":12,"ok":true,"none":null}],"text":"über"}'


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_json_cut_off_anywhere_is_asked_for_again(length: int) -> None:
    with pytest.raises(Transient):
        strict_json(WHOLE[:length])
