"""Rules: what documentation implies, what a yml may declare, and that no rule is ever green by accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.quality import (
    AT_LEAST_ONE_ROW,
    FAILING_ROWS,
    TYPES,
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
JAN, FEB, MAR = date(2022, 1, 1), date(2022, 2, 1), date(2022, 3, 1)


def rule(kind: str, *, name: str = "the_rule", severity: Any = "critical", **kwargs: Any) -> Expectation:
    return Expectation(name, kind, kwargs, severity)


def one(frame: pl.DataFrame, kind: str, **kwargs: Any) -> Outcome:
    (outcome,) = validate(frame, [rule(kind, **kwargs)])
    return outcome


def failed(frame: pl.DataFrame, rules: tuple[Expectation, ...]) -> set[str]:
    return {outcome.expectation.name for outcome in validate(frame, rules) if not outcome.passed}


def questions(*rows: tuple[date | None, str | None, int | None]) -> pl.DataFrame:
    table = SOURCES["stackoverflow"].table
    told = [(*row, "counted", "Stack Exchange", None) for row in rows]
    return pl.DataFrame(told, schema=table.schema, orient="row")


# What documentation implies


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


# The rules of a fetched month


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


# Running


def test_nothing_passes_on_a_frame_without_rows() -> None:
    outcomes = validate(questions(), for_raw(SOURCES["stackoverflow"].table))
    assert len(outcomes) == len(for_raw(SOURCES["stackoverflow"].table))
    assert {(outcome.passed, outcome.observed) for outcome in outcomes} == {(False, "no rows")}


def test_a_frame_without_rules_is_not_valid() -> None:
    with pytest.raises(PipelineError, match="no rules"):
        validate(questions((JAN, "*", 1)), [])
    with pytest.raises(PipelineError, match="two of one name"):
        validate(questions((JAN, "*", 1)), [AT_LEAST_ONE_ROW, AT_LEAST_ONE_ROW])


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


# Refusing months


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


# What the library does besides

GUARDED = """
import json, os, sys
connections = []
sys.addaudithook(lambda event, given: connections.append(event) if event in (
    "socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname") else None)
import fw_pipeline.quality as ex
early = sorted({"great_expectations", "pandas"} & sys.modules.keys())
import polars as pl
between = "expect_column_values_to_be_between"
rules = [ex.Expectation(f"r{n}", between, {"column": "n", "min_value": n}) for n in range(9)]
passed = [outcome.passed for outcome in ex.validate(pl.DataFrame({"n": [0, 5]}), rules)]
from fw_pipeline.quality.engine import batch_definition
unused = sorted({"altair", "scipy.stats", "scipy.linalg"} & sys.modules.keys())
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as other
import altair, scipy
used = [other.alt.Chart is altair.Chart, other.stats.entropy is scipy.stats.entropy]
context = batch_definition().data_asset.datasource.data_context
print(json.dumps({"connections": connections, "early": early, "passed": passed,
    "unused": unused, "used": used,
    "variable": os.environ["GX_ANALYTICS_ENABLED"], "configured": context.variables.analytics_enabled,
    "docs": context.variables.data_docs_sites}))
"""


def test_great_expectations_is_imported_late_calls_nobody_and_draws_no_progress_bar() -> None:
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "true"}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", GUARDED], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "connections": [],
        "early": [],
        "unused": [],
        "used": [True, True],
        "passed": [True] + [False] * 8,
        "variable": "false",
        "configured": False,
        "docs": {},
    }
    assert done.stderr == ""


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
