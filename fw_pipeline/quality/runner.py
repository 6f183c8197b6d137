"""Running rules: the only code that hands frames to Great Expectations, which `engine` imports."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from fw_pipeline.errors import PipelineError
from fw_pipeline.quality.engine import validator
from fw_pipeline.quality.rules import FAILING_ROWS, Expectation, comparable, derived, to_pandas

if TYPE_CHECKING:
    import pandas as pd

NO_ROWS = "no rows"
"""What is seen of a table that is empty."""

SHOWN_ROWS = 20
"""Failing rows that an outcome carries; the row numbers are complete."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one rule."""

    expectation: Expectation
    passed: bool
    unexpected_count: int
    """Rows that break the rule; 0 where the rule is on the whole table."""
    observed: str
    """What was seen, in a reader's words; the cause where the rule could not be checked."""
    failing_rows: tuple[dict[str, Any], ...] = ()
    """The first rows that break the rule, with their original values in a form that JSON can carry."""
    failing_index: tuple[int, ...] = ()
    """Numbers of all rows of the frame that break the rule; none where the rule is on the whole table or a query."""


def validate(
    frame: pl.DataFrame,
    expectations: Sequence[Expectation],
    *,
    failing: Mapping[str, pl.DataFrame] = MappingProxyType({}),
) -> tuple[Outcome, ...]:
    """Run all rules on a frame, in one validation, and say what came of each, in the order given.

    A list is compared as the text `a;b` (`[]` when empty), NaN as infinity. On a frame without rows
    nothing passes but what holds on none.

    Args:
        frame: The table or month; counts, never millions of detail rows.
        expectations: The rules; their names differ.
        failing: What the query of each `failing_rows` rule returned, by the rule's name.

    Raises:
        PipelineError: no rules, two of one name, or a query whose rows were not handed in.
        RuntimeError: Great Expectations dropped a rule.
    """
    names = [rule.name for rule in expectations]
    if not names or len({*names}) != len(names):
        raise PipelineError("validation", "no rules, or two of one name", "give every table rules that differ in name")
    queries = [rule for rule in expectations if rule.type == FAILING_ROWS]
    if odd := sorted({rule.name for rule in queries} ^ failing.keys()):
        raise PipelineError(
            "validation", f"rules and query results differ: {', '.join(odd)}", "run the query of each such rule"
        )
    done: dict[str, Outcome] = {}
    if frame.is_empty():
        queries = [rule for rule in queries if rule.holds_on_none]
        done = {
            it.name: Outcome(it, passed=it.holds_on_none, unexpected_count=0, observed=NO_ROWS) for it in expectations
        }
    with _ONE_AT_A_TIME:
        if not frame.is_empty():
            done = _run(frame, [rule for rule in expectations if rule.type != FAILING_ROWS])
        if queries:
            done |= _run_queries(queries, failing)
    if lost := {*names} ^ done.keys():
        raise RuntimeError(f"Great Expectations gave no result for {', '.join(sorted(lost))}")
    return tuple(done[name] for name in names)


_ONE_AT_A_TIME = threading.Lock()
"""The library promises nothing about threads."""


def _run(frame: pl.DataFrame, rules: Sequence[Expectation]) -> dict[str, Outcome]:
    """Run rules on a frame. Of most rules on rows, more than whether they hold is asked only where they do not."""
    ready = to_pandas(frame, rules)
    checks = validator(ready)
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration  # noqa: PLC0415

    found: dict[str, Outcome] = {}
    configured: dict[str, Any] = {}
    by_name = {rule.name: rule for rule in rules}
    for rule in rules:
        given = {key: comparable(value) for key, value in rule.kwargs.items()}
        if rule.type == "expect_table_columns_to_match_ordered_list":
            given["column_list"] = [*given["column_list"], *map(str, ready.columns[frame.width :])]
        one = ExpectationConfiguration(rule.type, given, meta={"name": rule.name}, severity=rule.severity)
        try:
            one.to_domain_obj()
        except Exception as error:  # noqa: BLE001 - whatever the library dislikes, the rule did not pass
            found[rule.name] = _unchecked(rule, str(error))
        else:
            configured[rule.name] = one
    plain = [configured[it] for it in configured if _is_plain(by_name[it], ready)]
    for name, result in _results(checks, plain, _HOLDS):
        if result.success:
            observed = f"0 of {frame.height} rows"
            found[name] = Outcome(by_name[name], passed=True, unexpected_count=0, observed=observed)
    for name, result in _results(checks, [configured[it] for it in configured if it not in found], _EVERYTHING):
        found[name] = _outcome(frame, by_name[name], result)
    return found


_HOLDS = {"result_format": "BOOLEAN_ONLY"}
_EVERYTHING = {"result_format": "COMPLETE", "exclude_unexpected_values": True}
"""What is asked of a rule: whether it holds, which takes half as long, or also the rows that break it."""


def _is_plain(rule: Expectation, ready: pd.DataFrame) -> bool:
    """Return whether it is known of a rule that holds what was seen: no row that breaks it, among some with a value."""
    if rule.kwargs.get("mostly") is not None:
        return False
    if rule.type == "expect_compound_columns_to_be_unique":
        return rule.kwargs.get("ignore_row_if") == "never"
    if rule.type == "expect_column_values_to_be_null":
        return True
    column = rule.kwargs.get("column")
    return rule.type.startswith("expect_column_value") and column in ready and not ready[column].isna().all()


def _results(checks: Any, rules: Sequence[Any], asked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Validate rules at once, and yield the result of each. They come in any order, so each carries its rule's name."""
    if rules:
        for result in checks.graph_validate(rules, {"result_format": {**asked}}):
            yield result.expectation_config.meta["name"], result


def _run_queries(rules: Sequence[Expectation], failing: Mapping[str, pl.DataFrame]) -> dict[str, Outcome]:
    """Expect that queries returned no rows, in one validation. Only their numbers are handed on: rows may be wide."""
    counts = pl.DataFrame({rule.name: [failing[rule.name].height] for rule in rules})
    none = [
        Expectation(it.name, "expect_column_max_to_be_between", {"column": it.name, "max_value": 0}) for it in rules
    ]
    found = _run(counts, none)
    for rule in rules:
        number, shown = failing[rule.name].height, failing[rule.name].head(SHOWN_ROWS)
        outcome, rows = found[rule.name], _shown(shown, range(shown.height))
        found[rule.name] = replace(outcome, expectation=rule, unexpected_count=number, failing_rows=rows)
    return found


def _outcome(frame: pl.DataFrame, rule: Expectation, result: Any) -> Outcome:
    raised = result.exception_info or {}
    # One rule that raised is told as a flat record; one whose figures raised, as a record of such records.
    for info in [raised] if "raised_exception" in raised else raised.values():
        if info["raised_exception"]:
            return _unchecked(rule, info["exception_message"])
    told = result.result
    index = tuple(sorted(int(number) for number in told.get("unexpected_index_list") or ()))
    count = int(told.get("unexpected_count") or 0)
    if "observed_value" in told:
        seen = told["observed_value"]
        shown = seen[: frame.width] if rule.type == "expect_table_columns_to_match_ordered_list" else seen
        observed = ", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)
    elif told.get("missing_count") == frame.height:
        observed = "every value is NULL"
    else:
        observed = f"{count} of {frame.height} rows"
        if index and rule.type == "expect_column_values_to_be_null":
            flagged = (
                frame[list(index)].select(derived(frame, str(rule.kwargs["column"]))) if len(rule.columns) > 1 else None
            )
            observed += f": {', '.join(map(str, flagged.to_series().unique().sort()))}" if flagged is not None else ""
    return Outcome(rule, result.success is True, count, observed, _shown(frame, index), index)


def _unchecked(rule: Expectation, cause: str) -> Outcome:
    return Outcome(rule, passed=False, unexpected_count=0, observed=f"could not be checked: {' '.join(cause.split())}")


def _shown(frame: pl.DataFrame, index: Sequence[int]) -> tuple[dict[str, Any], ...]:
    rows = frame[list(index[:SHOWN_ROWS])].to_dicts()
    return tuple({key: _plain(value) for key, value in row.items()} for row in rows)


def _plain(value: Any) -> Any:
    """Turn a value into one that JSON can carry."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    whole = value is None or isinstance(value, bool | int | str)
    return value if whole or (isinstance(value, float) and math.isfinite(value)) else str(value)


def rejected_months(frame: pl.DataFrame, outcomes: Iterable[Outcome]) -> Mapping[date | None, str]:
    """Return why each unfit month of a frame is refused: its rows that break a critical rule.

    Every month is refused by a critical failure that no row can be blamed for. The key None stands for rows without
    a month, and for a frame without rows.
    """
    months: list[date | None] = frame["month"].to_list() if "month" in frame.columns else [None] * frame.height
    causes: dict[date | None, list[str]] = {}
    for outcome in outcomes:
        rule = outcome.expectation
        if outcome.passed or rule.severity != "critical":
            continue
        rows: dict[date | None, list[int]] = {}
        for number in outcome.failing_index:
            rows.setdefault(months[number], []).append(number)
        for month, numbers in rows.items():
            first = frame.row(numbers[0], named=True)
            broken = [name for name in rule.columns if first[name] is None] or rule.columns
            value = ", ".join(f"{name} = {'NULL' if first[name] is None else first[name]}" for name in broken)
            said = f"{rule.name}: {value} ({len(numbers)} row{'s' * (len(numbers) > 1)})"
            causes.setdefault(month, []).append(said)
        if not rows:
            for month in dict.fromkeys(months) or [None]:
                causes.setdefault(month, []).append(f"{rule.name}: {outcome.observed}")
    return {month: "; ".join(causes[month]) for month in sorted(causes, key=lambda month: month or date.min)}
