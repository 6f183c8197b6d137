"""Every claim as a card: what it says, how it stood when the article appeared, how it stands now, what would flip it.

Pure: frames in, dataclasses out. The rule that makes one verdict of many definitions is in `marts.headline_verdicts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.words import figure, suffix

THEN = date(2023, 1, 1)
"""The month in which the article appeared."""

DECIDED = ("supported", "refuted")
CAMPS = ("for", "against")

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


NOTHING = Reading(None, None, None, "insufficient_data", "Nothing was measured by then.")


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

    def said(self, when: str) -> str:
        """Say in a sentence what the definition came to, `then` or `now`, and what would decide."""
        reading: Reading = getattr(self, when)
        if reading.verdict not in DECIDED or reading.value is None:
            return LONG_DECIMAL.sub(lambda found: figure(float(found[0])), reading.why)
        met = "is" if reading.verdict == "supported" else "is not"
        limit = figure(self.threshold, self.unit) + (
            "" if self.upper is None else f" and {figure(self.upper, self.unit)}"
        )
        _, _, note = reading.why.partition("; ")
        return "; ".join(
            part
            for part in (
                f"{figure(reading.value, self.unit)}{suffix(self.unit)} {met} {self.rule} {limit}",
                f"n = {reading.n:,}" if reading.n is not None else "",
                LONG_DECIMAL.sub(lambda found: figure(float(found[0])), note),
            )
            if part
        )


@dataclass(frozen=True, slots=True)
class Card:
    """A claim with its verdicts."""

    claim: str
    title: str
    quote: str
    kind: str
    reason: str
    sources: tuple[str, ...]
    then: str
    now: str
    definitions: tuple[Definition, ...]
    """Those of the headline first."""
    history: tuple[tuple[date, str], ...]
    """Months in which the headline verdict changed, and what it became."""

    @property
    def anchor(self) -> str:
        """The card's place on the page."""
        return self.claim.lower()

    @property
    def formulas(self) -> tuple[tuple[Definition, ...], ...]:
        """The definitions, those of one formula together: they differ only in the series."""
        found: dict[str, list[Definition]] = {}
        for each in self.definitions:
            found.setdefault(each.formula, []).append(each)
        return tuple(tuple(group) for group in found.values())

    @property
    def has_turned(self) -> bool:
        """Whether the headline is another one now than when the article appeared."""
        return self.then != self.now

    def turns(self, when: str) -> tuple[tuple[str, tuple[Definition, ...]], ...]:
        """Return what flips the claim at that time: the definitions that decide otherwise than its headline.

        For a mixed claim these are both camps.
        """
        headline = getattr(self, when)
        wanted = DECIDED if headline == "mixed" else tuple(set(DECIDED) - {headline}) if headline in DECIDED else ()
        camps = ((verdict, self._found(when, verdict)) for verdict in wanted)
        return tuple((verdict, found) for verdict, found in camps if found)

    def split(self, when: str) -> str:
        """Count the definitions by what they decide: `8 for, 4 against`."""
        counts = [(len(self._found(when, verdict)), word) for verdict, word in zip(DECIDED, CAMPS, strict=True)]
        return ", ".join(f"{count} {word}" for count, word in counts if count) or "none decides"

    def _found(self, when: str, verdict: str) -> tuple[Definition, ...]:
        return tuple(found for found in self.definitions if getattr(found, when).verdict == verdict)

    def telling(self, when: str) -> tuple[Definition, ...]:
        """Return the definitions that show best why the headline of that time is what it is: one, or two at odds."""
        headline = getattr(self, when)
        wanted = DECIDED if headline == "mixed" else (headline,)
        known = [found for found in self.definitions if getattr(found, when) is not NOTHING]
        shown = (next((each for each in known if getattr(each, when).verdict == verdict), None) for verdict in wanted)
        return tuple(found for found in shown if found is not None)


def cards(claims: pl.DataFrame, verdicts: pl.DataFrame, headlines: pl.DataFrame) -> tuple[Card, ...]:
    """Return a card for every claim, in the order of `claims`."""
    by_claim = {key[0]: rows for key, rows in verdicts.group_by(["claim"], maintain_order=True)}
    heads = {key[0]: rows for key, rows in headlines.drop_nulls("as_of").group_by(["claim"], maintain_order=True)}
    return tuple(
        _card(row, by_claim.get(row["claim"], verdicts.clear()), heads.get(row["claim"], headlines.clear()))
        for row in claims.iter_rows(named=True)
    )


def tally(found: Sequence[Card], when: str) -> dict[str, int]:
    """Return how many claims have each verdict, `then` or `now`."""
    verdicts = [getattr(card, when) for card in found]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def _card(row: dict[str, Any], verdicts: pl.DataFrame, headlines: pl.DataFrame) -> Card:
    measurable = row["kind"] != "not_measurable"
    otherwise = "insufficient_data" if measurable else "not_measurable"
    steps: list[tuple[date, str]] = []
    for month, verdict in headlines.sort("as_of").select("as_of", "verdict").iter_rows():
        if not steps or steps[-1][1] != verdict:
            steps.append((month, verdict))
    definitions = [
        _definition(rows) for _, rows in verdicts.group_by(["definition"], maintain_order=True) if measurable
    ]
    return Card(
        claim=row["claim"],
        title=row["title"],
        quote=row["quote"],
        kind=row["kind"],
        reason=row["reason"] or "",
        sources=tuple(row["source_list"] or ()),
        then=next((verdict for month, verdict in reversed(steps) if month <= THEN), otherwise),
        now=steps[-1][1] if steps else otherwise,
        definitions=tuple(sorted(definitions, key=_standing)),
        history=tuple(steps),
    )


def _definition(rows: pl.DataFrame) -> Definition:
    first = rows.row(0, named=True)
    dated = rows.drop_nulls("as_of").sort("as_of")
    before = dated.filter(pl.col("as_of") <= THEN)
    return Definition(
        name=first["definition"],
        formula=first["formula"] or first["definition"],
        series=first["series"] or "nothing measured",
        meaning=first["meaning"] or "",
        unit=first["unit"],
        rule=first["rule"],
        threshold=first["threshold"],
        upper=first["upper"],
        least_n=first["least_n"],
        headline=bool(first["headline"]),
        then=_reading(before),
        now=_reading(dated),
    )


def _reading(rows: pl.DataFrame) -> Reading:
    if rows.is_empty():
        return NOTHING
    last = rows.row(-1, named=True)
    return Reading(last["as_of"], last["value"], last["n"], last["verdict"], last["why"] or "")


def _standing(found: Definition) -> tuple[bool, bool]:
    """Put what decides the headline first, and what was never measured last; else as the claim's document has it."""
    return (not found.headline, found.now.value is None)
