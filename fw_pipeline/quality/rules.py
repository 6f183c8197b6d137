"""What a rule is: its name, its type in Great Expectations, its arguments, and why it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from fw_pipeline.errors import PipelineError

Severity = Literal["critical", "warning", "info"]

FAILING_ROWS = "failing_rows"
"""The type of a rule that is a query: the rows that it returns break the rule."""

BOUNDS = ("min_value", "max_value")
_RANGE = "min_value max_value strict_min strict_max"
BETWEEN = "expect_column_values_to_be_between"
TYPES: Mapping[str, str] = MappingProxyType(
    {
        FAILING_ROWS: "sql!",
        "expect_table_row_count_to_be_between": _RANGE,
        "expect_table_row_count_to_equal": "value!",
        "expect_table_columns_to_match_ordered_list": "column_list",
        "expect_column_to_exist": "column! column_index",
        **{
            f"expect_column_{what}_to_be_between": f"column! {_RANGE}"
            for what in (
                *("max", "mean", "median", "min", "stdev", "sum", "unique_value_count"),
                *("proportion_of_non_null_values", "proportion_of_unique_values"),
            )
        },
        **{f"expect_column_values_to_{rule}": "column! mostly" for rule in ("not_be_null", "be_null", "be_unique")},
        **{f"expect_column_values_to_be_{way}": "column! mostly strictly" for way in ("increasing", "decreasing")},
        **{f"expect_column_values_to_{rule}": "column! mostly value_set!" for rule in ("be_in_set", "not_be_in_set")},
        **{
            f"expect_column_distinct_values_to_{rule}": "column! value_set!"
            for rule in ("be_in_set", "contain_set", "equal_set")
        },
        "expect_column_values_to_be_between": f"column! mostly {_RANGE}",
        "expect_column_value_lengths_to_be_between": f"column! mostly {_RANGE}",
        "expect_column_values_to_match_regex": "column! mostly regex",
        "expect_column_values_to_not_match_regex": "column! mostly regex!",
        "expect_column_pair_values_a_to_be_greater_than_b": "column_A! column_B! mostly or_equal ignore_row_if",
        "expect_column_pair_values_to_be_equal": "column_A! column_B! mostly ignore_row_if",
        "expect_compound_columns_to_be_unique": "column_list! mostly ignore_row_if",
    }
)
"""The types that a rule may have, and the arguments of each; `!` marks one that it needs.

Written down, because asking Great Expectations costs seconds at every start. A test compares them.
"""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One rule on one table.

    Raises:
        PipelineError: the name holds more than letters, digits and underscores, or the severity is unknown.
    """

    name: str
    """Unique within its table; letters, digits and underscores."""
    type: str
    """A type of Great Expectations in snake case, or `failing_rows`."""
    kwargs: Mapping[str, Any]
    """Arguments of the type. A column written `a - b` means the difference of two columns: days between dates."""
    severity: Severity = "critical"
    """`critical` refuses the data, `warning` and `info` only tell."""
    reason: str = ""
    """Why the rule holds, and why its threshold is where it is."""
    holds_on_none: bool = False
    """Whether the table may have no row at all: then no rule on its rows is broken, and a query still counts."""

    def __post_init__(self) -> None:
        """Refuse a name that could not be a key of metadata or of `meta.validations`."""
        if re.fullmatch(r"[A-Za-z0-9_]+", self.name, re.ASCII) is None:
            raise PipelineError(
                f"rule {self.name!r}", "not a name for a rule", "use letters, digits and underscores only"
            )
        if self.severity not in ("critical", "warning", "info"):
            raise PipelineError(
                f"rule {self.name}", f"unknown severity {self.severity!r}", "write critical, warning or info"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule looks at, in order; none for a rule on the whole table."""
        listed = () if self.type.startswith("expect_table_") else self.kwargs.get("column_list", ())
        named = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return tuple(dict.fromkeys(part for column in [*named, *listed] for part in parts(str(column))))


NULL_AMONG, NOT_FINITE_AMONG = "NULL among ", "not finite among "
"""How a column is written that names the first of some columns which is NULL, or no finite number, in each row.

One rule on it stands for a rule on each of them: a table has dozens of columns, and each rule has a row in
`meta.validations`.
"""


def parts(column: str) -> tuple[str, ...]:
    """Return the columns that a column is made of: itself, both sides of `a - b`, or those listed after `among`."""
    for among in (NULL_AMONG, NOT_FINITE_AMONG):
        if column.startswith(among):
            return tuple(column.removeprefix(among).split(", "))
    return tuple(column.split(" - "))


AT_LEAST_ONE_ROW = Expectation(
    "at_least_one_row",
    "expect_table_row_count_to_be_between",
    MappingProxyType({"min_value": 1}),
    reason="Without rows every other rule would hold.",
)
"""The rule that comes first in every table."""
