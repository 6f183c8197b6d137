"""A Parquet file that claims to be a snapshot of the whole Hub: whether it is one, of which day, and its models.

Nothing here fetches a file or makes figures.
"""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.contract import FetchContext
from fw_pipeline.http import InvalidResponse
from fw_pipeline.months import Window
from fw_pipeline.sources.huggingface.hub_counts import FORMATS, MODELS, OLDEST, models_until
from fw_pipeline.text import one_line

REMEDY = "download the snapshot again, or name another one"

_MAGIC = b"PAR1"
_BARE, _ZONED, _TEXT = "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR"
_WHOLE = ("BIGINT", "INTEGER", "SMALLINT", "UBIGINT", "UINTEGER", "HUGEINT", "DOUBLE")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "id": (_TEXT,),
    "createdAt": (_BARE, "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP_S", _ZONED, _TEXT),
    "tags": ("VARCHAR[]",),
}
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "_id": (_TEXT,),
    "library_name": (_TEXT,),
    "downloads": _WHOLE,
    "likes": _WHOLE,
    "gated": (_TEXT, "BOOLEAN"),
    "private": ("BOOLEAN",),
}
_COUNTED = ("library_name", "downloads", "likes")
"""What a reader should know to be unknown where the file has no such column."""

_LEAST_SHARE = 0.25
"""Of the models that others counted by then: a smaller file is a sample, whatever it is called. No more is asked for,
because models are deleted, and the counts lie too far apart to be exact between them."""

_LISTED = pl.Schema({**MODELS, "untagged": pl.Boolean()})

_TELLING = 20
"""So many models without any tag, and the file does not tell tags: a single model may have none."""

_STALE = timedelta(days=7)
"""A weekly snapshot may be labelled so much later than its content; beyond that the label is of something else."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file that has been checked."""

    path: Path
    columns: Mapping[str, str]
    newest: datetime
    """Creation of the newest model (UTC)."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """The columns that the file does not have, so that what they would say is not known."""
        return tuple(name for name in _COUNTED if name not in self.columns)

    def models(self, fetch: FetchContext, window: Window) -> pl.DataFrame:
        """Return the public models created in a window, each once: the columns `MODELS`, and whether it has no tags.

        Raises:
            ValueError: the file cannot be read; the message is DuckDB's own first line.
        """
        public = "and coalesce(private, false) = false" if "private" in self.columns else ""
        key, created = _key(self.columns), _created(self.columns)
        gated = "case when gated::varchar = 'false' then 'no' else gated::varchar end"
        sql = f"""
            select {key} as model_id, id, {created} as created_at,
                {self._column("library_name", "nullif(library_name, '')", "varchar")} as library,
                coalesce(list_sort(list_distinct(list_intersect(
                    list_transform(tags, lambda tag: lower(tag)), $formats))), []) as formats,
                {self._column("gated", gated, "varchar")} as gated,
                {self._column("downloads", "downloads", "bigint")} as downloads_30d,
                {self._column("likes", "likes", "bigint")} as likes,
                tags is null as untagged
            from read_parquet($path, hive_partitioning = false)
            where {created} >= $start and {created} < $end {public}
            qualify row_number() over (partition by {key} order by downloads_30d desc, likes desc, id) = 1
        """  # noqa: S608 - column names of this file, and expressions from here
        at = {"start": _midnight(window.start), "end": _midnight(window.end)}
        frame = fetch.scan(sql, {"path": _literal(self.path), "formats": list(FORMATS), **at})
        return frame.with_columns(pl.col("created_at").dt.replace_time_zone("UTC")).cast(_LISTED)

    def _column(self, name: str, expression: str, kind: str) -> str:
        return f"cast({expression if name in self.columns else 'null'} as {kind})"

    def day(self, labels: Mapping[str, date]) -> tuple[date, str]:
        """Return the day on which the snapshot was taken, and how it is known.

        The content decides: a label is believed where it is not before the newest model, and not long after it.

        Args:
            labels: what is said of the day, by who says it, the most trusted first.
        """
        newest = self.newest.date()
        for who, day in labels.items():
            if newest <= day <= newest + _STALE:
                return day, f"the snapshot is of {day}, as {who} says"
        said = ", ".join(f"{who} says {day}" for who, day in labels.items()) or "nothing else says a day"
        return newest, f"the snapshot is of {newest}, the day of its newest model ({said})"


def checked(fetch: FetchContext, path: Path) -> Snapshot:
    """Return a file as a snapshot.

    Raises:
        InvalidResponse: it is not Parquet, is cut off, lacks a needed column, or does not hold the whole Hub.
    """
    _check_ends(path)
    try:
        columns = _columns(fetch, path)
        created, key = _created(columns), _key(columns)
        found = fetch.scan(
            f"""
            select count(*) as models, count(*) - count({created}) as undated, count(*) - count({key}) as nameless,
                min({created}) as oldest, max({created}) as newest, count(tags) as tagged
            from read_parquet($path, hive_partitioning = false)
            """,  # noqa: S608 - as above
            {"path": _literal(path)},
        ).row(0, named=True)
    except ValueError as error:
        raise InvalidResponse(f"it cannot be read: {one_line(str(error))}", REMEDY) from error
    if not found["models"]:
        raise InvalidResponse("it holds no model", REMEDY)
    for fault in ("undated", "nameless"):
        if found[fault]:
            raise InvalidResponse(f"{found[fault]:,} of its {found['models']:,} models are {fault}", REMEDY)
    if found["models"] >= _TELLING and not found["tagged"]:
        raise InvalidResponse("none of its models has tags", REMEDY)
    oldest, newest = (found[name].replace(tzinfo=UTC) for name in ("oldest", "newest"))
    if oldest > OLDEST:
        raise InvalidResponse(f"it does not hold the whole Hub: its oldest model is of {oldest:%Y-%m-%d}", REMEDY)
    if found["models"] < (least := _LEAST_SHARE * models_until(newest)):
        counted = f"it has {found['models']:,} models, and the Hub of {newest:%Y-%m-%d} had about"
        told = f"{counted} {float(f'{least / _LEAST_SHARE:.2g}'):,.0f}: it is a sample"
        raise InvalidResponse(f"it does not hold the whole Hub: {told}", REMEDY)
    return Snapshot(path, columns, newest)


def folder_day(place: str) -> dict[str, date]:
    """Return the day that a folder in a path or an address is named after, such as `2024-07-24`, if there is one."""
    for part in reversed(re.split(r"[/\\]", place)):
        if re.fullmatch(r"(date=)?\d{4}-\d\d-\d\d", part, re.ASCII):
            with contextlib.suppress(ValueError):
                return {"the folder": date.fromisoformat(part.removeprefix("date="))}
    return {}


def _check_ends(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(120)
        stream.seek(-min(4, path.stat().st_size), 2)
        end = stream.read()
    if start[:4] != _MAGIC:
        words = one_line(start.decode("utf-8", "replace"), 80)
        raise InvalidResponse(f"it is not a Parquet file; it begins with {words!r}", REMEDY)
    if end != _MAGIC:
        raise InvalidResponse("it is cut off: it does not end as a Parquet file does", REMEDY)


def _columns(fetch: FetchContext, path: Path) -> dict[str, str]:
    """Return the columns that are used, with their types."""
    sql = "select column_name, column_type from (describe select * from read_parquet($path, hive_partitioning = false))"
    found: dict[str, Any] = dict(fetch.scan(sql, {"path": _literal(path)}).iter_rows())
    if missing := sorted(_NEEDED.keys() - found.keys()):
        raise InvalidResponse(f"it has no column {missing[0]}; it is not a listing of the Hub's models", REMEDY)
    used = {**_NEEDED, **_OPTIONAL}
    for name, kinds in used.items():
        if name in found and found[name] not in kinds:
            raise InvalidResponse(f"its column {name} is {one_line(found[name], 60)} instead of {kinds[0]}", REMEDY)
    return {name: kind for name, kind in found.items() if name in used}


def _created(columns: Mapping[str, str]) -> str:
    """Return the SQL of the moment of creation as a bare UTC timestamp."""
    if columns["createdAt"] in {_ZONED, _TEXT}:
        return "timezone('UTC', createdAt::timestamptz)"
    return "createdAt::timestamp"


def _key(columns: Mapping[str, str]) -> str:
    return "coalesce(_id, id)" if "_id" in columns else "id"


def _literal(path: Path) -> str:
    """Return a path as DuckDB takes it literally, not as a pattern."""
    return glob.escape(str(path))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
