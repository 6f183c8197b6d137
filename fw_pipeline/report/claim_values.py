"""One definition of a claim: what it measured at two times, and what it decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from fw_pipeline.report import methodology
from fw_pipeline.report.formatting import bounded

FOR, AGAINST = ("supported", "came_true"), ("refuted", "not_yet")

DECIDED = (*FOR, *AGAINST)
"""Verdicts of a measurement that decides, those that bear a claim out first."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One definition's verdict as of one month."""

    month: date | None
    """The month of the measurement."""
    value: float | None
    low: float | None
    high: float | None
    verdict: str
    is_stale: bool = False
    """Whether the measurement decided, and is too old to count in the as-of month."""

    @property
    def counts(self) -> bool:
        """Whether the verdict decides in the as-of month."""
        return self.verdict in DECIDED and not self.is_stale


NOTHING = Reading(None, None, None, None, "insufficient_data")


@dataclass(frozen=True, slots=True)
class Definition:
    """One way to measure a claim, and what came out of it."""

    name: str
    formula: str
    series: str
    meaning: str
    unit: str | None
    rule: str | None
    threshold: float | None
    upper: float | None
    least_n: int | None
    headline: bool
    is_ahead: bool
    """Whether it looks ahead: a prediction with a month in which it is due."""
    then: Reading
    now: Reading

    def at(self, when: str) -> Reading:
        """Return the reading `then` or `now`."""
        return self.then if when == "then" else self.now

    def shown(self, when: str) -> str:
        """Write the value `then` or `now`; of a bound or an estimate, where the true value lies."""
        reading = self.at(when)
        return bounded(reading.value, reading.low, reading.high, self.unit)


def definition(rows: pl.DataFrame, *, then: date, undecided: Mapping[str, Collection[str]]) -> Definition:
    """Return the definition whose rows of `marts.verdicts` these are.

    Args:
        rows: all of one claim and definition.
        then: the month in which the article appeared.
        undecided: for `then` and `now`, the definitions that decide nothing, the measured but too old ones included.
    """
    first = rows.row(0, named=True)
    name = first["definition"]
    dated = rows.drop_nulls("as_of").sort("as_of")
    before = dated.filter(pl.col("as_of") <= then)
    return Definition(
        name=name,
        formula=first["formula"] or name,
        series=methodology.plain(first["source"], first["series"] or "no series"),
        meaning=first["meaning"] or "",
        unit=first["unit"],
        rule=first["rule"],
        threshold=first["threshold"],
        upper=first["upper"],
        least_n=first["least_n"],
        headline=bool(first["headline"]),
        is_ahead=first["due"] is not None,
        then=_reading(before, is_undecided=name in undecided["then"]),
        now=_reading(dated, is_undecided=name in undecided["now"]),
    )


def _reading(rows: pl.DataFrame, *, is_undecided: bool) -> Reading:
    """Return the newest measurement that decides, which no later gap erases; else the newest that has a value."""
    decided = rows.filter(pl.col("verdict").is_in(DECIDED))
    valued = rows.drop_nulls("value")
    for found in (valued, rows) if is_undecided else (decided, valued, rows):
        if found.height:
            last = found.row(-1, named=True)
            stale = is_undecided and last["verdict"] in DECIDED
            return Reading(last["as_of"], last["value"], last["low"], last["high"], last["verdict"], stale)
    return NOTHING
