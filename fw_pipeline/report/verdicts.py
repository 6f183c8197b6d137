"""Every claim as a card: what it says, how it stood when the article appeared, how it stands now, what would flip it.

Pure: frames in, dataclasses out. The rule that makes one verdict of many definitions is in `marts.headline_verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.readings import DECIDED, NOTHING, Definition, definition

THEN = date(2023, 1, 1)
"""The month in which the article appeared."""

CAMPS = ("for", "against")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a claim stands in one month."""

    verdict: str
    why: str
    """Why there is no verdict; empty where there is one."""
    undecided: tuple[str, ...] = ()
    """Definitions that decide nothing in that month."""
    hangs_on: tuple[str, ...] = ()
    """Definitions without which there would be another verdict."""
    drift_flips: tuple[str, ...] = ()
    """Definitions whose verdict the drift of the source alone could flip."""
    leans_on_gap: tuple[str, ...] = ()
    """Definitions that lean on a gap, a partial month or known trouble."""

    @property
    def cautions(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What to know before leaning on the verdict: in words, and the definitions that it holds for."""
        said = (
            ("Another verdict without", self.hangs_on),
            ("Drift of the source alone could flip", self.drift_flips),
            ("Leans on a gap, a partial month or known trouble:", self.leans_on_gap),
        )
        return tuple((text, found) for text, found in said if found)


@dataclass(frozen=True, slots=True)
class Card:
    """A claim with its verdicts."""

    claim: str
    title: str
    quote: str
    kind: str
    reason: str
    sources: tuple[str, ...]
    then: Standing
    now: Standing
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
        """Whether the headline decides otherwise now than when the article appeared."""
        return self.now.verdict not in (self.then.verdict, "insufficient_data")

    @property
    def has_lapsed(self) -> bool:
        """Whether there was a verdict when the article appeared, and is none now."""
        return self.now.verdict == "insufficient_data" != self.then.verdict

    def at(self, when: str) -> Standing:
        """Return the standing `then` or `now`."""
        return self.then if when == "then" else self.now

    def turns(self, when: str) -> tuple[tuple[str, tuple[Definition, ...]], ...]:
        """Return what flips the claim at that time: the definitions that decide otherwise than its headline.

        For a mixed claim, and for one that its headline leaves open, these are both camps.
        """
        headline = self.at(when).verdict
        camps = ((verdict, self._found(when, verdict)) for verdict in DECIDED if verdict != headline)
        return tuple((verdict, found) for verdict, found in camps if found)

    def split(self, when: str) -> str:
        """Count the definitions by what they decide: `8 for, 4 against`."""
        counts = [(len(self._found(when, verdict)), word) for verdict, word in zip(DECIDED, CAMPS, strict=True)]
        return ", ".join(f"{count} {word}" for count, word in counts if count) or "none decides"

    def telling(self, when: str) -> tuple[Definition, ...]:
        """Return the definitions that show best why the headline of that time is what it is: one, or two at odds."""
        headline = self.at(when).verdict
        wanted = DECIDED if headline == "mixed" else (headline,)
        known = [found for found in self.definitions if found.at(when) is not NOTHING]
        shown = (next((each for each in known if each.at(when).verdict == verdict), None) for verdict in wanted)
        return tuple(found for found in shown if found is not None)

    def _found(self, when: str, verdict: str) -> tuple[Definition, ...]:
        return tuple(found for found in self.definitions if found.at(when).verdict == verdict)


def cards(
    claims: pl.DataFrame, verdicts: pl.DataFrame, headlines: pl.DataFrame, standings: pl.DataFrame
) -> tuple[Card, ...]:
    """Return a card for every claim, in the order of `claims`.

    Args:
        claims: the claims.
        verdicts: every verdict under every definition.
        headlines: the headline verdict of every claim and month.
        standings: the same in full, of the month of the article and of the latest.
    """
    tables = [_by_claim(table) for table in (verdicts, headlines, standings)]
    empty = [table.clear() for table in (verdicts, headlines, standings)]
    return tuple(
        _card(row, *(found.get(row["claim"], none) for found, none in zip(tables, empty, strict=True)))
        for row in claims.iter_rows(named=True)
    )


def tally(found: Sequence[Card], when: str) -> dict[str, int]:
    """Return how many claims have each verdict, `then` or `now`."""
    verdicts = [card.at(when).verdict for card in found]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def _by_claim(rows: pl.DataFrame) -> Mapping[Any, pl.DataFrame]:
    return {key[0]: found for key, found in rows.group_by(["claim"], maintain_order=True)}


def _card(row: dict[str, Any], verdicts: pl.DataFrame, headlines: pl.DataFrame, standings: pl.DataFrame) -> Card:
    is_measurable = row["kind"] != "not_measurable"
    steps: list[tuple[date, str]] = []
    for month, verdict in headlines.drop_nulls("as_of").sort("as_of").select("as_of", "verdict").iter_rows():
        if not steps or steps[-1][1] != verdict:
            steps.append((month, verdict))
    otherwise = Standing("insufficient_data" if is_measurable else "not_measurable", NOTHING.why)
    stood = {found["as_of"]: found for found in standings.iter_rows(named=True)}
    then = _standing(stood.get(THEN), otherwise)
    now = _standing(stood[max(stood)] if stood else None, otherwise)
    undecided = {"then": then.undecided, "now": now.undecided}
    groups = verdicts.group_by(["definition"], maintain_order=True) if is_measurable else ()
    return Card(
        claim=row["claim"],
        title=row["title"],
        quote=row["quote"],
        kind=row["kind"],
        reason=row["reason"] or "",
        sources=tuple(row["source_list"] or ()),
        then=then,
        now=now,
        definitions=tuple(sorted((definition(rows, then=THEN, undecided=undecided) for _, rows in groups), key=_rank)),
        history=tuple(steps),
    )


def _standing(row: Mapping[str, Any] | None, otherwise: Standing) -> Standing:
    if row is None:
        return otherwise
    lists = ("definitions_undecided", "hangs_on", "drift_flips", "leans_on_gap")
    return Standing(row["verdict"], row["why"] or "", *(tuple(row[name] or ()) for name in lists))


def _rank(found: Definition) -> tuple[bool, bool]:
    """Put what decides the headline first, and what was never measured last; else as the claim's document has it."""
    return (not found.headline, found.now.value is None)
