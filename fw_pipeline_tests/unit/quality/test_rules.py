"""Rules are of types that Great Expectations knows, and the frames that they are checked on are exact."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from fw_pipeline.quality import (
    FAILING_ROWS,
    TYPES,
    Expectation,
    Outcome,
    implied,
    validate,
)

BETWEEN = "expect_column_values_to_be_between"
JAN, FEB = date(2022, 1, 1), date(2022, 2, 1)


def rule(kind: str, *, name: str = "the_rule", severity: Any = "critical", **kwargs: Any) -> Expectation:
    return Expectation(name, kind, kwargs, severity)


def one(frame: pl.DataFrame, kind: str, **kwargs: Any) -> Outcome:
    (outcome,) = validate(frame, [rule(kind, **kwargs)])
    return outcome


# What a yml may declare


def test_every_type_is_one_that_great_expectations_knows_with_these_arguments() -> None:
    from great_expectations.expectations.registry import get_expectation_impl  # noqa: PLC0415

    for kind, words in TYPES.items():
        if kind == FAILING_ROWS:
            continue
        fields = get_expectation_impl(kind).__fields__
        assert {word.rstrip("!") for word in words.split()} <= fields.keys(), kind
        assert {word[:-1] for word in words.split() if word.endswith("!")} == {
            name for name, field in fields.items() if field.required
        }, kind


# Running


def test_large_integers_beside_null_stay_exact() -> None:
    frame = pl.DataFrame({"n": [2**53, 2**53 + 1, None]})
    outcome = one(frame, BETWEEN, column="n", max_value=2**53)
    assert outcome.failing_index == (1,)
    assert outcome.failing_rows == ({"n": 2**53 + 1},)


def test_dates_and_moments_are_compared_with_their_bounds() -> None:
    frame = pl.DataFrame({"day": [JAN, None, FEB], "at": [datetime(2022, 1, 1, 12, tzinfo=UTC), None, None]})
    assert one(frame, BETWEEN, column="day", min_value=FEB).failing_index == (0,)
    assert one(frame, BETWEEN, column="day", max_value=JAN).failing_index == (2,)
    assert one(frame, BETWEEN, column="at", max_value=datetime(2022, 1, 1, 11, tzinfo=UTC)).failing_index == (0,)
    assert one(frame, BETWEEN, column="at", max_value=datetime(2022, 1, 1, 12, tzinfo=UTC)).passed


def test_columns_of_every_type_can_be_checked() -> None:
    frame = pl.DataFrame(
        {
            "total": pl.Series([1, None], dtype=pl.Int128),
            "amount": pl.Series([Decimal("1.5"), None], dtype=pl.Decimal(38, 2)),
            "small": pl.Series([1, None], dtype=pl.UInt32),
            "length": [timedelta(days=1), None],
            "kind": pl.Series(["a", None], dtype=pl.Categorical),
            "truth": [True, None],
            "parts": [{"a": 1}, None],
            "nested": [[{"a": 1}], None],
            "gaps": [["a", None], None],
            "bytes": [b"\xff", None],
            "nothing": [None, None],
        }
    )
    rules = implied([], frame.columns, nullable=["nothing"])
    outcomes = {outcome.expectation.name: outcome for outcome in validate(frame, rules)}
    assert outcomes.pop("at_least_one_row").passed
    assert outcomes.pop("columns_as_documented").passed
    null = outcomes.pop("no_unexpected_null")
    assert (null.failing_index, null.observed) == ((1,), "1 of 2 rows: total")
    assert not outcomes
    for column in frame.columns[:-1]:
        others = [name for name in frame.columns if name != column]
        (alone,) = [
            o for o in validate(frame, implied([], frame.columns, nullable=others)) if "null" in o.expectation.name
        ]
        assert alone.failing_index == (1,), column
    assert one(frame, BETWEEN, column="total", min_value=2).failing_index == (0,)
    assert one(frame, BETWEEN, column="amount", max_value=1).failing_index == (0,)
    assert one(frame, BETWEEN, column="nothing", min_value=2).observed == "every value is NULL"


# What the library does besides
