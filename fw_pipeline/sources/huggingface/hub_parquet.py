"""The provider `parquet`: a snapshot of the whole Hub as one Parquet file, on disk or at an address.

Made for the daily `cfahlgren1/hub-stats` and the weekly `hfmlsoc/hub_weekly_snapshots`. What a column would say that an
older snapshot lacks is not known, and never zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl

from fw_pipeline.contract import Batch, CostEstimate, Evidence, FetchContext, Provider
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, RateLimit
from fw_pipeline.months import Window
from fw_pipeline.sources.huggingface.hub_counts import (
    HUGGINGFACE_MODELS,
    SOURCE,
    TOKEN,
    URL,
    Look,
    counted,
    reach_of,
    untagged_note,
)
from fw_pipeline.sources.huggingface.hub_snapshot import REMEDY, Snapshot, checked, folder_day

NAME = "parquet"
_LABEL = f"{SOURCE} ({NAME})"

_CDN = ("*.hf.co", "*.huggingface.co")
"""Where the Hub redirects to for its large files."""

_BUDGET = 50
"""Requests of one fetch: one, and what a broken connection costs."""

_ABSURD = 10**12
_AT_ONCE = 12
"""Months of models that are held in memory together."""


def _plan(fetch: FetchContext) -> CostEstimate:
    named = fetch.options.get("path", "")
    if _is_address(named):
        return CostEstimate(1, "one download of a snapshot of the Hub, more than a gigabyte")
    return CostEstimate(0, f"no request: reads {Path(named).name}" if named else "no request: no file is named")


def _fetch(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    named = fetch.options.get("path")
    if not named:
        example = "hf://datasets/cfahlgren1/hub-stats/models.parquet"
        raise SourceError(_LABEL, "no file is named", f"set FW_PROVIDERS=huggingface=parquet:PATH, such as {example}")
    snapshot, evidence, origin, labels = _downloaded(fetch, named) if _is_address(named) else _local(fetch, named)
    day, how = snapshot.day(labels)
    fetch.log(f"{_LABEL}: {how}")
    look = Look(
        provider=NAME,
        method="counted in a snapshot of all models",
        origin=origin,
        observed_on=day,
        newest=snapshot.newest,
        seen_at=max(snapshot.newest, datetime.combine(day, datetime.min.time(), UTC)),
    )
    notes = [f"the snapshot has no column {name}: not known of any model" for name in snapshot.unknown]
    months = fetch.window.months()
    for begin in range(0, len(months), _AT_ONCE):
        part = months[begin : begin + _AT_ONCE]
        try:
            models = snapshot.models(fetch, Window.of(part[0], part[-1]))
        except ValueError as error:
            fetch.evidence.reject(evidence, str(error))
            raise SourceError(_LABEL, f"the file cannot be read: {error}", REMEDY, month=fetch.window) from error
        for month in part:
            created = models.filter(pl.col("created_at").dt.date().dt.month_start() == month)
            yield _answer(month, created, look, evidence, notes)


def _answer(month: date, models: pl.DataFrame, look: Look, evidence: str, notes: list[str]) -> Batch | MonthRejected:
    if cause := look.lacks(month):
        remedy = "name a newer snapshot, or use the provider api"
        return MonthRejected(_LABEL, cause, remedy, month=month)
    for name in ("downloads_30d", "likes"):
        if wrong := models.filter(~pl.col(name).is_between(0, _ABSURD)).height:
            return MonthRejected(_LABEL, f"{wrong} models have {name} that no count can be", REMEDY, month=month)
    said = (*notes, *untagged_note(models.filter("untagged").height))
    return counted(month, models.drop("untagged"), look, evidence=(evidence,), notes=said)


Opened = tuple[Snapshot, str, str, dict[str, date]]
"""A checked file, its evidence, who published it, and what is said of its day."""


def _local(fetch: FetchContext, named: str) -> Opened:
    path = Path(named).expanduser()
    if not path.is_file():
        raise SourceError(_LABEL, f"there is no file {named}", "name a Parquet file of the Hub's models")
    kept = fetch.evidence.keep_file(f"file {path.name}", path)
    try:
        snapshot = checked(fetch, path)
    except InvalidResponse as unfit:
        cause, remedy = f"{path.name}: {unfit.cause}", unfit.remedy
    else:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        labels = {**folder_day(str(path.absolute())), "the file's date of change": changed}
        return snapshot, kept.ref, f"the file {path.name}", labels
    fetch.evidence.reject(kept.ref, cause)
    raise SourceError(_LABEL, cause, remedy)


def _downloaded(fetch: FetchContext, named: str) -> Opened:
    base = fetch.options[URL.name]
    url = _of_hub(named, base)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise SourceError(_LABEL, "the address cannot be asked", "write https:// or hf://, without a password")
    at_hub = (parts.scheme, parts.netloc) == urlsplit(base)[:2]
    token = fetch.secrets.get(TOKEN.name) if at_hub else None

    def read(kept: Evidence) -> tuple[Snapshot, str]:
        return checked(fetch, kept.path), kept.ref

    with HttpClient(fetch, rate=RateLimit(0.0), budget=_BUDGET, host_label=_LABEL) as web:
        snapshot, ref = web.download(
            url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            name="models.parquet",
            read=read,
            sites=_CDN if at_hub else (),
        )
        head = web.head_of(url)
    labels = folder_day(parts.path)
    if (changed := head.get("last-modified")) is not None:
        try:
            labels["the server"] = parsedate_to_datetime(changed).date()
        except ValueError:
            fetch.log(f"{_LABEL}: the server gives no date that can be read")
    commit = f" at {head['x-repo-commit'][:12]}" if "x-repo-commit" in head else ""
    dataset = re.search(r"/datasets/([^/]+/[^/]+)/resolve/", parts.path)
    return snapshot, ref, (dataset[1] if dataset else parts.hostname) + commit, labels


def _is_address(named: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]+://", named, re.IGNORECASE) is not None


def _of_hub(named: str, base: str) -> str:
    """Return the address of a file that is named in the Hub's own way; any other address as it is."""
    found = re.fullmatch(r"hf://datasets/([^/@]+/[^/@]+)(?:@([^/]+))?/(.+)", named)
    return f"{base}/datasets/{found[1]}/resolve/{found[2] or 'main'}/{found[3]}" if found else named


PROVIDER = Provider(
    name=NAME,
    source=SOURCE,
    reach=reach_of,
    fetch=_fetch,
    plan=_plan,
    answers="every month from 2022-03 to the day of the snapshot at once; with an older snapshot, as it was then",
    cost="one download of 1 to 1.6 GB, or no request for a local file",
    needs="models.parquet of cfahlgren1/hub-stats or hfmlsoc/hub_weekly_snapshots: a path, or an address (https, hf)",
    cannot_see="models that were deleted before the snapshot, and when those from before 2022-03-02 were made",
    settings=(URL, TOKEN),
    detail=HUGGINGFACE_MODELS,
)
