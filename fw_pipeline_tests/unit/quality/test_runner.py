"""Running rules: none is ever green by accident, and what fails rejects the months that it is in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.quality import (
    AT_LEAST_ONE_ROW,
    FAILING_ROWS,
    Expectation,
    Outcome,
    declared,
    for_raw,
    implied,
    rejected_months,
    validate,
)
from fw_pipeline.sources import SOURCES

BETWEEN = "expect_column_values_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"
JAN, FEB = date(2022, 1, 1), date(2022, 2, 1)


def rule(kind: str, *, name: str = "the_rule", severity: Any = "critical", **kwargs: Any) -> Expectation:
    return Expectation(name, kind, kwargs, severity)


def one(frame: pl.DataFrame, kind: str, **kwargs: Any) -> Outcome:
    (outcome,) = validate(frame, [rule(kind, **kwargs)])
    return outcome


def questions(*rows: tuple[date | None, str | None, int | None]) -> pl.DataFrame:
    table = SOURCES["stackoverflow"].table
    told = [(*row, "counted", "Stack Exchange", None) for row in rows]
    return pl.DataFrame(told, schema=table.schema, orient="row")


def test_nothing_passes_on_a_frame_without_rows() -> None:
    outcomes = validate(questions(), for_raw(SOURCES["stackoverflow"].table))
    assert len(outcomes) == len(for_raw(SOURCES["stackoverflow"].table))
    assert {(outcome.passed, outcome.observed) for outcome in outcomes} == {(False, "no rows")}


def test_a_frame_without_rules_is_not_valid() -> None:
    with pytest.raises(PipelineError, match="no rules"):
        validate(questions((JAN, "*", 1)), [])
    with pytest.raises(PipelineError, match="two of one name"):
        validate(questions((JAN, "*", 1)), [AT_LEAST_ONE_ROW, AT_LEAST_ONE_ROW])


def test_failing_rows_are_few_original_and_fit_for_json_while_their_numbers_are_complete() -> None:
    frame = pl.DataFrame(
        {"month": [JAN] * 50, "n": list(range(50)), "share": [float("nan")] * 50, "tags": [["a", None]] * 50}
    )
    outcome = one(frame, BETWEEN, column="n", max_value=9)
    assert outcome.failing_index == tuple(range(10, 50))
    assert outcome.unexpected_count == 40
    assert outcome.observed == "40 of 50 rows"
    assert len(outcome.failing_rows) == 20
    assert json.loads(json.dumps(outcome.failing_rows[0], allow_nan=False)) == {
        "month": "2022-01-01",
        "n": 10,
        "share": "nan",
        "tags": ["a", None],
    }


@pytest.mark.parametrize(
    ("kind", "kwargs", "cause"),
    [
        (BETWEEN, {"column": "absent", "min_value": 0}, "absent"),
        (BETWEEN, {"column": "text", "min_value": 0}, "could not be checked"),
        (BETWEEN, {"column": "n"}, "min_value and max_value"),
        (NOT_NULL, {"column": "n", "mostly": 7}, "mostly"),
        ("expect_column_to_rhyme", {"column": "n"}, "rhyme"),
    ],
)
def test_a_rule_that_cannot_be_checked_fails_with_its_cause(kind: str, kwargs: dict[str, Any], cause: str) -> None:
    frame = pl.DataFrame({"n": [1], "text": ["a"]})
    broken, sound = validate(frame, [rule(kind, name="broken", **kwargs), AT_LEAST_ONE_ROW])
    assert not broken.passed
    assert broken.observed.startswith("could not be checked: ")
    assert cause in broken.observed
    assert sound.passed


def test_outcomes_come_in_the_order_of_their_rules() -> None:
    rules = [rule(BETWEEN, name=f"at_most_{limit}", column="n", max_value=limit) for limit in range(40)]
    outcomes = validate(pl.DataFrame({"n": range(40)}), rules)
    assert [outcome.expectation for outcome in outcomes] == rules
    assert all(len(low.failing_index) == len(high.failing_index) + 1 for low, high in pairwise(outcomes))


COMPOUND = {"kind": "expect_compound_columns_to_be_unique", "column_list": ["n", "gone"]}


@pytest.mark.parametrize(
    ("asked", "observed", "breaking"),
    [
        ({"kind": BETWEEN, "column": "n", "min_value": 0}, "0 of 3 rows", ()),
        ({"kind": BETWEEN, "column": "n", "min_value": 2, "mostly": 0.5}, "1 of 3 rows", (0,)),
        ({"kind": BETWEEN, "column": "gone", "min_value": 0}, "every value is NULL", ()),
        ({"kind": BETWEEN, "column": "n - gone", "min_value": 0}, "every value is NULL", ()),
        ({"kind": "expect_column_values_to_be_null", "column": "NULL among n, text"}, "0 of 3 rows", ()),
        ({**COMPOUND, "ignore_row_if": "never"}, "0 of 3 rows", ()),
        ({**COMPOUND, "ignore_row_if": "any_value_is_missing"}, "every value is NULL", ()),
        (
            {
                "kind": "expect_column_pair_values_to_be_equal",
                "column_A": "n",
                "column_B": "gone",
                "ignore_row_if": "either_value_is_missing",
            },
            "every value is NULL",
            (),
        ),
    ],
)
def test_a_rule_that_holds_says_on_which_rows(asked: dict[str, Any], observed: str, breaking: tuple[int, ...]) -> None:
    columns = {"n": [1, 2, 3], "gone": [None] * 3, "text": ["a", "b", "c"]}
    frame = pl.DataFrame(columns, schema_overrides={"gone": pl.Int64})
    outcome = one(frame, **asked)
    assert (outcome.passed, outcome.observed, outcome.failing_index) == (True, observed, breaking)
    assert outcome.unexpected_count == len(outcome.failing_rows) == len(breaking)


def test_two_rules_that_say_the_same_have_an_outcome_each() -> None:
    twice = [rule(BETWEEN, name=name, column="n", min_value=2) for name in ("here", "there")]
    assert [outcome.failing_index for outcome in validate(pl.DataFrame({"n": [1, 2]}), twice)] == [(0,), (0,)]


def test_rows_found_by_a_query_fail_the_rule() -> None:
    (sums,) = declared(
        [{"type": FAILING_ROWS, "name": "sums", "reason": "Shares add up.", "sql": "select 1"}], columns=[]
    )
    frame = pl.DataFrame({"n": [1]})
    (clean,) = validate(frame, [sums], failing={"sums": pl.DataFrame({"month": []})})
    assert (clean.passed, clean.failing_rows) == (True, ())
    (broken,) = validate(frame, [sums], failing={"sums": pl.DataFrame({"month": [JAN] * 30, "n": range(30)})})
    assert (broken.passed, broken.unexpected_count, len(broken.failing_rows)) == (False, 30, 20)
    assert broken.failing_rows[1] == {"month": "2022-01-01", "n": 1}
    assert broken.expectation is sums


def test_runs_side_by_side_do_not_mix_their_frames() -> None:
    def run(size: int) -> list[int]:
        frame = pl.DataFrame({"n": range(size)})
        return [len(one(frame, BETWEEN, column="n", min_value=size).failing_index) for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, (10, 20, 30, 40))) == [[10] * 10, [20] * 10, [30] * 10, [40] * 10]


def test_a_query_that_nobody_ran_is_not_green() -> None:
    sums = rule(FAILING_ROWS, name="sums", sql="select 1")
    with pytest.raises(PipelineError, match="rules and query results differ: sums"):
        validate(pl.DataFrame({"n": [1]}), [sums])
    with pytest.raises(PipelineError, match="rules and query results differ: sum"):
        validate(pl.DataFrame({"n": [1]}), [AT_LEAST_ONE_ROW], failing={"sum": pl.DataFrame()})


def test_a_bad_row_refuses_its_month_and_no_other() -> None:
    frame = questions((JAN, "pytorch", 1), (FEB, "pytorch", -2), (FEB, "keras", -3), (None, "keras", None))
    refused = rejected_months(frame, validate(frame, for_raw(SOURCES["stackoverflow"].table)))
    assert refused == {
        None: "questions_not_null: questions = NULL (1 row)",
        FEB: "questions_between_0_and_1000000: questions = -2 (2 rows)",
    }


def test_a_failure_that_no_row_explains_refuses_every_month() -> None:
    frame = questions((JAN, "pytorch", 1), (FEB, "pytorch", 2))
    refused = rejected_months(frame, validate(frame, [rule(NOT_NULL, column="absent")]))
    assert refused.keys() == {JAN, FEB}
    assert all("could not be checked" in cause for cause in refused.values())
    assert rejected_months(questions(), validate(questions(), [AT_LEAST_ONE_ROW])) == {
        None: "at_least_one_row: no rows"
    }


def test_a_warning_refuses_nothing() -> None:
    frame = questions((JAN, "pytorch", -1))
    outcomes = validate(frame, [rule(BETWEEN, severity="warning", column="questions", min_value=0)])
    assert not outcomes[0].passed
    assert rejected_months(frame, outcomes) == {}


def test_a_table_that_may_be_empty_breaks_no_rule_when_it_is_and_a_query_still_counts() -> None:
    none = pl.DataFrame(schema={"value": pl.Float64})
    rules = [
        replace(rule, holds_on_none=True)
        for rule in (
            *implied((), ("value",), may_be_empty=True),
            Expectation("no_loss", "failing_rows", {"sql": "select 1"}, reason="x"),
        )
    ]
    lost = {
        outcome.expectation.name: outcome.passed
        for outcome in validate(none, rules, failing={"no_loss": pl.DataFrame({"lost": [1]})})
    }
    assert lost == {"columns_as_documented": True, "no_unexpected_null": True, "no_loss": False}
    assert not any(outcome.passed for outcome in validate(none, implied((), ("value",))))
