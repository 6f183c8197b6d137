"""Every claim as a card: what it says, how it stood when the article appeared, how it stands now, what would flip it.

Pure: frames in, dataclasses out. The rule that makes one verdict of many definitions is in `marts.headline_verdicts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

THEN = date(2023, 1, 1)
"""The month in which the article appeared."""

DECIDED = ("supported", "refuted")


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
    meaning: str
    unit: str | None
    rule: str | None
    threshold: float | None
    upper: float | None
    least_n: int | None
    headline: bool
    then: Reading
    now: Reading


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
    history: tuple[tuple[date, str], ...]
    """Months in which the headline verdict changed, and what it became."""

    @property
    def anchor(self) -> str:
        """The card's place on the page."""
        return self.claim.lower()

    def flips(self, when: str) -> tuple[Definition, ...]:
        """Return the definitions that decide otherwise than the headline of that time does."""
        headline = getattr(self, when)
        decided = [found for found in self.definitions if getattr(found, when).verdict in DECIDED]
        if headline in DECIDED:
            return tuple(found for found in decided if getattr(found, when).verdict != headline)
        return tuple(decided) if headline == "mixed" else ()

    def found(self, when: str, verdict: str) -> tuple[Definition, ...]:
        """Return the definitions that came to `verdict` at that time."""
        return tuple(found for found in self.definitions if getattr(found, when).verdict == verdict)


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
