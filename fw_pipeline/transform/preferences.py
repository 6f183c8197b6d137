"""What is a matter of preference, as somebody wrote it into `dbt_like_sql/meta/*.csv`, one file each.

`composite_weights.csv`: what weighs how much in a composite. `headline_series.csv`: which series a source leads with.
Read and refused here, with the line; what is made of them is said in the models that read them.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fw_pipeline.errors import PipelineError
from fw_pipeline.sources import SOURCES

WEIGHT_COLUMNS = ("composite", "source", "metric", "definition", "weight", "window_months", "least_months", "reason")
HEADLINE_COLUMNS = ("source", "rank", "metric", "definition", "reason")
_REMEDY = "mend the line, then run: fw-pipeline rebuild"

Row = dict[str, Any]


def composite_weights(sql_dir: Path) -> list[Row]:
    """Return one row per composite and source, for the seed `meta.composite_weights`.

    Args:
        sql_dir: the folder of the SQL models.

    Raises:
        PipelineError: the file cannot be read, a number in it is none or out of its range, a source is unknown or
            stands twice in one composite, or a composite has no weight at all; the line says which.
    """
    path = sql_dir / "meta" / "composite_weights.csv"
    rows = _read(path, WEIGHT_COLUMNS, _weight)
    _refuse_twice(path.name, rows)
    return rows


def headline_series(sql_dir: Path) -> list[Row]:
    """Return one row for each source and definition, the first choice ranked 1, for `meta.headline_series`.

    Args:
        sql_dir: the folder of the SQL models.

    Raises:
        PipelineError: the file cannot be read, a rank is no whole number from 1 on, a source is unknown, or a rank or a
            definition stands twice in one source; the line says which.
    """
    path = sql_dir / "meta" / "headline_series.csv"
    rows = _read(path, HEADLINE_COLUMNS, _choice)
    for name in ("rank", "definition"):
        seen = set()
        for number, row in enumerate(rows, start=2):
            if (row["source"], row[name]) in seen:
                cause = f"{name} {row[name]!r} stands twice for {row['source']}: nobody could say which one leads"
                raise PipelineError(f"{path.name} line {number}", cause, _REMEDY)
            seen.add((row["source"], row[name]))
    return rows


def _read(path: Path, columns: tuple[str, ...], made: Callable[[str, Row], Row]) -> list[Row]:
    """Read a file with these columns; every cell but the reason must be filled, and the source known."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != columns:
                raise PipelineError(path.name, f"its columns are not {', '.join(columns)}", "restore the first line")
            lines = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PipelineError(path.name, f"cannot be read: {error}", "restore it from the repository") from error
    rows = []
    for number, row in enumerate(lines, start=2):
        where = f"{path.name} line {number}"
        if None in row or None in row.values() or any(not row[name].strip() for name in columns[:-1]):
            raise PipelineError(where, f"it has no value for one of {', '.join(columns)}, or one too many", _REMEDY)
        if row["source"] not in SOURCES:
            raise PipelineError(where, f"{row['source']!r} is no source: {', '.join(SOURCES)}", _REMEDY)
        rows.append(made(where, row))
    return rows


def _choice(where: str, row: Row) -> Row:
    if not (row["rank"].isascii() and row["rank"].isdigit() and int(row["rank"]) >= 1):
        raise PipelineError(where, f"the rank {row['rank']!r} is no whole number from 1 on", _REMEDY)
    return {**row, "rank": int(row["rank"])}


def _weight(where: str, row: Row) -> Row:
    try:
        weight = float(row["weight"])
        months, least = int(row["window_months"]), int(row["least_months"])
    except ValueError as error:
        raise PipelineError(where, f"a weight or a number of months is none: {error}", _REMEDY) from None
    if not (math.isfinite(weight) and weight >= 0):
        raise PipelineError(where, f"the weight {row['weight']} is below zero or endless", _REMEDY)
    if not 1 <= least <= months:
        raise PipelineError(where, f"{least} months of a window of {months} cannot be asked for", _REMEDY)
    return {**row, "weight": weight, "window_months": months, "least_months": least}


def _refuse_twice(file: str, rows: Iterable[Mapping[str, Any]]) -> None:
    seen: set[tuple[str, str]] = set()
    whole: dict[str, float] = {}
    for row in rows:
        composite, source = row["composite"], row["source"]
        if (composite, source) in seen:
            cause = f"{source} stands twice in the composite {composite!r}: series are never spliced"
            raise PipelineError(file, cause, "keep one of the two lines, or give the other composite its own name")
        seen.add((composite, source))
        whole[composite] = whole.get(composite, 0.0) + row["weight"]
    if not whole or 0 in whole.values():
        raise PipelineError(file, "a composite has no weight at all", "give one of its sources a weight above zero")
