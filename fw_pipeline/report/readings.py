"""One definition of a claim: what it measured at two times, and how that is told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from fw_pipeline.report.words import figure, in_month, suffix

DECIDED = ("supported", "refuted")

LONG_DECIMAL = re.compile(r"\d+\.\d{3,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """One definition's verdict as of one month."""

    month: date | None
    """The month of the measurement: the latest at or before the as-of month."""
    value: float | None
    n: int | None
    verdict: str
    why: str
    is_stale: bool = False
    """Whether the measurement is too old to count in the as-of month; then its verdict is `insufficient_data`."""


NOTHING = Reading(None, None, None, "insufficient_data", "nothing was measured by then")


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
    then: Reading
    now: Reading

    def at(self, when: str) -> Reading:
        """Return the reading `then` or `now`."""
        return self.then if when == "then" else self.now

    def said(self, when: str) -> str:
        """Say in a sentence what the definition came to, `then` or `now`, and what would decide."""
        reading = self.at(when)
        if reading.is_stale:
            return (
                f"last {figure(reading.value, self.unit)}{suffix(self.unit)} in {in_month(reading.month)}, too old now"
            )
        if reading.verdict not in DECIDED or reading.value is None:
            return _shortened(reading.why)
        met = "is" if reading.verdict == "supported" else "is not"
        upper = "" if self.upper is None else f" and {figure(self.upper, self.unit)}"
        value, limit = figure(reading.value, self.unit), figure(self.threshold, self.unit)
        told = f"{value}{suffix(self.unit)} {met} {self.rule} {limit}{upper}"
        count = f"n = {reading.n:,}" if reading.n is not None else ""
        _, _, note = reading.why.partition("; ")
        return "; ".join(part for part in (told, count, _shortened(note)) if part)


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
        series=first["series"] or "no series",
        meaning=first["meaning"] or "",
        unit=first["unit"],
        rule=first["rule"],
        threshold=first["threshold"],
        upper=first["upper"],
        least_n=first["least_n"],
        headline=bool(first["headline"]),
        then=_reading(before, is_undecided=name in undecided["then"]),
        now=_reading(dated, is_undecided=name in undecided["now"]),
    )


def _reading(rows: pl.DataFrame, *, is_undecided: bool) -> Reading:
    if rows.is_empty():
        return NOTHING
    last = rows.row(-1, named=True)
    found = Reading(last["as_of"], last["value"], last["n"], last["verdict"], last["why"] or "")
    if is_undecided and found.verdict in DECIDED:
        return replace(found, verdict="insufficient_data", is_stale=True)
    return found


def _shortened(text: str) -> str:
    """Shorten the long decimals of a sentence that a query wrote."""
    return LONG_DECIMAL.sub(lambda found: figure(float(found[0])), text)
