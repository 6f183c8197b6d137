"""How PyTorch compares with TensorFlow in each source, as clauses of a sentence, for the answer and the titles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.formatting import in_full, listed

COUNTED = {"papers": "papers", "stackoverflow": "questions", "pypi": "downloads"}
"""What is counted in each source, in the order in which a sentence names them."""

LEVEL = 1.05
"""Up to this ratio, neither is ahead."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The newest figures of one source that can be quoted, and since when PyTorch has been ahead."""

    source: str
    month: date
    """The month of the figures; for a year, its first month."""
    is_year: bool
    pytorch: float
    tensorflow: float
    ratio: float
    since: date | None
    """First month, or year, from which PyTorch stayed ahead; None if it is not ahead, or always was."""
    was_behind: bool
    """Whether TensorFlow was ahead at some time."""

    @property
    def counted(self) -> str:
        """What is counted."""
        return COUNTED[self.source]

    @property
    def when(self) -> str:
        """When the figures are of."""
        return self.period(self.month)

    @property
    def leader(self) -> str | None:
        """Who is ahead in the newest figures; None if they are level."""
        return leader(self.ratio)

    def period(self, month: date) -> str:
        """Write a month of this source; for papers, its year."""
        return str(month.year) if self.is_year else in_full(month)


def leads(rows: pl.DataFrame, crossings: pl.DataFrame) -> Mapping[str, Lead]:
    """Return the lead in every source that has figures of both.

    Args:
        rows: as the query `lead` returns them.
        crossings: as the query `crossovers` returns them.
    """
    found = {}
    for source in COUNTED:
        figures = rows.filter(pl.col("source") == source, pl.col("ratio") > 0).sort("month")
        if figures.is_empty():
            continue
        last = figures.row(-1, named=True)
        is_year = last["period"] == "year"
        passed = _year_of_passing(figures) if is_year else _month_of_passing(crossings, source)
        found[source] = Lead(
            source=source,
            month=last["month"],
            is_year=is_year,
            pytorch=last["pytorch"],
            tensorflow=last["tensorflow"],
            ratio=last["ratio"],
            since=passed if last["ratio"] > 1 else None,
            was_behind=bool((figures["ratio"] < 1).any()),
        )
    return found


def clause(lead: Lead, other: str = "TensorFlow") -> str:
    """Say what PyTorch did in the source: `passed TensorFlow in downloads in January 2024`."""
    if lead.leader == "TensorFlow":
        return f"is behind {other} in {lead.counted} ({to_one(lead.ratio)} in {lead.when})"
    if lead.leader is None:
        return f"{'drew' if lead.was_behind else 'is'} level in {lead.counted} by {lead.when}"
    if lead.since is None:
        return f"is ahead of {other} in {lead.counted} ({to_one(lead.ratio)} in {lead.when})"
    return f"passed {other} in {lead.counted} in {lead.period(lead.since)}"


def together(found: Mapping[str, Lead]) -> str:
    """Say in one sentence, without a full stop, what PyTorch did in every source; empty if there are no figures."""
    ordered = sorted(found.values(), key=lambda lead: (lead.leader == "TensorFlow", lead.since or lead.month))
    said: list[str] = []
    for lead in ordered:
        named = any("TensorFlow" in text for text in said)
        said.append(clause(lead, "it" if named else "TensorFlow"))
    return f"PyTorch {listed(said)}" if said else ""


def leader(ratio: float) -> str | None:
    """Return who is ahead at this ratio of PyTorch to TensorFlow; None if they are level."""
    if ratio > LEVEL:
        return "PyTorch"
    return "TensorFlow" if ratio < 1 / LEVEL else None


def to_one(ratio: float) -> str:
    """Write a ratio as people say it: `4.3 to 1`, `1 to 1.3`, `level`."""
    if 1 / LEVEL <= ratio <= LEVEL:
        return "level"
    return f"{_short(ratio)} to 1" if ratio > 1 else f"1 to {_short(1 / ratio)}"


def _short(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004 - two digits are enough


def _year_of_passing(years: pl.DataFrame) -> date | None:
    behind = years.filter(pl.col("ratio") <= 1)
    if behind.is_empty():
        return None
    found: Any = years.filter(pl.col("month") > behind["month"].max())["month"].min()
    return found if isinstance(found, date) else None


def _month_of_passing(crossings: pl.DataFrame, source: str) -> date | None:
    """Return the month since which PyTorch has been ahead in the headline series, even if too recent to be settled."""
    passed = crossings.filter(pl.col("source") == source, pl.col("is_headline"), pl.col("leader") == "tensorflow").rows(
        named=True
    )
    if not passed:
        return None
    row = passed[0]
    found: Any = row["settled"] or (None if row["lasted"] is False else row["crossed"])
    return found if isinstance(found, date) else None
