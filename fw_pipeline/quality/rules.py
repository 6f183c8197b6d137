"""What a rule is, and the frame that it is checked on: pandas, as Great Expectations reads it.

A rule has a name, a type of Great Expectations, arguments, and the reason why it holds. In the frame every value can be
compared and hashed, exactly. How rules are run, and what comes of it, is in `runner`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

import polars as pl

from fw_pipeline.errors import PipelineError

if TYPE_CHECKING:
    import pandas as pd

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


ON_THE_ORDER = tuple(f"expect_column_values_to_be_{way}" for way in ("increasing", "decreasing"))
"""The types of rules on the order of the rows."""


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


def comparable(value: Any) -> Any:
    """Turn an argument into what the converted frame holds: dates are moments there, lists are texts."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - compared with dates, which have no zone
    return [comparable(item) for item in value] if isinstance(value, list | tuple) else value


def to_pandas(frame: pl.DataFrame, rules: Iterable[Expectation]) -> pd.DataFrame:
    """Convert a frame so that integers stay exact beside NULL, and every value can be compared and hashed."""
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    columns = [_flat(pl.col(name), kind).alias(name) for name, kind in frame.schema.items()]
    named = dict.fromkeys(str(rule.kwargs.get("column")) for rule in rules)
    columns += [
        derived(frame, name) for name in named if name not in frame.columns and {*parts(name)} <= {*frame.columns}
    ]
    exact = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    return frame.select(columns).to_pandas(types_mapper=exact.get)


def derived(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return the column that a name like `a - b`, `NULL among a, b` or `not finite among a, b` stands for."""
    if name.startswith((NULL_AMONG, NOT_FINITE_AMONG)):
        null = name.startswith(NULL_AMONG)
        wrong = {c: pl.col(c).is_null() if null else ~pl.col(c).is_finite() for c in parts(name)}
        return pl.coalesce(*(pl.when(found).then(pl.lit(column)) for column, found in wrong.items())).alias(name)
    left, right = parts(name)
    difference = pl.col(left) - pl.col(right)
    return (difference.dt.total_days() if frame.schema[left].is_temporal() else difference).alias(name)


def _flat(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """Turn a column into moments, exact integers, numbers, truths or texts."""
    zoned = isinstance(kind, pl.Datetime) and kind.time_zone is not None
    flat = column.cast(pl.String) if kind != pl.Boolean else column
    if isinstance(kind, pl.List):
        texts = column.list.eval(_flat(pl.element(), cast("pl.DataType", kind.inner)).cast(pl.String).fill_null("NULL"))
        joined = texts.list.join(";")
        flat = pl.when(column.list.len() == 0).then(pl.lit("[]")).otherwise(joined)
    elif kind == pl.Date or isinstance(kind, pl.Datetime):
        here = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else column
        flat = here.cast(pl.Datetime("us"))
    elif kind.is_float():
        flat = column.fill_nan(float("inf"))  # pandas takes NaN for NULL, and every rule on values lets NULL pass
    elif isinstance(kind, pl.Decimal) and kind.scale:
        flat = column.cast(pl.Float64)
    elif kind.is_integer() or isinstance(kind, pl.Decimal | pl.Duration):
        flat = column.cast(pl.Int64)
    elif isinstance(kind, pl.Struct):
        flat = pl.when(column.is_not_null()).then(column.struct.json_encode())
    elif kind == pl.Binary:
        flat = column.bin.encode("hex")
    return flat
