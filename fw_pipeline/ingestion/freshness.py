"""Whether each source has the closed month that its provider can give by now. Free of Dagster; asks nobody.

A recent run does not make a source fresh, and neither is an old month that was fetched again: what counts is the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fw_pipeline.contract import Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import choose, reach_of
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, next_month
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far one source has come, by the provider that the settings choose."""

    source: str
    provider: str
    last_month: date | None
    """The last month that the provider has answered: with figures, or by saying that there are none. None: never."""
    months_behind: int | None
    """Months after it that are due, whoever could give them; None where there is none at all."""
    is_stale: bool
    """Whether a month is missing that the provider can give, and that is due."""
    what: str
    """What would complete it; why nothing more is to be had; or when the next month is due."""

    @property
    def line(self) -> str:
        """All of it in one line: what, month, cause, remedy."""
        if self.last_month is None:
            said = "no month is here yet"
        elif not self.months_behind:
            said = f"{self.last_month:%Y-%m}, the last month that is due, is here"
        elif self.is_stale:
            lacking = "1 later month is" if self.months_behind == 1 else f"{self.months_behind} later months are"
            said = f"the last month here is {self.last_month:%Y-%m}, and {lacking} due"
        else:
            said = f"the last month here is {self.last_month:%Y-%m}, and this provider has nothing newer"
        return f"{self.source} ({self.provider}): {said}; {self.what}"


def freshness(source: Source, settings: Settings, *, now: datetime) -> Freshness:
    """Return how far a source has come.

    A month is due `Source.due_days` after it has ended, unless it lies beyond what the provider reaches: recorded
    figures end in a month that everybody knows, and are not stale for it.
    """
    closed = last_closed_month(now)
    try:
        chain = choose(source, settings).chain
        reaches = [reach_of(one, settings, now=now) for one in chain]
    except PipelineError as reason:
        return Freshness(source.name, "none", None, None, is_stale=True, what=str(reason))
    chosen, reach = max(zip(chain, reaches, strict=True), key=lambda it: it[1].window.end)
    due = last_closed_month(now - timedelta(days=source.due_days))
    expected = min(due, reach.window.months()[-1])
    known = [_last_answered(source, one.provider.name, settings, until=closed) for one in chain]
    last = max(filter(None, known), default=None)
    behind = max(0, len(Window.of(min(last, due), due).months()) - 1) if last else None
    if last is None or last < expected:
        first = max(next_month(last) if last else FIRST_MONTH, min(it.window.start for it in reaches))
        what = f"fw-pipeline run --source {source.name} --from {first:%Y-%m} --to {expected:%Y-%m}"
        return Freshness(source.name, chosen.provider.name, last, behind, is_stale=True, what=what)
    following = next_month(last)
    due_on = next_month(following) + timedelta(days=source.due_days)
    ended = reach.why_not(following) if following <= closed else None
    what = ended or f"{following:%Y-%m} is due on {due_on:%Y-%m-%d}"
    return Freshness(source.name, chosen.provider.name, last, behind, is_stale=False, what=what)


def _last_answered(source: Source, provider: str, settings: Settings, *, until: date) -> date | None:
    """Return the last month with a vintage of a provider, or with its word that there is no figure."""
    store = VintageStore(settings.data_dir)
    gaps = {said.month for said in store.statements(source.name) if said.provider == provider and said.status == "gap"}
    for month in reversed(Window.of(FIRST_MONTH, until).months()):
        if month in gaps or store.current(source.name, month, provider) is not None:
            return month
    return None
