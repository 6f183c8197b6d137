"""The answer in one look: how much PyTorch there is for every hundred of TensorFlow, then and now.

Samples are left to the charts: they are no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.verdicts import THEN
from fw_pipeline.report.words import NONE, figure, in_month, listed

COUNTED = {"stackoverflow": "Questions on Stack Overflow", "papers": "Papers", "pypi": "Downloads from PyPI"}
"""What is counted in each source."""

UNITS = {"stackoverflow": "questions a month", "pypi": "downloads a day"}

EVEN = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One series at two times."""

    counted: str
    series: str
    then: str
    then_when: str
    now: str
    now_when: str
    alone: str
    """What became of TensorFlow by itself: only where months are counted, since the last year may not be whole, and
    where no break of the series lies between."""


@dataclass(frozen=True, slots=True)
class Glance:
    """The series of every source that reach the article or hold the latest figure, and what they say together."""

    said: str
    rows: tuple[Row, ...]


def glance(ratios: pl.DataFrame) -> Glance:
    """Return the answer in one look.

    Args:
        ratios: as the query of that name returns it: PyTorch and TensorFlow by month or year, of every series.
    """
    counted = ratios.drop_nulls("ratio").filter(~pl.col("is_sample"))
    found: list[Row] = []
    leaders: dict[str, list[str]] = {}
    for source, title in COUNTED.items():
        of_source = counted.filter(pl.col("source") == source).sort("month")
        if of_source.is_empty():
            continue
        latest = of_source.row(-1, named=True)
        leader = "PyTorch" if latest["ratio"] > EVEN else "TensorFlow"
        leaders.setdefault(leader, []).append(f"{title[:1].lower()}{title[1:]} ({_when(latest)})")
        for _, line in of_source.group_by(["series"], maintain_order=True):
            before = line.filter(pl.col("month") <= THEN)
            then = before.row(-1, named=True) if before.height else None
            now = line.row(-1, named=True)
            if then or now["month"] == latest["month"]:
                found.append(_row(then, now))
    said = "; ".join(f"{leader} leads in {listed(sources)}" for leader, sources in leaders.items())
    return Glance(f"By the latest figures of each source, {said}." if said else "", tuple(found))


def _row(then: dict[str, Any] | None, now: dict[str, Any]) -> Row:
    alone = NONE
    same = then is not None and then["segment"] == now["segment"] and then["month"] != now["month"]
    if then and same and then["tensorflow"] and now["source"] in UNITS:
        change = figure(now["tensorflow"] / then["tensorflow"] - 1, "share")
        ends = [figure(round(row["tensorflow"])) for row in (then, now)]
        signed = change if change.startswith("\N{MINUS SIGN}") else f"+{change}"
        alone = f"{ends[0]} to {ends[1]} {UNITS[now['source']]}, {signed}"
    return Row(
        counted=COUNTED[now["source"]],
        series=now["series"],
        then=_hundred(then) if then else NONE,
        then_when=_when(then) if then else "",
        now=_hundred(now),
        now_when=_when(now),
        alone=alone,
    )


def _hundred(row: dict[str, Any]) -> str:
    return f"{100 * row['ratio']:,.0f}"


def _when(row: dict[str, Any]) -> str:
    month: date = row["month"]
    return str(month.year) if row["period"] == "year" else in_month(month)
