"""How figures come in: fetch, keep the evidence, validate, add a vintage. One way for all sources, free of Dagster.

Months are committed as they come, so that what was done before a failure stays done.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
from filelock import Timeout

from fw_pipeline import locks, quality
from fw_pipeline.atomic_files import StorageError, sweep
from fw_pipeline.contract import ANSWERS_BEHIND, Batch, FetchContext
from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.ingestion.providers import ProviderSelection, answered, asking, is_due, spill
from fw_pipeline.ingestion.validation import covers_less, shrunk, unfit
from fw_pipeline.locks import lock_held, silent
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore, Statement, Vintage, VintageStore
from fw_pipeline.settings import Settings

FLUSH_SECONDS = 5.0
"""How long answered months may wait for validation together: one validation costs the same for one or a hundred."""

LISTED_REFS = 8
"""A row names up to so many evidence files; more are listed in a file of their own, which it names instead."""

Status = Literal["present", "unchanged", "here already", "gap", "refused", "failed", "out of reach"]


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


def ingest(
    chosen: ProviderSelection,
    window: Window,
    settings: Settings,
    *,
    run_id: str,
    now: datetime,
    log: Callable[[str], None],
    done: Callable[[MonthOutcome], None],
    say: Callable[[str], None] = silent,
    waits: Callable[[str], None] = silent,
    again: bool = True,
    patience: float = 900.0,
) -> Ingested:
    """Fetch a window of months and add a vintage for each; call `done` with every outcome as it comes.

    `log` hears everything, `say` what a person should know before it starts: the cost, and what is resumed;
    `waits` hears what is waited for, and until when.
    Unless `again`, months that the provider has answered already are left out, where asking costs a request.

    Raises:
        PipelineError: nothing could be begun: another run is fetching the same source, or the data folder
            cannot be used.
    """
    name = chosen.source.name

    def told(seconds: float) -> None:
        why = "another run is fetching it"
        waits(locks.line(name, seconds, now=time.time(), why=why, at_most=True))

    lock = settings.data_dir / ".work" / f"fetch-{name}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock_held(lock, patience=patience, told=told):
            for room in ("raw", "evidence"):
                sweep(settings.data_dir / room / name)
            VintageStore(settings.data_dir).sweep_listings(name)
            shutil.rmtree(spill(settings, chosen.source), ignore_errors=True)  # by a killed run
            fetch, evidence_store = asking(chosen, window, settings, now=now, run_id=run_id, log=log, waits=waits)
            return _Ingest(chosen, settings, fetch, evidence_store, run_id=run_id, done=done, say=say).run(again=again)
    except Timeout:
        cause = f"another run has been fetching it for more than {patience:.0f} s"
        raise SourceError(name, cause, "wait for it, or stop it, and run again") from None
    except OSError as error:
        cause = f"cannot use {lock.parent}: {error.strerror or error}"
        raise StorageError("data folder", cause, "allow writing there, then run again; nothing was lost") from error


class _Ingest:
    """One fetch of one source, under its lock."""

    def __init__(
        self,
        chosen: ProviderSelection,
        settings: Settings,
        fetch: FetchContext,
        evidence_store: EvidenceStore,
        *,
        run_id: str,
        done: Callable[[MonthOutcome], None],
        say: Callable[[str], None],
    ) -> None:
        self._say = say
        self._source, self._provider = chosen.source, chosen.provider
        self._force, self._fetch, self._evidence, self._run_id, self._done = (
            settings.force,
            fetch,
            evidence_store,
            run_id,
            done,
        )
        self._store = VintageStore(settings.data_dir)
        self._result = Ingested(chosen.provider.name)

    def run(self, *, again: bool) -> Ingested:
        """Ask for what the provider can answer; leave an outcome for every month of the window."""
        asked, name = self._fetch.window, self._source.name
        reach = self._provider.reach(self._fetch)
        for month in asked.months():
            if (cause := reach.why_not(month)) is not None:
                self._note(MonthOutcome(month, "out of reach", cause=cause))
        start, end = max(asked.start, reach.window.start), min(asked.end, reach.window.end)
        windows = [Window(start, end)] if start < end else []
        if not again:
            windows = [left for window in windows for left in self._left_of(window)]
        if windows and self._evidence.resumed:
            answers = "1 answer is" if self._evidence.resumed == 1 else f"{self._evidence.resumed} answers are"
            self._say(f"{name}: resumes an unfinished fetch, {answers} here")
        for window in windows:
            fetch = replace(self._fetch, window=window)
            self._say(f"{name} {window} from {self._provider.name}: {self._provider.plan(fetch).text}")
            if not self._take_all(fetch):
                break
        for window in windows:
            self._note_the_unanswered(window)
        self._result.failures += self._store.unreadable
        if windows and not self._result.failures:
            self._evidence.finish()
        return self._result

    def _left_of(self, window: Window) -> list[Window]:
        """Return what is left to ask for of a window; nothing is left out where asking costs no request."""
        if self._provider.plan(replace(self._fetch, window=window)).requests == 0:
            return [window]
        left = []
        for month in window.months():
            match answered(self._source, self._provider, month, self._store):
                case Vintage() as here:
                    rows = self._store.read(self._source.name, here).height
                    self._note(MonthOutcome(month, "here already", rows, path=here.path))
                case Statement() as said:
                    self._note(MonthOutcome(month, "gap", cause=said.cause))
                case None:
                    left.append(month)
        if len(left) < (months := len(window.months())):
            known = f"{months - len(left)} of {months} months are answered already, and are asked for only with --again"
            self._say(f"{self._source.name} {window}: {known}")
        return Window.spans(left)

    def _note_the_unanswered(self, window: Window) -> None:
        answered = {outcome.month for outcome in self._result.outcomes}
        if unanswered := [month for month in window.months() if month not in answered]:
            if not self._result.failures:
                cause, remedy = "the provider gave no answer", "run again; if it stays so, choose another provider"
                stretch = Window.of(unanswered[0], unanswered[-1])
                self._result.failures.append(SourceError(self._source.name, cause, remedy, month=stretch))
            for month in unanswered:
                self._note(MonthOutcome(month, "failed", cause=str(self._result.failures[-1])))

    def _take_all(self, fetch: FetchContext) -> bool:
        """Take everything that the provider yields; say whether it came to its end."""
        waiting: list[Batch] = []
        ended = True
        since = time.monotonic()
        try:
            for item in self._provider.fetch(fetch):
                if isinstance(item, MonthRejected):
                    self._reject(item, ())
                    continue
                waiting.append(item)
                if time.monotonic() - since > FLUSH_SECONDS:
                    self._commit(waiting)
                    waiting, since = [], time.monotonic()
        except (SourceError, StorageError) as failure:
            self._result.failures.append(failure)
            ended = False
        try:
            self._commit(waiting)
        except StorageError as failure:
            self._result.failures.append(failure)
            ended = False
        return ended

    def _commit(self, batches: list[Batch]) -> None:
        """Validate some months together, then write a vintage for each that is fit."""
        table = self._source.table
        filled = [batch for batch in batches if batch.rows.height]
        causes: Mapping[date | None, str] = {}
        if filled:
            frame = pl.concat([batch.rows.select(table.schema.names()) for batch in filled])
            outcomes = quality.validate(frame, quality.for_raw(table))
            causes = quality.rejected_months(frame, outcomes)
        fit = []
        for batch in batches:
            last = None if self._force else self._last(batch)
            kept = last is not None and covers_less(batch, last)
            cause = causes.get(batch.month) or unfit(batch, self._fetch.window)
            if cause is None and last is not None and not kept:
                cause = shrunk(batch, last, table)
            if cause is not None:
                remedy = "see the evidence file; run again when the provider is mended"
                self._reject(MonthRejected(self._source.name, cause, remedy, month=batch.month), batch.evidence)
            elif batch.gap is not None and batch.month is not None:
                self._state(batch.month, "gap", batch.gap, "")
                self._note(MonthOutcome(batch.month, "gap", cause=batch.gap, evidence=batch.evidence))
            elif kept:
                self._fetch.log(
                    f"{self._source.name} {batch.month:%Y-%m}: fewer days than the vintage here, which stays"
                )
                self._note(MonthOutcome(batch.month, "unchanged", batch.rows.height, evidence=batch.evidence))
            else:
                fit.append((batch, self._named(batch)))
        self._evidence.flush()  # once for all, before a vintage names any of it
        for batch, refs in fit:
            self._write(batch, refs)

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
        current = self._store.current(self._source.name, batch.month, self._provider.name)
        return None if current is None else self._store.read(self._source.name, current)

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
        self._note(
            MonthOutcome(
                batch.month, status, batch.rows.height, None, vintage.path if vintage else None, batch.evidence
            )
        )

    def _reject(self, rejection: MonthRejected, evidence: tuple[str, ...]) -> None:
        for ref in evidence:
            self._evidence.reject(ref, rejection.cause)
        self._result.failures.append(rejection)
        month = rejection.month if isinstance(rejection.month, date) else None
        if month is not None:
            self._state(month, "refused", rejection.cause, rejection.remedy)
        self._note(MonthOutcome(month, "refused", cause=rejection.cause, evidence=evidence))

    def _state(self, month: date, status: Literal["gap", "refused", "answered"], cause: str, remedy: str) -> None:
        self._store.state(
            Statement(self._source.name, month, self._provider.name, self._fetch.now, status, cause, remedy)
        )

    def _note(self, outcome: MonthOutcome) -> None:
        self._result.outcomes.append(outcome)
        self._done(outcome)
