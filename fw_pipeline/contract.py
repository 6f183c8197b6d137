"""What a source is: its raw table, its providers, and what passes between them and the pipeline.

Nothing here speaks HTTP, touches a file, or knows Dagster or DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import polars as pl

from fw_pipeline.details import DetailTable
from fw_pipeline.errors import MonthRejected
from fw_pipeline.months import Window

WHOLE_SITE = "*"
"""The value of a key column that stands for everything: the whole site, every paper, every venue."""


@dataclass(frozen=True, slots=True)
class Table:
    """The raw table of one source: its key, its measures, and what each column means."""

    key: Mapping[str, pl.DataType | type[pl.DataType]]
    measures: Mapping[str, pl.DataType | type[pl.DataType]]
    description: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    """The measures that are never NULL in this table."""
    counted_again: bool = False
    """Whether somebody may have counted the same thing on several days, each of which keeps its row."""

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns of which no two rows may agree."""
        return (*self.key, "observed_on") if self.counted_again else tuple(self.key)

    @property
    def schema(self) -> pl.Schema:
        """The columns that a provider yields, in order."""
        return pl.Schema({**self.key, **self.measures, **STATEMENT})


STATEMENT: Mapping[str, pl.DataType | type[pl.DataType]] = MappingProxyType(
    {"method": pl.String, "origin": pl.String, "observed_on": pl.Date}
)
"""What every row says of itself: how the figure was obtained, who published it, when they took it."""

PROVENANCE: Mapping[str, pl.DataType | type[pl.DataType]] = MappingProxyType(
    {"provider": pl.String, "observed_at": pl.Datetime("us", "UTC"), "evidence": pl.String, "run_id": pl.String}
)
"""What the pipeline adds to every row: who answered, when, the evidence file, the run."""

SHARED_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "month": "First day of the UTC month that the figure is for.",
        "method": "How the figure was obtained: counted, read from a published curve, interpolated, aggregated.",
        "origin": "Who published the figure.",
        "observed_on": "Day on which the origin took the figure; NULL where it does not say.",
        "provider": "The provider that answered: `recorded`, or one of the live ones.",
        "observed_at": "When this pipeline read the figure (UTC).",
        "evidence": "File below the data folder that holds the answer verbatim.",
        "run_id": "The Dagster run that wrote the vintage.",
    }
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {
        "stackoverflow": Table(
            key={"month": pl.Date, "tagged": pl.String},
            measures={"questions": pl.Int64},
            required=("questions",),
            description="Questions asked on Stack Overflow in a month, by tag.",
            columns={
                "tagged": "The tag; `a;b` means both tags; `*` the whole site.",
                "questions": "Questions created in the month, as counted at the time of observation.",
            },
        ),
        "huggingface": Table(
            key={"month": pl.Date, "population": pl.String, "library": pl.String, "formats": pl.List(pl.String)},
            measures={"models": pl.Int64, "downloads_30d": pl.Int64, "likes": pl.Int64},
            required=("models",),
            counted_again=True,
            description="Models on the Hugging Face Hub by month of creation, library and set of format tags.",
            columns={
                "population": "Which models were looked at: `hub` (all), or the named sample.",
                "library": "The library named by the model card; NULL where none is.",
                "formats": "Sorted set of framework and format tags; empty = none; NULL = not known.",
                "models": "Models.",
                "downloads_30d": "Downloads of these models in the 30 days before observation.",
                "likes": "Likes of these models at observation.",
            },
        ),
        "papers": Table(
            key={
                "month": pl.Date,
                "population": pl.String,
                "venue": pl.String,
                "frameworks": pl.List(pl.String),
                "official": pl.Boolean,
            },
            measures={"papers": pl.Int64, "repositories": pl.Int64},
            required=("papers",),
            description="Papers by month and by the set of frameworks that they or their repositories use.",
            columns={
                "population": "Which papers were looked at: `papers with code`, `nine venues`, `arxiv abstracts`, ...",
                "venue": "The conference, where the population is split by it; `*` otherwise.",
                "frameworks": "Sorted set of frameworks; empty = none named; `*` alone = every paper.",
                "official": "Whether the repository is the authors' own; NULL where it does not apply.",
                "papers": "Distinct papers.",
                "repositories": "Repositories; NULL where the population has none.",
            },
        ),
        "pypi": Table(
            key={"month": pl.Date, "package": pl.String, "installers": pl.String, "origin": pl.String},
            measures={"downloads": pl.Int64, "window_start": pl.Date, "days_covered": pl.Int32},
            required=("downloads", "window_start", "days_covered"),
            description="Downloads of a package from the Python Package Index in a month or a window of days.",
            columns={
                "package": "Normalised name of the package.",
                "installers": "Whose downloads: `all`, `pip`, or `without mirrors`.",
                "downloads": "Downloads over `days_covered` days from `window_start`.",
                "window_start": "First day that the figure covers.",
                "days_covered": "Days that the figure covers; fewer than the month has = a partial month.",
            },
        ),
    }
)
"""The raw tables, by source. Column names, types and meanings are the contract with every reader."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a provider answered for one month."""

    month: date | None
    """First day of the month; None for figures that belong to no month partition."""
    rows: pl.DataFrame
    """Columns as `Table.schema`. Empty only where `gap` says why."""
    evidence: tuple[str, ...]
    """Evidence files that the rows were read from, relative to the data folder."""
    detail: pl.DataFrame | None = None
    """The row-level listing behind the counts, where there is one; its columns are those of the provider's `detail`."""
    gap: str | None = None
    """Why the source has no figure for this month: a known hole, not a failure, and never a zero."""
    notes: tuple[str, ...] = ()
    """What a reader should know, for example strange fields that were kept."""


@dataclass(frozen=True, slots=True)
class Availability:
    """The months that a provider can answer, and why it cannot answer the others."""

    window: Window
    before: str
    """Why nothing earlier can be had."""
    after: str
    """Why nothing later can be had."""

    def why_not(self, month: date) -> str | None:
        """Return why `month` is out of reach, or None when it is within."""
        if month < self.window.start:
            return self.before
        return self.after if month >= self.window.end else None


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a fetch will cost, said before the first request."""

    requests: int | None
    """Requests that will be made; None where it depends on what is found."""
    text: str
    """The cost in a reader's words, the quota that is left included."""


HEADERS_OF, ANSWERS_BEHIND = "headers of ", "the answers behind "
"""How the requests begin under which a keeper is given what is no answer, but belongs to one."""


class Evidence(Protocol):
    """A kept answer: where it lies, and its bytes."""

    @property
    def ref(self) -> str:
        """Path below the data folder."""

    @property
    def path(self) -> Path:
        """Where the file lies."""

    def read(self) -> bytes:
        """Return the body as the provider sent it."""


class EvidenceWriter(Protocol):
    """Keeps answers verbatim before anything is parsed, and finds those of an earlier, unfinished try."""

    def find(self, request: str) -> Evidence | None:
        """Return the answer that an unfinished earlier try kept for this request, if any."""

    def find_earlier(self, *requests: str) -> tuple[Evidence, ...]:
        """Return the answers that the last fetch before this one kept for all of some requests, or none."""

    def keep_again(self, request: str, kept: Evidence) -> None:
        """Note that an answer of an earlier fetch is the answer of this one too: nothing has changed since."""

    def observed_at(self, refs: Iterable[str]) -> datetime:
        """Return when the last of some kept answers was given, by our clock."""

    def keep(self, request: str, body: bytes | Iterator[bytes], *, name: str) -> Evidence:
        """Write an answer once, under its content hash, and remember which request it answers."""

    def keep_file(self, request: str, path: Path) -> Evidence:
        """Keep a local file that the user named, by reference to its content hash, without copying a large one."""

    def reject(self, ref: str, cause: str) -> None:
        """Say that a kept answer is unfit: it stays as evidence, and is asked for again next time."""


@dataclass(frozen=True, slots=True)
class FetchContext:
    """Everything that a provider is given to answer one request for a window."""

    window: Window
    now: datetime
    """The present (UTC), given: a source has no clock of its own."""
    keeper: EvidenceWriter
    scan: Callable[[str, Mapping[str, Any]], pl.DataFrame]
    """Runs one SQL query over files in an in-memory DuckDB, column-wise, in bounded memory."""
    log: Callable[[str], None]
    """Says what is being done, for the run's log."""
    waits: Callable[[str], None] = lambda _: None
    """Says what is waited for and until when, before a wait that takes long."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Where and how to ask: `url`, `path`, `contact`; what the settings say of this provider."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Keys and tokens, by their setting's name. Never logged, never kept."""
    recorded: Path | None = None
    """Folder of the recorded figures."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to fill a source's raw table: a function from a window to rows."""

    name: str
    source: str
    reach: Callable[[FetchContext], Availability]
    fetch: Callable[[FetchContext], Iterator[Batch | MonthRejected]]
    """Yields a batch or a refusal a month; raises SourceError when it cannot go on."""
    plan: Callable[[FetchContext], CostEstimate]
    answers: str
    """What it can answer, for the documentation."""
    cost: str
    """What it costs in requests, for the documentation."""
    needs: str
    """Keys or files that it needs, for the documentation."""
    cannot_see: str
    """What it cannot see, for the documentation."""
    options: tuple[str, ...] = ()
    """Settings that it reads, by name."""
    detail: DetailTable | None = None
    """The row-level table that it fills, in schema `detail`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of the places where figures come from: its table, its providers, how often it changes."""

    name: str
    title: str
    url: str
    licence: str
    table: Table
    providers: Mapping[str, Provider]
    live: str
    """The provider used in live mode unless the settings name another; several, joined by `+`, share the months."""
    due_days: int = 5
    """Days after the end of a month by which its figures should be here: the schedule asks on the third."""
