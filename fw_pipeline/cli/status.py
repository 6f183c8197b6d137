"""How far each source has come: its months, what is missing and what would supply it; and the settings in effect."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl

from fw_pipeline.ingestion.providers import freshness
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import query


def coverage(published: Path) -> pl.DataFrame:
    """Return what each source has: a row for each month.

    Raises:
        PipelineError: nothing is published yet.
    """
    return query(published, "select * from meta.coverage order by source, month")


def stretches(published: Path) -> pl.DataFrame:
    """Return what each source has: a row for each stretch of months with the same state.

    Raises:
        PipelineError: nothing is published yet.
    """
    return query(
        published,
        """
        with marked as (
            select *, status || coalesce(reason, '') is distinct from
                lag(status || coalesce(reason, '')) over (partition by source order by month) as begins
            from meta.coverage
        ),
        stretches as (
            select *, count(*) filter (where begins) over (partition by source order by month) as stretch from marked
        )
        select source, strftime(min(month), '%Y-%m') as first, strftime(max(month), '%Y-%m') as last,
            count(*) as months, any_value(status) as status,
            any_value(array_to_string(providers, ', ')) as providers, any_value(reason) as reason,
            any_value(remedy) as remedy
        from stretches group by source, stretch order by source, first
        """,
    )


def footnoted(found: pl.DataFrame, *columns: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a table that fits on a screen, and the sentences of its wide columns, which `notes` names by number."""
    numbers: dict[str, int] = {}
    cells = [[cell for cell in row if cell] for row in found.select(columns).rows()]
    notes = [" ".join(str(numbers.setdefault(cell, len(numbers) + 1)) for cell in row) for row in cells]
    return found.drop(columns).with_columns(pl.Series("notes", notes, pl.String)), tuple(numbers)


def in_effect(settings: Settings) -> pl.DataFrame:
    """Return the settings in effect and where each is set: one row per setting, without secrets."""
    return pl.DataFrame(settings.shown, schema=["setting", "value", "set_in"], orient="row")


def sources(settings: Settings, *, now: datetime) -> pl.DataFrame:
    """Return what each source has on disk, how far it has come, and what comes next: one row per source."""
    found = [freshness(source, settings, now=now) for source in SOURCES.values()]
    store = VintageStore(settings.data_dir)
    return pl.DataFrame(
        {
            "source": [one.source for one in found],
            "provider": [one.provider for one in found],
            "months": [len({it.month for it in store.vintages(one.source)} - {None}) for one in found],
            "last_month": [one.last_month and f"{one.last_month:%Y-%m}" for one in found],
            "months_behind": [one.months_behind for one in found],
            "stale": [one.is_stale for one in found],
            "what_next": [one.what for one in found],
        },
        schema_overrides={"last_month": pl.String, "months_behind": pl.Int64},
    )


def on_a_screen(found: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the row of each source as it fits on a screen, and the sentences that its notes number."""
    short, notes = footnoted(found, "what_next")
    names = {"last_month": "last month", "months_behind": "behind", "notes": "next"}
    stale = pl.when("stale").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("stale")
    return short.with_columns(stale).rename(names), notes
