"""The small tables of schema `meta` that do not come from a fetch: the catalogue, the calendar, the claims, the reach.

`dbt_like_sql/seeds/<name>.yml` says what `meta.<name>` means, column by column, and where its rows come from: from
`<name>.csv` beside it, from the recorded figures, or from the functions here. None reads another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from fw_pipeline.catalog.seed_csv import Row, Rule, read_csv
from fw_pipeline.contract import Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import ProviderSelection, asking
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.paths import SEEDS_DIR
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import claims
from fw_pipeline.transform.project import Model
from fw_pipeline.transform.seed_document import KINDS, SeedDocument
from fw_pipeline.transform.yaml_document import read
from fw_pipeline.warehouse import Built, Writer


class Parts(Protocol):
    """The parts of a pipeline that small tables are made of."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """The registry of sources."""

    @property
    def models(self) -> tuple[Model, ...]:
        """The SQL models."""

    @property
    def settings(self) -> Settings:
        """The settings of this run."""

    @property
    def vintages(self) -> VintageStore:
        """The raw vintages."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Tells the time (UTC)."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A small table: its name in `meta`, and what its document says."""

    name: str
    document: SeedDocument

    @property
    def description(self) -> str:
        """What the table is."""
        return self.document.description

    @property
    def columns(self) -> Mapping[str, tuple[pl.DataType, str]]:
        """Type and meaning of each column."""
        return {name: (KINDS[column.type], column.description) for name, column in self.document.columns.items()}

    @property
    def words(self) -> dict[str, str]:
        """What each column means."""
        return {name: words for name, (_, words) in self.columns.items()}

    @property
    def may_be_empty(self) -> bool:
        """Whether no row at all is an answer."""
        return self.document.may_be_empty is not None

    @property
    def after_fetch(self) -> bool:
        """Whether a fetch changes it."""
        return self.name in _AFTER_FETCH

    def frame(self, parts: Parts) -> pl.DataFrame:
        """Return the rows with the declared types.

        Raises:
            PipelineError: a file cannot be read, or a line of it is wrong.
        """
        schema = {name: kind for name, (kind, _) in self.columns.items()}
        return pl.DataFrame([dict(row) for row in self._rows(parts)], schema=schema, orient="row")

    def make(self, writer: Writer, parts: Parts) -> Built:
        """Make the table anew."""
        return writer.seed(f"meta.{self.name}", self.frame(parts), description=self.description, columns=self.words)

    def _rows(self, parts: Parts) -> Iterable[Mapping[str, Any]]:
        if self.document.rows_from == "pipeline":
            return _OF_THE_PIPELINE[self.name](parts)
        folder = parts.settings.recorded_dir if self.document.rows_from == "recorded" else parts.settings.seeds_dir
        columns = {
            name: column.model_copy(update={"values": tuple(SOURCES)}) if column.values == "sources" else column
            for name, column in self.document.columns.items()
        }
        path = folder / f"{self.name}.csv"
        unique = (self.document.grain, *self.document.unique)
        rows = read_csv(path, columns, unique=unique, rule=_RULES.get(self.name, lambda _: None))
        if self.name == "composite_weights" and (nothing := _without_weight(rows)):
            raise PipelineError(path.name, nothing, "give one of its sources a weight above zero")
        return rows


@cache
def seeds(folder: Path = SEEDS_DIR) -> tuple[Seed, ...]:
    """Return the small tables, as their documents were when this process first read them.

    Raises:
        PipelineError: a document is wrong; the line says which and how to mend it.
    """
    found = [Seed(path.stem, read(f"seeds/{path.name}", path, SeedDocument)) for path in sorted(folder.glob("*.yml"))]
    for seed in found:
        if seed.document.rows_from == "pipeline" and seed.name not in _OF_THE_PIPELINE:
            remedy = f"put the rows into {seed.name}.csv beside it, and leave out rows_from"
            raise PipelineError(f"seeds/{seed.name}.yml", "the pipeline makes no such table", remedy)
    return tuple(found)


def _months(parts: Parts) -> list[Row]:
    return [{"month": month} for month in Window.of(FIRST_MONTH, last_closed_month(parts.clock())).months()]


def _reach(parts: Parts) -> list[Row]:
    """Say what each provider can answer, asked of the provider itself."""
    now = parts.clock()
    window = Window.of(FIRST_MONTH, last_closed_month(now))
    found = []
    for source in parts.sources.values():
        for provider in source.providers.values():
            chosen = ProviderSelection(source, provider, dict(parts.settings.addresses))
            reach = provider.reach(asking(chosen, window, parts.settings, now=now)[0])
            found.append(
                {
                    "source": source.name,
                    "provider": provider.name,
                    "first_month": reach.window.start,
                    "last_month": reach.window.months()[-1],
                    "before": reach.before,
                    "after": reach.after,
                    "needs": provider.needs,
                }
            )
    return found


def _statements(parts: Parts) -> list[Row]:
    """Return the last word of each provider on each month, unless it took it back."""
    said = [statement for source in parts.sources for statement in parts.vintages.statements(source)]
    last = {(statement.source, statement.month, statement.provider): statement for statement in said}
    columns = ("source", "month", "provider", "at", "status", "cause", "remedy")
    return [
        {name: getattr(statement, name) for name in columns}
        for statement in last.values()
        if statement.status != "answered"
    ]


def _fetched_months(parts: Parts) -> list[Row]:
    """Return the months that each provider has figures for, and when it last gave them."""
    last = {
        (source, vintage.month, provider): vintage.observed_at
        for source in parts.sources
        for vintage, provider in parts.vintages.by_provider(source)
        if vintage.month is not None and provider is not None
    }
    return [
        {"source": source, "month": month, "provider": provider, "observed_at": at}
        for (source, month, provider), at in last.items()
    ]


_OF_THE_PIPELINE: Mapping[str, Callable[[Parts], list[Row]]] = {
    "months": _months,
    "claims": lambda parts: claims.claim_rows(parts.models),
    "definitions": lambda parts: claims.definition_rows(parts.models),
    "claim_evidence": lambda parts: claims.evidence_rows(parts.models),
    "reach": _reach,
    "statements": _statements,
    "fetched_months": _fetched_months,
}
_AFTER_FETCH = frozenset({"statements", "fetched_months"})


def _first_of_month(column: str) -> Rule:
    return lambda row: (
        f"{column} {row[column]} is not the first day of a month" if row[column] and row[column].day != 1 else None
    )


def _outage(row: Row) -> str | None:
    if row["last_day"] < row["first_day"]:
        return f"last_day {row['last_day']} lies before first_day {row['first_day']}"
    if row["bias"] and row["kind"] != "break":
        return f"bias is {row['bias']!r}, but only a break has one, and this is {row['kind']!r}"
    return None


def _weight(row: Row) -> str | None:
    if row["weight"] < 0:
        return f"the weight {row['weight']} is below zero"
    if not 1 <= row["least_months"] <= row["window_months"]:
        return f"{row['least_months']} months of a window of {row['window_months']} cannot be asked for"
    return None


def _without_weight(rows: Iterable[Row]) -> str | None:
    whole: dict[str, float] = {}
    for row in rows:
        whole[row["composite"]] = whole.get(row["composite"], 0.0) + row["weight"]
    return None if whole and all(whole.values()) else "a composite has no weight at all"


_RULES: Mapping[str, Rule] = {
    "author_cohorts": _first_of_month("until"),
    "bounds": _first_of_month("month"),
    "composite_weights": _weight,
    "headline_series": lambda row: None if row["rank"] >= 1 else f"rank {row['rank']} is below 1",
    "outages": _outage,
    "question_listings": _first_of_month("month"),
}
"""What must hold of every row, beside the type, the grain and the values of each column."""
