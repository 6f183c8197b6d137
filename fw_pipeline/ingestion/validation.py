"""Checks on a month as a whole, after its rows have passed the rules. No side effects."""

from __future__ import annotations

import polars as pl

from fw_pipeline.contract import Batch, Table
from fw_pipeline.months import Window

SHRUNK_TO = 0.5
"""A month is refused when its figures fall below this share of its last vintage by the same provider.

Deleted questions take up to a third of a month away; losing half means that something else went wrong.
"""

NOTICEABLE = 20
"""Figures below this may halve by chance."""


def unfit(batch: Batch, asked: Window) -> str | None:
    """Return why an answer is not one to the question that was asked, if so."""
    if batch.month is None:
        return None
    if batch.month not in asked:
        return "the provider answered a month that was not asked for"
    if not batch.rows.height:
        return None if batch.gap is not None else "the answer holds no figure"
    if batch.rows["month"].unique().to_list() != [batch.month]:
        return "the answer holds figures of another month"
    return None


def covers_less(batch: Batch, last: pl.DataFrame) -> bool:
    """Say whether the last vintage covers more days: what a service forgets is no news of the month."""
    if "days_covered" not in last.columns:
        return False
    return int(batch.rows["days_covered"].sum()) < int(last["days_covered"].sum())


def shrunk(batch: Batch, last: pl.DataFrame, table: Table) -> str | None:
    """Return what lost more than half of its figure since the last vintage, if anything."""
    key, measure = list(table.key)[1], table.required[0]
    before = last.group_by(key).agg(pl.col(measure).sum().alias("before"))
    here = batch.rows.group_by(key).agg(pl.col(measure).sum().alias("here"))
    compared = before.join(here, on=key, how="left").with_columns(pl.col("here").fill_null(0)).sort("before", key)
    lost = compared.filter((pl.col("before") >= NOTICEABLE) & (pl.col("here") < pl.col("before") * SHRUNK_TO))
    if not lost.height:
        return None
    worst = lost.row(-1, named=True)
    return (
        f"{measure} of {worst[key]} fell from {worst['before']:,} to {worst['here']:,} since the last vintage, "
        "which is kept (FW_FORCE=1 accepts the new figures)"
    )
