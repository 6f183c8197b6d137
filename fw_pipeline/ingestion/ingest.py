"""How figures come in: fetch, keep the evidence, validate, add a vintage. One way for all sources, free of Dagster.

Months are committed as they come, so that what was done before a failure stays done.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from fw_pipeline import locks
from fw_pipeline.atomic_files import StorageError
from fw_pipeline.contract import Batch, FetchContext
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.ingestion.committer import Committer, Ingested, MonthOutcome
from fw_pipeline.ingestion.providers import ProviderSelection, answered, asking, spill
from fw_pipeline.locks import Busy, LockLost, silent
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore, Statement, Vintage, VintageStore, storage_of
from fw_pipeline.settings import Settings

FLUSH_SECONDS = 5.0
"""How long answered months may wait for validation together: one validation costs the same for one or a hundred."""


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
        PipelineError: nothing could be begun: another run is fetching the same source, the data folder cannot be
            used, or where locks are held cannot be reached.
    """
    name = chosen.source.name

    def told(seconds: float) -> None:
        why = "another run is fetching it"
        waits(locks.line(name, seconds, now=time.time(), why=why, at_most=True))

    storage = storage_of(settings.data_dir)
    try:
        with settings.locks.held(f"fetch-{name}", patience=patience, told=told) as still_held:
            for room in ("raw", "evidence"):
                storage.sweep(settings.data_dir / room / name)
            VintageStore(settings.data_dir).sweep_listings(name)
            shutil.rmtree(spill(settings, chosen.source), ignore_errors=True)  # by a killed run
            fetch, evidence_store = asking(
                chosen, window, settings, now=now, run_id=run_id, log=log, waits=waits, permitted=still_held
            )
            try:
                asked = _Ingest(chosen, settings, fetch, evidence_store, run_id=run_id, done=done, say=say)
                return asked.run(again=again)
            finally:
                shutil.rmtree(spill(settings, chosen.source), ignore_errors=True)  # copies from an object store
    except Busy:
        cause = f"another run has been fetching it for more than {patience:.0f} s"
        raise SourceError(name, cause, "wait for it, or stop it, and run again") from None
    except OSError as error:
        cause = f"cannot use {settings.work_dir / '.work'}: {error.strerror or error}"
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
        self._source, self._provider = chosen.source, chosen.provider
        self._fetch, self._evidence, self._say = fetch, evidence_store, say
        self._store = VintageStore(settings.data_dir)
        self._committer = Committer(
            chosen, fetch, evidence_store, self._store, run_id=run_id, force=settings.force, done=done
        )
        self._result = self._committer.result

    def run(self, *, again: bool) -> Ingested:
        """Ask for what the provider can answer; leave an outcome for every month of the window."""
        asked, name = self._fetch.window, self._source.name
        reach = self._provider.reach(self._fetch)
        for month in asked.months():
            if (cause := reach.why_not(month)) is not None:
                self._committer.note(MonthOutcome(month, "out of reach", cause=cause))
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
            self._fetch.permitted()
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
                    self._committer.note(MonthOutcome(month, "here already", rows, path=here.path))
                case Statement() as said:
                    self._committer.note(MonthOutcome(month, "gap", cause=said.cause))
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
                self._committer.note(MonthOutcome(month, "failed", cause=str(self._result.failures[-1])))

    def _take_all(self, fetch: FetchContext) -> bool:
        """Take everything that the provider yields; say whether it came to its end."""
        waiting: list[Batch] = []
        ended = True
        since = time.monotonic()
        try:
            for item in self._provider.fetch(fetch):
                if isinstance(item, MonthRejected):
                    self._committer.reject(item, ())
                    continue
                waiting.append(item)
                if time.monotonic() - since > FLUSH_SECONDS:
                    due, waiting = waiting, []  # a commit that fails is not tried again
                    self._committer.commit(due)
                    since = time.monotonic()
        except (SourceError, StorageError) as failure:
            self._result.failures.append(failure)
            ended = False
        except LockLost as failure:  # what was answered is kept as evidence; whoever has the lock now writes
            self._result.failures.append(failure)
            return False
        try:
            self._committer.commit(waiting)
        except (StorageError, LockLost) as failure:
            self._result.failures.append(failure)
            ended = False
        return ended
