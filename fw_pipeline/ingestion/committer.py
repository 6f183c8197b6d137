"""From the answers of a provider to vintages: months are judged together and as a whole, then rejected or written.

Nothing here asks a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from fw_pipeline import quality
from fw_pipeline.contract import ANSWERS_BEHIND, Batch, FetchContext, Table
from fw_pipeline.errors import MonthRejected, PipelineError
from fw_pipeline.ingestion.providers import ProviderSelection, is_due
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore, Statement, VintageStore

LISTED_REFS = 8
"""A row names up to so many evidence files; more are listed in a file of their own, which it names instead."""

Status = Literal["present", "unchanged", "here already", "gap", "refused", "failed", "out of reach"]

SHRUNK_TO = 0.5
"""A month is refused when its figures fall below this share of its last vintage by the same provider.

Deleted questions take up to a third of a month away; losing half means that something else went wrong.
"""

NOTICEABLE = 20
"""Figures below this may halve by chance."""


@dataclass(frozen=True, slots=True)
class MonthOutcome:
    """What came of one month of one source; `month` None stands for the unpartitioned figures."""

    month: date | None
    status: Status
    rows: int = 0
    cause: str | None = None
    path: Path | None = None
    evidence: tuple[str, ...] = ()


@dataclass(slots=True)
class Ingested:
    """What came of one fetch: an outcome a month, and every failure as a line to show."""

    provider: str
    outcomes: list[MonthOutcome] = field(default_factory=list)
    failures: list[PipelineError] = field(default_factory=list)

    def months(self, *statuses: Status) -> list[date]:
        """Return the months with one of some statuses."""
        return [outcome.month for outcome in self.outcomes if outcome.status in statuses and outcome.month]


class Committer:
    """Commits the months of one fetch, and notes what came of each; used under the lock of its source."""

    def __init__(
        self,
        chosen: ProviderSelection,
        fetch: FetchContext,
        evidence: EvidenceStore,
        store: VintageStore,
        *,
        run_id: str,
        force: bool,
        done: Callable[[MonthOutcome], None],
    ) -> None:
        """Begin without any outcome; `force` accepts figures that fell by more than half."""
        self._source, self._provider = chosen.source, chosen.provider
        self._fetch, self._evidence, self._store = fetch, evidence, store
        self._run_id, self._force, self._done = run_id, force, done
        self.result = Ingested(chosen.provider.name)

    def commit(self, batches: Sequence[Batch]) -> None:
        """Validate some months together, then write a vintage for each that is fit.

        Raises:
            StorageError: the disk is full or read-only.
            LockLost: somebody else may be fetching the source now; nothing was written.
        """
        table = self._source.table
        filled = [batch for batch in batches if batch.rows.height]
        causes: Mapping[date | None, str] = {}
        if filled:
            frame = pl.concat([batch.rows.select(table.schema.names()) for batch in filled])
            outcomes = quality.validate(frame, quality.for_raw(table))
            causes = quality.rejected_months(frame, outcomes)
        self._fetch.permitted()
        fit = [(batch, self._named(batch)) for batch in batches if self._is_fit(batch, causes.get(batch.month))]
        self._evidence.flush()  # once for all, before a vintage names any of it
        for batch, refs in fit:
            self._write(batch, refs)

    def _is_fit(self, batch: Batch, cause: str | None) -> bool:
        """Say whether a month is to be written; note what came of it otherwise.

        Args:
            batch: the month.
            cause: the rule that its rows break, if any.
        """
        last = None if self._force else self._last(batch)
        kept = last is not None and covers_less(batch, last)
        cause = cause or unfit(batch, self._fetch.window)
        if cause is None and last is not None and not kept:
            cause = shrunk(batch, last, self._source.table)
        if cause is not None:
            remedy = "see the evidence file; run again when the provider is mended"
            self.reject(MonthRejected(self._source.name, cause, remedy, month=batch.month), batch.evidence)
        elif batch.gap is not None and batch.month is not None:
            self._state(batch.month, "gap", batch.gap, "")
            self.note(MonthOutcome(batch.month, "gap", cause=batch.gap, evidence=batch.evidence))
        elif kept:
            self._fetch.log(f"{self._source.name} {batch.month:%Y-%m}: fewer days than the vintage here, which stays")
            self.note(MonthOutcome(batch.month, "unchanged", batch.rows.height, evidence=batch.evidence))
        else:
            return True
        return False

    def reject(self, rejection: MonthRejected, evidence: tuple[str, ...]) -> None:
        """Note that a month is rejected; the answers behind it are asked for again next time."""
        for ref in evidence:
            self._evidence.reject(ref, rejection.cause)
        self.result.failures.append(rejection)
        month = rejection.month if isinstance(rejection.month, date) else None
        if month is not None:
            self._state(month, "refused", rejection.cause, rejection.remedy)
        self.note(MonthOutcome(month, "refused", cause=rejection.cause, evidence=evidence))

    def note(self, outcome: MonthOutcome) -> None:
        """Note what came of a month, and tell it."""
        self.result.outcomes.append(outcome)
        self._done(outcome)

    def _named(self, batch: Batch) -> tuple[str, ...]:
        """Return the evidence that the rows of a month name: its files, or a list of them where they are many."""
        if len(batch.evidence) <= LISTED_REFS:
            return batch.evidence
        name = f"evidence-of-{batch.month:%Y-%m}.txt" if batch.month else "evidence.txt"
        return (self._evidence.keep(f"{ANSWERS_BEHIND}{name}", "\n".join(batch.evidence).encode(), name=name).ref,)

    def _last(self, batch: Batch) -> pl.DataFrame | None:
        """Return the rows of the vintage that a month already has from this provider."""
        if batch.month is None or batch.gap is not None:
            return None
        return self._store.last(self._source.name, batch.month, self._provider.name)

    def _write(self, batch: Batch, refs: tuple[str, ...]) -> None:
        vintage = self._store.add(
            self._source.name,
            batch.month,
            batch.rows,
            provider=self._provider.name,
            observed_at=self._evidence.observed_at(batch.evidence),
            evidence=refs,
            run_id=self._run_id,
            detail=batch.detail,
            detail_name=self._provider.detail.name if self._provider.detail else None,
        )
        for note in batch.notes:
            self._fetch.log(f"{self._source.name} {batch.month or ''}: {note}")
        status: Status = "unchanged" if vintage is None else "present"
        if batch.month is not None:
            said = self._store.statements(self._source.name, batch.month)
            if said and said[-1].provider == self._provider.name and said[-1].status != "answered":
                self._state(batch.month, "answered", "a later fetch gave the figures", "")
            elif vintage is None and self._fetch.now >= is_due(self._source, batch.month):
                here = self._store.current(self._source.name, batch.month, self._provider.name)
                if here is not None and here.observed_at < is_due(self._source, batch.month):
                    self._state(batch.month, "answered", "once it was due, the figures were the same", "")
        self.note(
            MonthOutcome(
                batch.month, status, batch.rows.height, None, vintage.path if vintage else None, batch.evidence
            )
        )

    def _state(self, month: date, status: Literal["gap", "refused", "answered"], cause: str, remedy: str) -> None:
        self._store.state(
            Statement(self._source.name, month, self._provider.name, self._fetch.now, status, cause, remedy)
        )


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
