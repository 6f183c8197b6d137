"""Where rules come from: what documentation implies, what a yml may declare, what holds of a fetched month."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.quality import (
    AT_LEAST_ONE_ROW,
    FAILING_ROWS,
    Expectation,
    declared,
    for_raw,
    implied,
    validate,
)
from fw_pipeline.sources import SOURCES

BETWEEN = "expect_column_values_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"
JAN, FEB, MAR = date(2022, 1, 1), date(2022, 2, 1), date(2022, 3, 1)


def failed(frame: pl.DataFrame, rules: tuple[Expectation, ...]) -> set[str]:
    return {outcome.expectation.name for outcome in validate(frame, rules) if not outcome.passed}


def questions(*rows: tuple[date | None, str | None, int | None]) -> pl.DataFrame:
    table = SOURCES["stackoverflow"].table
    told = [(*row, "counted", "Stack Exchange", None) for row in rows]
    return pl.DataFrame(told, schema=table.schema, orient="row")


def test_the_first_rule_of_every_table_is_that_it_has_rows() -> None:
    assert implied(["month"], ["month"])[0] == AT_LEAST_ONE_ROW
    assert all(for_raw(source.table)[0] == AT_LEAST_ONE_ROW for source in SOURCES.values())


@pytest.mark.parametrize("columns", [["b", "a"], ["a"], ["a", "b", "c"]])
def test_a_column_that_is_missing_or_strange_or_misplaced_is_told(columns: list[str]) -> None:
    frame = pl.DataFrame({"a": [1], "b": [2]})
    found = {outcome.expectation.name: outcome for outcome in validate(frame, implied([], columns, nullable=columns))}
    assert not found["columns_as_documented"].passed
    assert found["columns_as_documented"].observed == "a, b"


def test_only_a_nullable_column_may_be_null() -> None:
    frame = pl.DataFrame({"a": [1, None], "b": [None, 2]})
    assert failed(frame, implied([], ["a", "b"], nullable=["b"])) == {"no_unexpected_null"}


def test_a_single_column_that_is_the_grain_is_unique() -> None:
    rules = implied(["month"], ["month"])
    assert failed(pl.DataFrame({"month": [JAN, FEB]}), rules) == set()
    assert failed(pl.DataFrame({"month": [JAN, FEB, JAN]}), rules) == {"one_row_per_month"}


@pytest.mark.parametrize(
    ("grain", "rows", "failing"),
    [
        (["k"], [("x", 1), ("y", 1)], ()),
        (["k"], [("x", 1), ("y", 1), ("x", 2)], (0, 2)),
        (["k"], [(None, 1), ("x", 1)], ()),
        (["k"], [(None, 1), ("x", 1), (None, 2)], (0, 2)),
        (["k", "n"], [("x", 1), ("x", 2), (None, 1)], ()),
        (["k", "n"], [("x", 1), ("x", 1), (None, None), (None, None)], (0, 1, 2, 3)),
    ],
)
def test_null_in_the_grain_counts_as_a_value(
    grain: list[str], rows: list[tuple[str | None, int | None]], failing: tuple[int, ...]
) -> None:
    frame = pl.DataFrame(rows, schema={"k": pl.String, "n": pl.Int64}, orient="row")
    outcome = validate(frame, implied(grain, ["k", "n"], nullable=["k", "n"]))[2]
    assert outcome.expectation.name == f"one_row_per_{'_'.join(grain)}"
    assert outcome.passed == (not failing)
    assert outcome.failing_index == failing


def test_lists_in_the_grain_are_compared_whole_and_empty_is_not_null() -> None:
    rules = implied(["month", "formats"], ["month", "formats"], nullable=["month", "formats"])
    frame = pl.DataFrame(
        {"month": [JAN] * 4, "formats": [["jax", "pytorch"], ["jax"], [], None]},
        schema={"month": pl.Date, "formats": pl.List(pl.String)},
    )
    assert failed(frame, rules) == set()
    twice = pl.concat([frame, frame.head(1), frame.tail(1)])
    outcome = validate(twice, rules)[2]
    assert outcome.failing_index == (0, 3, 4, 5)
    assert outcome.failing_rows[0] == {"month": "2022-01-01", "formats": ["jax", "pytorch"]}


@pytest.mark.parametrize("figure", [float("nan"), float("inf"), float("-inf")])
def test_a_division_by_zero_is_not_a_share(figure: float) -> None:
    rules = implied([], ["share"], nullable=["share"], types={"share": "DOUBLE"})
    frame = pl.DataFrame({"share": [0.5, figure, None]})
    outcome = {found.expectation.name: found for found in validate(frame, rules)}["numbers_are_finite"]
    assert outcome.failing_index == (1,)
    assert outcome.failing_rows == ({"share": str(figure)},)


def test_a_value_outside_the_documented_ones_fails() -> None:
    frame = pl.DataFrame({"verdict": ["supported", "perhaps", None]})
    outcome = validate(frame, implied([], ["verdict"], values={"verdict": ["supported", "refuted"]}))[-1]
    assert outcome.failing_rows == ({"verdict": "perhaps"},)


def test_documentation_that_names_no_column_is_refused() -> None:
    with pytest.raises(PipelineError, match="no such column: mnth"):
        implied(["mnth"], ["month"])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"type": "expect_column_values_to_be_betwen", "column": "n", "min_value": 0}, "values_to_be_between"),
        ({"type": "expect_column_values_to_be_of_type", "column": "n"}, "unknown type"),
        ({}, "unknown type ''"),
        ({"type": NOT_NULL, "column": "n", "minimum": 0}, "unknown argument minimum"),
        ({"type": NOT_NULL, "column": "n", "row_condition": "n > 0"}, "unknown argument row_condition"),
        ({"type": NOT_NULL}, "lacks column"),
        ({"type": NOT_NULL, "column": "m"}, "no such column: m"),
        ({"type": BETWEEN, "column": "n - m", "min_value": 0}, "no such column: m"),
        ({"type": "expect_compound_columns_to_be_unique", "column_list": ["n", "m"]}, "no such column: m"),
        ({"type": "expect_column_pair_values_to_be_equal", "column_A": "n", "column_B": "m"}, "no such column: m"),
        ({"type": BETWEEN, "column": "n"}, "lacks min_value or max_value"),
        ({"type": BETWEEN, "column": "n", "max_value": "1e6"}, "no number and no date"),
        ({"type": "expect_column_values_to_be_in_set", "column": "n", "value_set": "abc"}, "is no list"),
        ({"type": NOT_NULL, "column": "n", "severity": "fatal"}, "unknown severity 'fatal'"),
        ({"type": NOT_NULL, "column": "n", "name": "n is there"}, "not a name for a rule"),
        ({"type": NOT_NULL, "column": "n", "reason": " "}, "lacks a reason"),
        ({"type": FAILING_ROWS, "name": "sums"}, "lacks sql"),
        ({"type": FAILING_ROWS, "sql": "select 1"}, "needs a name"),
    ],
)
def test_a_rule_that_would_never_run_is_refused_when_it_is_read(item: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        declared([{"reason": "It must.", **item}], columns=["n", "k"], subject="marts/x.yml")


def test_two_rules_of_one_name_are_refused() -> None:
    item = {"type": NOT_NULL, "column": "n", "reason": "It must."}
    with pytest.raises(PipelineError, match="two rules are named n_not_null"):
        declared([item, item], columns=["n"])


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"type": BETWEEN, "column": "n", "min_value": 0, "max_value": 50_000_000}, "n_between_0_and_50000000"),
        ({"type": BETWEEN, "column": "n", "min_value": -1.5}, "n_at_least_minus_1_5"),
        ({"type": BETWEEN, "column": "n", "max_value": date(2026, 1, 1)}, "n_at_most_2026_01_01"),
        ({"type": BETWEEN, "column": "n - k", "max_value": 31}, "n_k_at_most_31"),
        ({"type": "expect_column_max_to_be_between", "column": "n", "min_value": 1}, "n_max_at_least_1"),
        ({"type": "expect_table_row_count_to_equal", "value": 4}, "row_count_equal"),
        ({"type": "expect_compound_columns_to_be_unique", "column_list": ["n", "k"]}, "n_k_unique"),
        (
            {"type": "expect_column_pair_values_a_to_be_greater_than_b", "column_A": "n", "column_B": "k"},
            "n_greater_than_k",
        ),
        ({"type": NOT_NULL, "column": "n", "name": "named_by_hand"}, "named_by_hand"),
    ],
)
def test_a_rule_is_named_by_what_it_says(item: dict[str, Any], name: str) -> None:
    (found,) = declared([{"reason": "It must.", **item}], columns=["n", "k"])
    assert found.name == name


def test_declared_rules_of_every_kind_run_and_tell_good_rows_from_bad() -> None:
    rules = declared(
        [
            {"reason": "r", "severity": "warning", **item}
            for item in (
                {"type": "expect_column_values_to_be_unique", "column": "k"},
                {"type": "expect_column_values_to_match_regex", "column": "k", "regex": "^[a-z]$"},
                {"type": "expect_column_value_lengths_to_be_between", "column": "k", "max_value": 1},
                {"type": "expect_column_values_to_be_increasing", "column": "n"},
                {"type": "expect_column_distinct_values_to_equal_set", "column": "k", "value_set": ["a", "b"]},
                {"type": "expect_column_sum_to_be_between", "column": "n", "max_value": 5},
                {"type": "expect_column_pair_values_a_to_be_greater_than_b", "column_A": "m", "column_B": "n"},
                {"type": "expect_column_values_to_be_in_set", "column": "day", "value_set": [JAN, FEB]},
            )
        ],
        columns=["k", "n", "m", "day"],
    )
    good = pl.DataFrame({"k": ["a", "b"], "n": [1, 2], "m": [2, None], "day": [JAN, FEB]})
    bad = pl.DataFrame({"k": ["aa", "aa"], "n": [9, 2], "m": [1, 1], "day": [JAN, MAR]})
    assert failed(good, rules) == set()
    assert failed(bad, rules) == {found.name for found in rules}
    assert {found.severity for found in rules} == {"warning"}


def test_a_good_month_passes_and_one_bad_row_names_its_rule() -> None:
    rules = for_raw(SOURCES["stackoverflow"].table)
    good = questions((JAN, "pytorch", 555), (JAN, "*", 122_000), (FEB, "pytorch", 0))
    assert failed(good, rules) == set()
    assert failed(pl.concat([good, questions((FEB, "keras", None))]), rules) == {"questions_not_null"}
    assert failed(pl.concat([good, questions((FEB, "keras", -1))]), rules) == {"questions_between_0_and_1000000"}
    assert failed(pl.concat([good, questions((FEB, "*", 24_000_000))]), rules) == {"questions_between_0_and_1000000"}
    assert failed(pl.concat([good, questions((FEB, None, 1))]), rules) == {"tagged_not_null"}
    assert failed(pl.concat([good, questions((JAN, "pytorch", 556))]), rules) == {"one_row_per_month_tagged"}


@pytest.mark.parametrize(
    ("downloads", "start", "days", "refused"),
    [
        (0, JAN, 31, set()),
        (5, date(2021, 12, 19), 30, set()),
        (5, JAN, 0, {"days_covered_between_1_and_31"}),
        (5, JAN, 32, {"days_covered_between_1_and_31"}),
        (5, date(2021, 1, 1), 31, {"window_starts_near_its_month"}),
        (5, FEB, 28, {"window_starts_near_its_month"}),
        (5, None, 31, {"window_start_not_null"}),
        (2**53 + 1, JAN, 31, {"downloads_between_0_and_10000000000"}),
    ],
)
def test_a_download_window_of_another_month_is_refused(
    downloads: int, start: date | None, days: int, refused: set[str]
) -> None:
    table = SOURCES["pypi"].table
    row = (JAN, "torch", "all", "clickpy", downloads, start, days, "counted", None)
    frame = pl.DataFrame([row], schema=table.schema, orient="row")
    assert failed(frame, for_raw(table)) == refused


def test_every_bound_on_a_count_says_why() -> None:
    for source in SOURCES.values():
        counts = [found for found in for_raw(source.table) if found.type == BETWEEN]
        assert {found.columns[0] for found in counts} >= source.table.largest.keys()
        assert all(found.reason.endswith(".") for found in for_raw(source.table))
