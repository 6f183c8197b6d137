"""A copy of the recorded figures that a test may spoil, and what the provider then answers."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from fw_pipeline.contract import Availability, Batch, FetchContext
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore
from fw_pipeline.sources import SOURCES

SHIPPED = Path(__file__).parents[2] / "data" / "recorded"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVERYTHING = Window.of(date(2015, 11, 1), date(2026, 10, 1))


@dataclass
class Answer:
    """What came of one fetch."""

    batches: list[Batch] = field(default_factory=list)
    refused: list[MonthRejected] = field(default_factory=list)
    failed: SourceError | None = None

    @property
    def months(self) -> dict[date | None, pl.DataFrame]:
        return {batch.month: batch.rows for batch in self.batches if batch.gap is None}

    @property
    def gaps(self) -> dict[date | None, str]:
        return {batch.month: batch.gap for batch in self.batches if batch.gap is not None}

    @property
    def rows(self) -> pl.DataFrame:
        return pl.concat(self.months.values())


@dataclass
class Bench:
    """A folder of recorded figures to spoil, and a place for the evidence."""

    folder: Path
    data: Path

    @classmethod
    def at(cls, place: Path) -> Bench:
        shutil.copytree(SHIPPED, place / "recorded")
        return cls(place / "recorded", place / "data")

    def fetch(self, source: str, window: Window = EVERYTHING, now: datetime = NOW) -> FetchContext:
        evidence_store = EvidenceStore(self.data, source, "recorded", run_id="r1", now=now)
        return FetchContext(
            window, now, evidence_store, lambda _, __: pl.DataFrame(), lambda _: None, recorded=self.folder
        )

    def ask(self, source: str, window: Window = EVERYTHING, now: datetime = NOW) -> Answer:
        answer = Answer()
        try:
            for said in SOURCES[source].providers["recorded"].fetch(self.fetch(source, window, now)):
                (answer.batches if isinstance(said, Batch) else answer.refused).append(said)  # type: ignore[arg-type]
        except SourceError as failed:
            answer.failed = failed
        return answer

    def reach(self, source: str) -> Availability:
        return SOURCES[source].providers["recorded"].reach(self.fetch(source))

    def edit(self, source: str, old: str, new: str) -> int:
        """Replace one line of a file, and return its number."""
        path = self.folder / f"{source}.csv"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        at = [number for number, line in enumerate(lines) if line.startswith(old)]
        assert len(at) == 1, f"{old!r} begins {len(at)} lines"
        lines[at[0]] = new
        path.write_text("".join(lines), encoding="utf-8")
        return at[0] + 1
