"""The weights of the composite, as somebody wrote them into `dbt_like_sql/meta/composite_weights.csv`.

Read and refused here; what is made of them is said in `marts/composite_parts.sql`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fw_pipeline.contract import Reason
from fw_pipeline.sources import SOURCES

COLUMNS = ("composite", "source", "metric", "definition", "weight", "window_months", "least_months", "reason")
_REMEDY = "mend the line, then run: fw-pipeline rebuild"


def composite_weights(sql_dir: Path) -> list[dict[str, Any]]:
    """Return one row a composite and source, for the seed `meta.composite_weights`.

    Args:
        sql_dir: the folder of the SQL models.

    Raises:
        Reason: the file cannot be read, a number in it is none or out of its range, a source is unknown or stands
            twice in one composite, or a composite has no weight at all; the line says which.
    """
    path = sql_dir / "meta" / "composite_weights.csv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise Reason(path.name, f"its columns are not {', '.join(COLUMNS)}", "restore the first line")
            rows = [_row(path.name, number, row) for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Reason(path.name, f"cannot be read: {error}", "restore it from the repository") from error
    _refuse_twice(path.name, rows)
    return rows


def _row(file: str, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    where = f"{file} line {number}"
    if None in row or None in row.values() or any(not row[name].strip() for name in COLUMNS[:4]):
        raise Reason(where, f"it has no value for one of {', '.join(COLUMNS)}, or one too many", _REMEDY)
    if row["source"] not in SOURCES:
        raise Reason(where, f"{row['source']!r} is no source: {', '.join(SOURCES)}", _REMEDY)
    try:
        weight = float(row["weight"])
        months, least = int(row["window_months"]), int(row["least_months"])
    except ValueError as error:
        raise Reason(where, f"a weight or a number of months is none: {error}", _REMEDY) from None
    if not (math.isfinite(weight) and weight >= 0):
        raise Reason(where, f"the weight {row['weight']} is below zero or endless", _REMEDY)
    if not 1 <= least <= months:
        raise Reason(where, f"{least} months of a window of {months} cannot be asked for", _REMEDY)
    return {**row, "weight": weight, "window_months": months, "least_months": least}


def _refuse_twice(file: str, rows: Iterable[Mapping[str, Any]]) -> None:
    seen: set[tuple[str, str]] = set()
    whole: dict[str, float] = {}
    for row in rows:
        composite, source = row["composite"], row["source"]
        if (composite, source) in seen:
            cause = f"{source} stands twice in the composite {composite!r}: series are never spliced"
            raise Reason(file, cause, "keep one of the two lines, or give the other composite its own name")
        seen.add((composite, source))
        whole[composite] = whole.get(composite, 0.0) + row["weight"]
    if not whole or 0 in whole.values():
        raise Reason(file, "a composite has no weight at all", "give one of its sources a weight above zero")
