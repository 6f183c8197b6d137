"""Frames as Great Expectations reads them: pandas, in which every value can be compared and hashed, exactly.

The rules and their outcomes are decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from fw_pipeline.quality.rules import NOT_FINITE_AMONG, NULL_AMONG, Expectation, parts

if TYPE_CHECKING:
    import pandas as pd


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
