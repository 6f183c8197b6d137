"""Where rules come from: what a document implies, what it declares, and what every raw month must keep.

Nothing here runs a rule.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fw_pipeline.contract import Table
from fw_pipeline.errors import PipelineError
from fw_pipeline.quality.rules import (
    AT_LEAST_ONE_ROW,
    BETWEEN,
    BOUNDS,
    FAILING_ROWS,
    NOT_FINITE_AMONG,
    NULL_AMONG,
    TYPES,
    Expectation,
)


def implied(
    grain: Sequence[str],
    columns: Sequence[str],
    *,
    nullable: Collection[str] = (),
    types: Mapping[str, str] = MappingProxyType({}),
    values: Mapping[str, Sequence[Any]] = MappingProxyType({}),
    may_be_empty: bool = False,
) -> tuple[Expectation, ...]:
    """Return the rules that follow from what is documented of a table.

    Args:
        grain: The columns of which each combination occurs once. NULL counts as a value.
        columns: All columns, in order.
        nullable: Those that may be NULL.
        types: SQL type by column; only floating-point ones matter here: neither NaN nor infinity is a figure.
        values: The values that a column may have, by column. A list column is compared as the text `a;b`.
        may_be_empty: Whether no row at all is an answer; else the first rule is that there is one.

    Raises:
        PipelineError: a column is named that is not among `columns`.
    """
    if unknown := sorted({*grain, *nullable, *types, *values} - {*columns}):
        raise PipelineError(
            "documentation", f"no such column: {', '.join(unknown)}", f"use one of {', '.join(columns)}"
        )
    found = [
        *(() if may_be_empty else (AT_LEAST_ONE_ROW,)),
        _rule(
            "expect_table_columns_to_match_ordered_list",
            "Readers rely on the documented columns and their order.",
            name="columns_as_documented",
            column_list=[*columns],
        ),
    ]
    if filled := [column for column in columns if column not in nullable]:
        found.append(_none_among(NULL_AMONG, filled, "no_unexpected_null", "Not documented as nullable."))
    found += [_one_row_per(grain, nullable)] if grain else []
    if numbers := [column for column, kind in types.items() if kind.upper() in ("DOUBLE", "FLOAT", "REAL")]:
        reason = "A division by zero gives NaN or infinity; what is missing is NULL."
        found.append(_none_among(NOT_FINITE_AMONG, numbers, "numbers_are_finite", reason))
    for column, known in values.items():
        reason = "The documentation lists every value."
        found.append(_rule("expect_column_values_to_be_in_set", reason, column=column, value_set=[*known]))
    return tuple(found)


def declared(
    items: Iterable[Mapping[str, Any]], *, columns: Collection[str], subject: str = "expectations"
) -> tuple[Expectation, ...]:
    """Return the rules written in a table's yml.

    Args:
        items: `type`, `reason`, and where wanted `name` and `severity`; everything else is an argument of the type.
        columns: The documented columns.
        subject: Whose rules these are, for the error.

    Raises:
        PipelineError: an unknown type, argument or column; one that is missing; a threshold that is no number and no
            date; a rule without a reason; two rules of one name.
    """
    found: dict[str, Expectation] = {}
    for item in items:
        rule = _declared(item, frozenset(columns), subject)
        if rule.name in found:
            raise PipelineError(subject, f"two rules are named {rule.name}", "name one of them differently")
        found[rule.name] = rule
    return tuple(found.values())


def _declared(item: Mapping[str, Any], columns: frozenset[str], subject: str) -> Expectation:
    kind, reason = str(item.get("type", "")), " ".join(str(item.get("reason") or "").split())
    given = {key: value for key, value in item.items() if key not in ("name", "type", "reason", "severity")}
    subject = f"{subject}, rule {item.get('name') or kind or '?'}"
    if kind not in TYPES:
        near = difflib.get_close_matches(kind, TYPES, n=2) or sorted(TYPES)
        raise PipelineError(
            subject, f"unknown type {kind!r}", f"use {' or '.join(near)}; any other rule is a {FAILING_ROWS}"
        )
    if not reason or (kind == FAILING_ROWS and not item.get("name")):
        raise PipelineError(subject, "lacks a reason or a name", "say why the rule holds; a query also needs a name")
    _refuse_arguments(kind, given, subject)
    if kind.startswith("expect_column_pair"):  # as rules on one column do: NULL is another rule's matter
        given.setdefault("ignore_row_if", "either_value_is_missing")
    name = str(item.get("name") or _name(kind, given))
    rule = Expectation(name, kind, MappingProxyType(given), item.get("severity", "critical"), reason)
    if strangers := sorted({*rule.columns, *given.get("column_list", ())} - columns):
        raise PipelineError(
            subject, f"no such column: {', '.join(strangers)}", f"use one of {', '.join(sorted(columns))}"
        )
    return rule


def _refuse_arguments(kind: str, given: Mapping[str, Any], subject: str) -> None:
    accepted = {word.rstrip("!"): word.endswith("!") for word in TYPES[kind].split()}
    takes = f"{kind} takes {', '.join(accepted)}"
    if unknown := sorted(given.keys() - accepted.keys()):
        raise PipelineError(subject, f"unknown argument {', '.join(unknown)}", takes)
    missing = [key for key, needed in accepted.items() if needed and given.get(key) in (None, "", [])]
    if missing or ("max_value" in accepted and all(given.get(key) is None for key in BOUNDS)):
        raise PipelineError(subject, f"lacks {', '.join(missing) or 'min_value or max_value'}", takes)
    for key, value in given.items():
        # YAML reads 1e6 as a text: the rule would be refused only when it runs.
        if key in BOUNDS and isinstance(value, bool | str | Sequence):
            raise PipelineError(
                subject, f"{key} {value!r} is no number and no date", "write it like 1000000 or 2015-11-01"
            )
        if key in ("column_list", "value_set") and not isinstance(value, list | tuple):
            raise PipelineError(subject, f"{key} {value!r} is no list", f"write it like [{value}]")


def _name(kind: str, given: Mapping[str, Any]) -> str:
    """Name a rule by its columns, what it says of them, and its bounds."""
    said = kind.removeprefix("expect_")
    for noise in ("column_pair_", "compound_columns_", "column_", "table_", "values_", "to_", "be_"):
        said = said.replace(noise, "")
    low, high = (given.get(bound) for bound in BOUNDS)
    if low is None or high is None:
        said = said.replace("between", "at_most" if low is None else "at_least")
    if "column_A" in given:
        words = [given["column_A"], said.removeprefix("a_").removesuffix("_b"), given["column_B"]]
    else:
        words = [given.get("column", ""), *([] if "table_" in kind else given.get("column_list", ())), said]
    bounds = [re.sub(r"^-", "minus_", str(bound)) for bound in (low, high) if bound is not None]
    text = "_".join(word for word in [*words, "_and_".join(bounds)] if word)
    return re.sub(r"[^A-Za-z0-9_]+", "_", text)


def _rule(kind: str, reason: str, *, name: str = "", **given: Any) -> Expectation:
    return Expectation(name or _name(kind, given), kind, MappingProxyType(given), reason=reason)


def _none_among(among: str, columns: Sequence[str], name: str, reason: str) -> Expectation:
    return _rule("expect_column_values_to_be_null", reason, name=name, column=f"{among}{', '.join(columns)}")


def _not_null(column: str, reason: str) -> Expectation:
    return _rule("expect_column_values_to_not_be_null", reason, column=column)


def _one_row_per(grain: Sequence[str], nullable: Collection[str]) -> Expectation:
    name, reason = f"one_row_per_{'_'.join(grain)}", f"The grain is {', '.join(grain)}: a second row counts twice."
    if len(grain) == 1 and grain[0] not in nullable:
        return _rule("expect_column_values_to_be_unique", reason, name=name, column=grain[0])
    return _rule(
        "expect_compound_columns_to_be_unique",
        reason,
        name=name,
        # Only this type can take NULL for a value, and it wants two columns: a single one is given twice.
        column_list=[*grain] * (2 if len(grain) == 1 else 1),
        ignore_row_if="never",
    )


_MAY_BE_NULL = frozenset({"month", "observed_on"})
"""Of the columns that every raw table has."""


def for_raw(table: Table, *, provider: Sequence[str] = ()) -> tuple[Expectation, ...]:
    """Return the rules that a fetched month must keep before it becomes a vintage.

    Figures that belong to no month are held to the same rules: `month` may be NULL.

    Args:
        table: The raw table.
        provider: The column that tells providers apart, where several stand in one table; none in a fetched month.
    """
    nullable = _MAY_BE_NULL.union(table.nullable)
    needed = [column for column in (*table.key, "method", "origin") if column not in nullable]
    found = [AT_LEAST_ONE_ROW]
    found += [_not_null(column, "It says what the figure is of, or whose it is.") for column in dict.fromkeys(needed)]
    found += [_not_null(column, "A row without its figure is a gap, and is said as one.") for column in table.required]
    found.append(_one_row_per((*table.identity, *provider), nullable))
    for column, kind in table.measures.items():
        if kind.is_integer():
            largest, reason = table.largest.get(column, (None, "A count is never negative."))
            bounds: dict[str, Any] = {"min_value": int(column == "days_covered"), "max_value": largest}
            if largest is None:
                del bounds["max_value"]
            found.append(_rule(BETWEEN, reason, column=column, **bounds))
    if "window_start" in table.measures:
        reason = "The days that a figure covers begin in its month, or at most one month before."
        name = "window_starts_near_its_month"
        found.append(_rule(BETWEEN, reason, name=name, column="window_start - month", min_value=-31, max_value=30))
    return tuple(found)
