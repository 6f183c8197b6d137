"""Rows of every raw table, generated from the contract: a column that is added there is covered here.

Names come from the catalogue where the product knows names, and from anywhere where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from hypothesis import strategies as st

from fw_pipeline.contract import PROVENANCE, WHOLE_SITE, Table
from fw_pipeline.sources import SOURCES

MONTHS = [date(year, month, 1) for year in (2021, 2022) for month in range(1, 13)]
LATER = [date(2023, 3, 5), date(2023, 7, 4)]
"""Days on which an origin may have taken a figure: none before its month."""

OBSERVED = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)

ANY_NAME = st.sampled_from(
    ["a", "it's", 'say "so"', "; drop table raw.pypi; --", "🙂", "a\nb", "\u202eb", "x" * 300, "%_"]
)


def _names(source: str, column: str) -> st.SearchStrategy[str]:
    known = SOURCES[source].table.known.get(column)
    if known is None:
        return ANY_NAME
    common = [
        it
        for it in ("*", "tensorflow", "pytorch", "torch", "lua-torch", "keras", "jax", "tf", "safetensors")
        if it in known
    ]
    return st.sampled_from(common) | st.sampled_from(sorted(known)) if common else st.sampled_from(sorted(known))


def cell(source: str, table: Table, column: str, kind: pl.DataType | type[pl.DataType]) -> st.SearchStrategy[Any]:
    """Return what may stand in one column."""
    if column == "month":
        return st.sampled_from(MONTHS)
    if kind == pl.List(pl.String):
        lists = st.lists(_names(source, column).filter(lambda name: name != WHOLE_SITE), max_size=3, unique=True)
        strategy: st.SearchStrategy[Any] = lists.map(sorted)
    elif kind == pl.String:
        strategy = _names(source, column)
    elif kind == pl.Boolean:
        strategy = st.booleans()
    elif kind == pl.Date:
        strategy = st.sampled_from(MONTHS if column == "window_start" else LATER)
    elif kind == pl.Int32:
        strategy = st.integers(1, 28)
    else:
        assert kind == pl.Int64, f"no rule for {column} {kind}: write one"
        strategy = st.integers(0, 2000)
    nullable = column in {*table.nullable, "observed_on", *table.measures} and column not in table.required
    return st.none() | strategy if nullable else strategy


def rows(source: str, *, most: int = 60) -> st.SearchStrategy[pl.DataFrame]:
    """Return tables of one source, each key once, with their provenance."""
    table = SOURCES[source].table
    line = st.fixed_dictionaries({name: cell(source, table, name, kind) for name, kind in table.schema.items()})

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(tuple(it) if isinstance(it := row[name], list) else it for name in table.key)

    return st.lists(line, min_size=1, max_size=most, unique_by=key).map(lambda made: framed(source, made))


def framed(source: str, made: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows as the raw table holds them."""
    return pl.DataFrame(made, schema=SOURCES[source].table.schema).with_columns(
        pl.lit("generated").alias("provider"),
        pl.lit(OBSERVED).cast(PROVENANCE["observed_at"]).alias("observed_at"),
        pl.lit("evidence/x").alias("evidence"),
        pl.lit("run").alias("run_id"),
    )
