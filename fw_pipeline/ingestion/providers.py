"""Who is asked: the provider that the settings choose, what it is given, what it cannot answer, how far it has come.

A source is fresh by the months that are here, not by when somebody asked.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from fw_pipeline.contract import Availability, FetchContext, Provider, Source
from fw_pipeline.errors import PipelineError, SourceError
from fw_pipeline.locks import StillHeld, always, silent
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, next_month
from fw_pipeline.raw import EvidenceStore, Statement, UnreadableVintageError, Vintage, VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.warehouse import scan


@dataclass(frozen=True, slots=True)
class ProviderSelection:
    """A source with the provider that the settings choose for it."""

    source: Source
    provider: Provider
    options: dict[str, str]
    then: ProviderSelection | None = None
    """Who is asked for the months that this provider does not reach."""

    @property
    def chain(self) -> tuple[ProviderSelection, ...]:
        """Every provider that may be asked, in order."""
        return (self, *(self.then.chain if self.then else ()))


def choose(source: Source, settings: Settings) -> ProviderSelection:
    """Return the provider that the settings choose: the named one, else the mode's own; several are joined by `+`.

    Raises:
        PipelineError: the settings name a provider that the source does not have.
    """
    named = settings.providers.get(source.name) or ("recorded" if settings.mode == "recorded" else source.live)
    known = "|".join(map(re.escape, source.providers))
    chosen = None
    for part in reversed(re.split(rf"\+(?=(?:{known})(?:[:+]|$))", named)):  # a file may have a + in its name
        name, _, option = part.partition(":")
        if name not in source.providers:
            known = ", ".join(source.providers)
            cause = f"{source.name} has no provider {name!r}"
            raise PipelineError("setting FW_PROVIDERS", cause, f"choose one of {known}")
        options = {**({"path": option} if option else {}), **({"force": "1"} if settings.force else {})}
        given = {**settings.addresses, "contact": settings.contact, **options}
        chosen = ProviderSelection(source, source.providers[name], given, chosen)
    assert chosen is not None
    return chosen


def shared_out(
    chosen: ProviderSelection, window: Window, settings: Settings, *, now: datetime
) -> list[tuple[ProviderSelection, Window]]:
    """Return who is asked for which months of a window: each month goes to the first provider that reaches it.

    A month that nobody reaches goes to the first one, which says why.
    """
    reaches = [(one, one.provider.reach(asking(one, window, settings, now=now)[0]).window) for one in chosen.chain]
    whose = [(month, next((one for one, reach in reaches if month in reach), chosen)) for month in window.months()]
    stretches = [list(group) for _, group in groupby(whose, key=lambda it: it[1].provider.name)]
    return [(months[0][1], Window.of(months[0][0], months[-1][0])) for months in stretches]


def asking(
    chosen: ProviderSelection,
    window: Window,
    settings: Settings,
    *,
    now: datetime,
    run_id: str = "none",
    log: Callable[[str], None] = silent,
    waits: Callable[[str], None] = silent,
    permitted: StillHeld = always,
) -> tuple[FetchContext, EvidenceStore]:
    """Return what a provider is given to answer for a window, and the store that keeps its answers."""
    evidence_store = EvidenceStore(
        settings.data_dir,
        chosen.source.name,
        chosen.provider.name,
        run_id=run_id,
        now=now,
        months=window,
        scratch=spill(settings, chosen.source),
    )
    fetch = FetchContext(
        window=window,
        now=now,
        evidence=evidence_store,
        scan=partial(scan, spill=spill(settings, chosen.source)),
        log=log,
        waits=waits,
        options=chosen.options,
        secrets=settings.secrets,
        recorded=settings.recorded_dir,
        permitted=permitted,
        pace=settings.locks.pace,
    )
    return fetch, evidence_store


def reach_of(chosen: ProviderSelection, settings: Settings, *, now: datetime) -> Availability:
    """Return the months that the chosen provider can answer, and why it cannot answer the others.

    Raises:
        SourceError: the provider cannot tell.
    """
    fetch, _ = asking(chosen, Window.of(FIRST_MONTH, last_closed_month(now)), settings, now=now)
    return chosen.provider.reach(fetch)


def offered(source: Source, settings: Settings, *, now: datetime) -> Window:
    """Return the months of a source that may be asked for: those that the chosen provider can answer.

    Where that cannot be told, these are all closed months: whoever asks for them is told why.
    """
    try:
        windows = [reach_of(one, settings, now=now).window for one in choose(source, settings).chain]
        return Window(min(it.start for it in windows), max(it.end for it in windows))
    except PipelineError:
        return Window.of(FIRST_MONTH, last_closed_month(now))


def spill(settings: Settings, source: Source) -> Path:
    """Return where the scans of a source spill: the work folder has room, the system's temporary one may not."""
    return settings.work_dir / ".work" / f"spill-{source.name}"


def is_due(source: Source, month: date) -> datetime:
    """Return the moment from which the figures of a month should be there, whole."""
    return datetime.combine(next_month(month), time(), UTC) + timedelta(days=source.due_days)


def answered(source: Source, provider: Provider, month: date, store: VintageStore) -> Vintage | Statement | None:
    """Return the vintage or the known gap by which a provider has answered a month; None where it is to be asked.

    What it said before the month was due counts for nothing here: its last days may have been missing. So does what was
    there before an answer that was refused.
    """
    said = [one for one in store.statements(source.name, month) if one.provider == provider.name][-1:]
    if any(one.status == "refused" for one in said):
        return None
    vintage = store.current(source.name, month, provider.name)
    if vintage is not None and not _is_whole(source, vintage, store):
        return None
    spoken = [*(one.at for one in said), *([vintage.observed_at] if vintage else [])]
    if not spoken or max(spoken) < is_due(source, month):
        return None
    return vintage or next((one for one in said if one.status == "gap"), None)


def _is_whole(source: Source, vintage: Vintage, store: VintageStore) -> bool:
    with contextlib.suppress(UnreadableVintageError):
        store.read(source.name, vintage)
        return True
    return False


def out_of_reach(
    chosen: ProviderSelection, window: Window, settings: Settings, *, now: datetime
) -> list[PipelineError]:
    """Return a line for each stretch of a window that no chosen provider can answer although there are figures.

    Months before a source began are no failure: nobody has them.
    """
    fetch, _ = asking(chosen, window, settings, now=now)
    reaches = {provider.name: provider.reach(fetch) for provider in chosen.source.providers.values()}
    asked = [reaches[one.provider.name] for one in chosen.chain]
    others = [reach for name, reach in reaches.items() if name != "recorded" and reach not in asked]
    latest = max(asked, key=lambda reach: reach.window.end)
    missing: dict[str, list[date]] = {}
    for month in window.months():
        if any(month in reach.window for reach in asked):
            continue
        cause = latest.why_not(month)
        somebody = month >= latest.window.end or any(month in other.window for other in others)
        if cause is not None and somebody:
            missing.setdefault(cause, []).append(month)
    remedy = "ask for other months, or choose another provider with FW_PROVIDERS"
    return [
        SourceError(chosen.source.name, cause, remedy, month=Window.of(months[0], months[-1]))
        for cause, months in missing.items()
    ]


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
        else:
            lacking = "1 later month is" if self.months_behind == 1 else f"{self.months_behind} later months are"
            later = f"{lacking} due" if self.is_stale else "this provider has nothing newer"
            said = f"the last month here is {self.last_month:%Y-%m}, and {later}"
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
    if is_stale := last is None or last < expected:
        first = max(next_month(last) if last else FIRST_MONTH, min(it.window.start for it in reaches))
        what = f"fw-pipeline run --source {source.name} --from {first:%Y-%m} --to {expected:%Y-%m}"
    else:
        following = next_month(last)
        ended = reach.why_not(following) if following <= closed else None
        what = ended or f"{following:%Y-%m} is due on {is_due(source, following):%Y-%m-%d}"
    return Freshness(source.name, chosen.provider.name, last, behind, is_stale=is_stale, what=what)


def _last_answered(source: Source, provider: str, settings: Settings, *, until: date) -> date | None:
    """Return the last month with a vintage of a provider, or with its word that there is no figure."""
    store = VintageStore(settings.data_dir)
    gaps = {said.month for said in store.statements(source.name) if said.provider == provider and said.status == "gap"}
    months = reversed(Window.of(FIRST_MONTH, until).months())
    return next((it for it in months if it in gaps or store.current(source.name, it, provider) is not None), None)
