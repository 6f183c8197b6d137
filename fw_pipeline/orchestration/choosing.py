"""Who is asked: the provider that the settings choose, what it is given, what it cannot answer, and what it has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path

from fw_pipeline.contract import (
    FIRST_MONTH,
    Fetch,
    Provider,
    Reach,
    Reason,
    Source,
    SourceFailed,
    Window,
    last_closed_month,
    next_month,
)
from fw_pipeline.raw import EvidenceStore, Statement, StorageFailed, Vintage, VintageStore
from fw_pipeline.settings import Settings
from fw_pipeline.waiting import silent
from fw_pipeline.warehouse import scan


@dataclass(frozen=True, slots=True)
class Chosen:
    """A source with the provider that the settings choose for it."""

    source: Source
    provider: Provider
    options: dict[str, str]


def choose(source: Source, settings: Settings) -> Chosen:
    """Return the provider that the settings choose: the named one, else the mode's own.

    Raises:
        Reason: the settings name a provider that the source does not have.
    """
    named, _, option = settings.providers.get(source.name, "").partition(":")
    name = named or ("recorded" if settings.mode == "recorded" else source.live)
    if name not in source.providers:
        known = ", ".join(source.providers)
        raise Reason("setting FW_PROVIDERS", f"{source.name} has no provider {name!r}", f"choose one of {known}")
    options = {"path": option} if option else {}
    return Chosen(source, source.providers[name], {**settings.addresses, "contact": settings.contact, **options})


def asking(
    chosen: Chosen,
    window: Window,
    settings: Settings,
    *,
    now: datetime,
    run_id: str = "none",
    log: Callable[[str], None] = silent,
    waits: Callable[[str], None] = silent,
) -> tuple[Fetch, EvidenceStore]:
    """Return what a provider is given to answer for a window, and the store that keeps its answers."""
    keeper = EvidenceStore(settings.data_dir, chosen.source.name, chosen.provider.name, run_id=run_id, now=now)
    fetch = Fetch(
        window=window,
        now=now,
        keeper=keeper,
        scan=partial(scan, spill=spill(settings, chosen.source)),
        log=log,
        waits=waits,
        options=chosen.options,
        secrets=settings.secrets,
        recorded=settings.recorded_dir,
    )
    return fetch, keeper


def reach_of(chosen: Chosen, settings: Settings, *, now: datetime) -> Reach:
    """Return the months that the chosen provider can answer, and why it cannot answer the others.

    Raises:
        SourceFailed: the provider cannot tell.
    """
    fetch, _ = asking(chosen, Window.of(FIRST_MONTH, last_closed_month(now)), settings, now=now)
    return chosen.provider.reach(fetch)


def offered(source: Source, settings: Settings, *, now: datetime) -> Window:
    """Return the months of a source that may be asked for: those that the chosen provider can answer.

    Where that cannot be told, these are all closed months: whoever asks for them is told why.
    """
    try:
        return reach_of(choose(source, settings), settings, now=now).window
    except Reason:
        return Window.of(FIRST_MONTH, last_closed_month(now))


def spill(settings: Settings, source: Source) -> Path:
    """Return where the scans of a source spill: the data folder has room, the system's temporary one may not."""
    return settings.data_dir / ".work" / f"spill-{source.name}"


def is_due(source: Source, month: date) -> datetime:
    """Return the moment from which the figures of a month should be there, whole."""
    return datetime.combine(next_month(month), time(), UTC) + timedelta(days=source.due_days)


def answered(source: Source, provider: Provider, month: date, store: VintageStore) -> Vintage | Statement | None:
    """Return the vintage or the known gap by which a provider has answered a month; None where it is to be asked.

    What it said before the month was due counts for nothing here: its last days may have been missing. So does what was
    there before an answer that was refused.
    """
    said = [one for one in store.statements(source.name, month) if one.provider == provider.name]
    last = said[-1] if said else None
    if last is not None and last.status == "refused":
        return None
    vintage = store.current(source.name, month, provider.name)
    if vintage is not None and not _is_whole(source, vintage, store):
        return None
    spoken = [*(one.at for one in said[-1:]), *([vintage.observed_at] if vintage else [])]
    if not spoken or max(spoken) < is_due(source, month):
        return None
    return vintage or (last if last is not None and last.status == "gap" else None)


def _is_whole(source: Source, vintage: Vintage, store: VintageStore) -> bool:
    with contextlib.suppress(StorageFailed):
        store.read(source.name, vintage)
        return True
    return False


def out_of_reach(chosen: Chosen, window: Window, settings: Settings, *, now: datetime) -> list[Reason]:
    """Return a line for each stretch of a window that the chosen provider cannot answer although there are figures.

    Months before a source began are no failure: nobody has them.
    """
    fetch, _ = asking(chosen, window, settings, now=now)
    reach = chosen.provider.reach(fetch)
    others = [
        p.reach(fetch) for p in chosen.source.providers.values() if p.name not in ("recorded", chosen.provider.name)
    ]
    missing: dict[str, list[date]] = {}
    for month in window.months():
        cause = reach.why_not(month)
        somebody = month >= reach.window.end or any(month in other.window for other in others)
        if cause is not None and somebody:
            missing.setdefault(cause, []).append(month)
    remedy = "ask for other months, or choose another provider with FW_PROVIDERS"
    return [
        SourceFailed(chosen.source.name, cause, remedy, month=Window.of(months[0], months[-1]))
        for cause, months in missing.items()
    ]
