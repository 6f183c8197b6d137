"""Questions that the command line answers: the verdicts and the coverage, and how far each source has come."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import polars as pl

from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.freshness import freshness
from fw_pipeline.raw import VintageStore
from fw_pipeline.report.claim_standing import standing
from fw_pipeline.report.formatting import VERDICTS
from fw_pipeline.settings import Settings
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import observed_later, query, replayed


@contextlib.contextmanager
def known_then(published: Path, as_of: date | None) -> Iterator[Path]:
    """Give the file to answer from: the published one, or one built anew from what had been observed as of a month.

    It is built anew only where a month has figures that were observed by then and others that were observed later.

    Raises:
        PipelineError: nothing is published yet, the month is none that has verdicts, or a table cannot be built.
    """
    if as_of is not None:
        _refuse_outside(published, as_of)
    if as_of is None or not observed_later(published, as_of):
        yield published
        return
    from fw_pipeline.definitions import load_models
    from fw_pipeline.transform.claims import build_steps

    with replayed(published, build_steps(load_models()), as_of) as file:
        yield file


def verdicts(published: Path, *, as_of: date | None = None) -> pl.DataFrame:
    """Return the verdict on every claim as of a month: its row of `marts.headline_verdicts`.

    Raises:
        PipelineError: nothing is published yet.
    """
    until = f"date '{as_of.isoformat()}'" if as_of else "date '9999-01-01'"
    return query(
        published,
        f"""
        from marts.headline_verdicts
        where as_of <= {until}
        qualify row_number() over (partition by claim order by as_of desc) = 1
        order by cast(claim[2:] as integer)
        """,
    )


def _refuse_outside(published: Path, as_of: date) -> None:
    first, last = query(published, "select min(as_of), max(as_of) from marts.headline_verdicts").row(0)
    if first is not None and not first <= as_of <= last:
        months = f"choose a month from {first:%Y-%m} to {last:%Y-%m}, or leave --as-of out"
        raise PipelineError("claim", "no verdict is given as of this month", months, month=as_of)


def in_short(published: Path, found: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts as they fit on a screen of 80 columns, in plain words, with what decided each.

    Raises:
        PipelineError: nothing is published yet.
    """
    halves = query(
        published,
        "select claim from meta.definitions where headline group by claim having count(due) between 1 and count(*) - 1",
    )
    both = frozenset(halves["claim"])
    stood = [standing(row, has_both=row["claim"] in both) for row in found.iter_rows(named=True)]
    return found.select(
        "claim",
        "title",
        pl.Series("verdict", [VERDICTS[one.verdict] for one in stood], pl.String),
        pl.col("measured").dt.strftime("%Y-%m").alias("figures of"),
        pl.Series("why", [one.in_a_word for one in stood], pl.String),
    )


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
