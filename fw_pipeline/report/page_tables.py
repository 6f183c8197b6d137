"""The tables of the page, with formatted figures: crossings, published figures, coverage, sources, origins.

The table of origins says whose figures they are, under which licence, and what was taken; so does the line below a
chart. An origin that its source does not list is shown with the licence of the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.contract import NO_LICENCE, Credit
from fw_pipeline.report.formatting import NONE, SOURCE_TITLES, figure, in_month, listed, series_title
from fw_pipeline.sources import SOURCES

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "questions": "questions a month",
        "downloads_per_day": "downloads of the package",
        "family_downloads_per_day": "downloads with variants",
        "papers": "papers",
        "repositories": "repositories",
        "models": "models",
    }
)

STATUSES: Mapping[str, str] = MappingProxyType(
    {"present": "complete", "partial": "partial", "gap": "a known gap", "missing": "without figures"}
)
"""The statuses of `meta.coverage`, as the page words them."""

CREDITS: Mapping[str, Credit] = MappingProxyType(
    {start: credit for source in SOURCES.values() for start, credit in source.credits.items()}
)
"""Origins, by what their name begins with."""

_EVERY_ORIGIN = " union all ".join(
    f"(from raw.{name}{part} select '{name}' as source, origin, month)"
    for name in SOURCES
    for part in ("", "_unpartitioned")
)

ORIGINS = f"""
    from ({_EVERY_ORIGIN})
    select source, origin, count(*) as figures, min(month) as first_month, max(month) as last_month
    group by source, origin order by source, origin
"""
"""The query for who published the figures that are in use: a row for each source and origin."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive months with the same coverage."""

    status: str
    first: date
    last: date
    months: int
    reasons: str

    @property
    def text(self) -> str:
        """Name the span: `Apr 2016: known gap`."""
        when = in_month(self.first) if self.months == 1 else f"{in_month(self.first)} to {in_month(self.last)}"
        return f"{when}: {STATUSES.get(self.status, self.status)}"


@dataclass(frozen=True, slots=True)
class Strip:
    """The coverage of one source over all months."""

    title: str
    spans: tuple[Span, ...]

    @property
    def summary(self) -> str:
        """Count the months by their coverage."""
        counts = {status: sum(span.months for span in self.spans if span.status == status) for status in STATUSES}
        return listed(
            [f"{count} month{'s' * (count > 1)} {STATUSES[status]}" for status, count in counts.items() if count]
        )

    @property
    def years(self) -> tuple[tuple[int, float], ...]:
        """Where every second year begins, as a fraction of the strip's length."""
        first = self.spans[0].first
        total = sum(span.months for span in self.spans)
        every = range(first.year + 1, self.spans[-1].last.year + 1, 2)
        return tuple((year, (12 * (year - first.year) - first.month + 1) / total) for year in every)


def coverage(rows: pl.DataFrame) -> tuple[Strip, ...]:
    """Return a strip for each source: its months, merged where their coverage is the same."""
    return tuple(
        Strip(title, _spans(rows.filter(pl.col("source") == source).sort("month")))
        for source, title in SOURCE_TITLES.items()
        if source in set(rows["source"])
    )


def sources(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Describe what each source counts, what it cannot see, and which months it has, or why it has none."""
    found = []
    for row in rows.iter_rows(named=True):
        source = SOURCES[row["source"]]
        months = _months(row) or f"none: {row['why_none']}"
        told = {"title": source.short_title, "counts": source.counts, "blind": source.cannot_see}
        found.append({**told, "months": months})
    return found


def glossary(used: Mapping[str, set[str]]) -> list[dict[str, str]]:
    """Return the plain name, the name in the tables and a remark for each series in use.

    Args:
        used: by source, the names of its series.
    """
    return [
        {"plain": series.title, "series": name, "remark": series.remark}
        for source in SOURCES.values()
        for name, series in source.series.items()
        if name in used.get(source.name, set())
    ]


def troubles(rows: pl.DataFrame) -> dict[str, list[dict[str, str]]]:
    """Return the known breaks and other known trouble of the sources, each with its dates, effect and reference."""
    found: dict[str, list[dict[str, str]]] = {"break": [], "other": []}
    for row in rows.iter_rows(named=True):
        series = row["series"] and series_title(row["source"], row["series"])
        first, last = in_month(row["first_day"]), in_month(row["last_day"])
        text = {
            "where": series or SOURCE_TITLES.get(row["source"], row["source"]),
            "when": first if first == last else f"{first} to {last}",
            "effect": row["effect"] or "",
            "reference": row["reference"] or "",
        }
        found["break" if row["kind"] == "break" else "other"].append(text)
    return found


def crossings(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Say for each series whether and when PyTorch and TensorFlow changed places, and whether that lasted."""
    titles = {"pytorch": "PyTorch", "tensorflow": "TensorFlow"}
    found = []
    for row in rows.iter_rows(named=True):
        leader, challenger = titles[row["leader"]], titles[row["challenger"]]
        if row["crossed"] is None:
            order = f"{leader} led throughout"
        else:
            order = f"{challenger} passed {leader} in {in_month(row['crossed'])}"
        found.append(
            {
                "source": SOURCE_TITLES.get(row["source"], row["source"]),
                "counted": f"{METRICS.get(row['metric'], row['metric'])}: {series_title(row['source'], row['series'])}",
                "seen": _months(row),
                "order": order,
                "lasted": _lasted(row),
            }
        )
    return found


def reconciled(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Compare every published figure with the measured one."""
    found = []
    for row in rows.iter_rows(named=True):
        agrees = {True: "agrees", False: "differs", None: "cannot be compared"}[row["within_tolerance"]]
        found.append(
            {
                **{name: row[name] or "" for name in ("claim", "metric", "as_of", "citation", "definition", "reason")},
                **{name: _written(row[name], row["unit"]) for name in ("published", "measured")},
                "tolerance": _written(row["tolerance"], row["unit"], tolerance=True),
                "agrees": agrees,
            }
        )
    return found


def credited(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Return a row of the table of origins for every origin in use.

    Args:
        rows: as the query `ORIGINS` returns them.
    """
    return [
        {
            "source": SOURCE_TITLES.get(row["source"], row["source"]),
            "origin": row["origin"] or "not named",
            "where": credit.where if credit else "",
            "what": credit.what if credit else "fetched by this pipeline",
            "licence": credit.licence if credit else SOURCES[row["source"]].licence,
            "figures": f"{row['figures']:,}",
            "months": _months(row) or "without months",
        }
        for row in rows.iter_rows(named=True)
        for credit in [_credit(row["origin"])]
    ]


def credit_line(rows: pl.DataFrame, *sources: str) -> str:
    """Return who published the figures of these sources, as a line below a chart."""
    origins = rows.filter(pl.col("source").is_in(sources))["origin"].drop_nulls().unique(maintain_order=True)
    named = []
    for origin in origins:
        credit = _credit(origin)
        named.append(f"{origin}, {credit.licence}" if credit and credit.licence != NO_LICENCE else origin)
    return f"Figures: {'; '.join(named)}" if named else "Figures: none"


def _spans(rows: pl.DataFrame) -> tuple[Span, ...]:
    found = []
    for status, run in groupby(rows.iter_rows(named=True), key=lambda row: row["status"]):
        months = list(run)
        reasons = dict.fromkeys(row["reason"] for row in months if row["reason"] and status != "present")
        found.append(Span(status, months[0]["month"], months[-1]["month"], len(months), "; ".join(reasons)))
    return tuple(found)


def _months(row: Mapping[str, Any]) -> str:
    """Write the first and the last month of a row; nothing where it has none."""
    return f"{in_month(row['first_month'])} to {in_month(row['last_month'])}" if row["first_month"] else ""


def _lasted(row: Mapping[str, Any]) -> str:
    if row["crossed"] is None:
        return ""
    if row["lasted"]:
        return "yes, for six more months at least"
    if row["lasted"] is None:
        return "too early to know"
    return f"no; for good from {in_month(row['settled'])}" if row["settled"] else "no"


def _written(value: float | None, unit: str | None, *, tolerance: bool = False) -> str:
    if value is None:
        return NONE
    if unit is not None and unit.startswith("month"):
        return f"{value:.0f} months" if tolerance else f"{value // 100:.0f}-{value % 100:02.0f}"
    return f"{figure(value, unit)} {unit}" if unit == "questions" and not tolerance else figure(value, unit)


def _credit(origin: str | None) -> Credit | None:
    return next((credit for start, credit in CREDITS.items() if origin and origin.startswith(start)), None)
