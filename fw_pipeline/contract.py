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

from fw_pipeline.errors import MonthRejected
from fw_pipeline.locks import Pace, StillHeld, always
from fw_pipeline.months import Window

Kind = pl.DataType | type[pl.DataType]
"""The type of a column."""

WHOLE_SITE = "*"
"""The value of a key column that stands for everything: the whole site, every paper, every venue."""


@dataclass(frozen=True, slots=True)
class Table:
    """The raw table of one source: its key, its measures, and what each column means."""

    key: Mapping[str, Kind]
    measures: Mapping[str, Kind]
    description: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    """The measures that are never NULL in this table."""
    counted_again: bool = False
    """Whether somebody may have counted the same thing on several days, each of which keeps its row."""
    nullable: tuple[str, ...] = ()
    """The columns of the key that may be NULL, beside `month`."""
    largest: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """By measure, the largest figure that can be believed, and why."""
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By column of the key, the names that a recorded figure may carry; a column that is not here takes any."""
    schema: pl.Schema = field(init=False, repr=False)
    """The columns that a provider yields, in order."""

    def __post_init__(self) -> None:
        """Put the columns together, once."""
        object.__setattr__(self, "schema", pl.Schema({**self.key, **self.measures, **STATEMENT}))

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns of which no two rows may agree."""
        return (*self.key, "observed_on") if self.counted_again else tuple(self.key)


STATEMENT: Mapping[str, Kind] = MappingProxyType({"method": pl.String, "origin": pl.String, "observed_on": pl.Date})
"""What every row says of itself: how the figure was obtained, who published it, when they took it."""

PROVENANCE: Mapping[str, Kind] = MappingProxyType(
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


@dataclass(frozen=True, slots=True)
class DetailTable:
    """A row-level table of schema `detail`: what was listed, from which the counts of a raw table are made.

    Live providers fill it; with recorded figures it is there and empty, so that a model or a user may read it.
    """

    name: str
    description: str
    """What a row is."""
    columns: Mapping[str, tuple[Kind, str]]
    """Type and meaning of each column."""
    schema: pl.Schema = field(init=False, repr=False)
    """The columns that a provider lists, in order."""

    def __post_init__(self) -> None:
        """Put the columns together, once."""
        object.__setattr__(self, "schema", pl.Schema({name: kind for name, (kind, _) in self.columns.items()}))

    @property
    def words(self) -> dict[str, str]:
        """What each column means."""
        return {name: words for name, (_, words) in self.columns.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that a provider reads: the address of a service, or a secret."""

    name: str
    meaning: str
    default: str = ""
    """The address of the service itself; a secret has none."""
    is_secret: bool = False
    of_files: bool = False
    """Whether it is the address of files: may be several, or have a `*` in it where a repository is to be listed."""


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
"""How the requests begin under which the evidence is given what is no answer, but belongs to one."""


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
    evidence: EvidenceWriter
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
    permitted: StillHeld = always
    """Raises `LockLost` when the fetch may not go on; called before each request and each commit."""
    pace: Callable[[str], Pace | None] = lambda _: None
    """Gives the pace that machines share at a service; None where each machine keeps its own."""


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
    settings: tuple[Setting, ...] = ()
    """Addresses and secrets that it reads."""
    detail: DetailTable | None = None
    """The row-level table that it fills, in schema `detail`."""


@dataclass(frozen=True, slots=True)
class Series:
    """What people call a series that the tables keep under a short name."""

    title: str
    remark: str
    """What to know about it."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Who published figures, where, under which licence."""

    where: str
    licence: str
    what: str
    """What was taken from them."""


NO_LICENCE = "none stated; counts are facts"
"""The licence of who states none."""


@dataclass(frozen=True, slots=True)
class Source:
    """One of the places where figures come from: its table, its providers, and what people should know of it."""

    name: str
    title: str
    short_title: str
    """Its name as a sentence uses it."""
    url: str
    licence: str
    counts: str
    """What is counted, in a sentence."""
    cannot_see: str
    """What cannot be seen in it, in a sentence."""
    table: Table
    providers: Mapping[str, Provider]
    live: str
    """The provider used in live mode unless the settings name another; several, joined by `+`, share the months."""
    due_days: int = 5
    """Days after the end of a month by which its figures should be here: the schedule asks on the third."""
    series: Mapping[str, Series] = field(default_factory=dict)
    """Its series, by their names in the tables."""
    credits: Mapping[str, Credit] = field(default_factory=dict)
    """The origins of its recorded figures, by what their name begins with."""
