"""Every claim as a card: what it says, its verdict when the article appeared, its verdict now, and what would flip it.

Pure: frames in, dataclasses out. The rule that combines definitions into one verdict is in `marts.headline_verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.report import verdict_reasons
from fw_pipeline.report.claim_standing import (
    AGAINST,
    DECIDED,
    FOR,
    UNDECIDED,
    Definition,
    Standing,
    definition,
    standing,
)
from fw_pipeline.report.formatting import VERDICTS, in_month

THEN = date(2023, 1, 1)
"""The month in which the article appeared."""

CHANGES: Mapping[str, str] = MappingProxyType(
    {
        "turned": "Changed since {then}",
        "regrouped": "Another verdict only because other sources have recent figures",
        "found": "Decided now, and not in {then}",
        "lapsed": "Decided then, without recent figures now (in brackets what the last ones said)",
    }
)
"""How a verdict can have changed, as the page words it."""


LIVE = " A live fetch of "
"""The phrase before what would supply a verdict, in `marts.headline_verdicts`."""


@dataclass(frozen=True, slots=True)
class Card:
    """A claim with its verdicts."""

    claim: str
    title: str
    quote: str
    kind: str
    reason: str
    judged_by: str
    sources: tuple[str, ...]
    then: Standing
    now: Standing
    definitions: tuple[Definition, ...]
    """The headline definitions come first."""
    history: tuple[tuple[str, str, tuple[str, ...], str | None], ...]
    """Months in which the verdict changed: the new verdict, what is shown with it, and the month of its figures. That
    month is empty if it is the as-of month itself, and None if no figures decide.
    """
    sentence: str
    """What the latest figures say, in plain English; for a claim without a verdict, what is known and why."""
    since: str
    """Until when the claim held, or since when, if that has changed."""

    @property
    def anchor(self) -> str:
        """The card's place on the page."""
        return self.claim.lower()

    @property
    def is_told(self) -> bool:
        """Whether any figures ever supported a verdict."""
        return self.now.latest[0] not in UNDECIDED

    @property
    def is_old(self) -> bool:
        """Whether the last verdict is based on figures that are too old to decide today."""
        return self.is_told and self.now.verdict == "insufficient_data"

    @property
    def lacking(self) -> str:
        """Which sources would have to be queried for a verdict; empty if no source counts it."""
        return self.now.why.partition(LIVE)[2].partition(" would supply more")[0]

    @property
    def formulas(self) -> tuple[tuple[Definition, ...], ...]:
        """The definitions, grouped by formula: those of one formula differ only in the series."""
        found: dict[str, list[Definition]] = {}
        for each in self.definitions:
            found.setdefault(each.formula, []).append(each)
        return tuple(tuple(group) for group in found.values())

    @property
    def change(self) -> str:
        """How the verdict has changed since the article: a key of `CHANGES`, or nothing.

        It has changed only if a source with a vote at both times votes differently now, or if a prediction came true or
        was due.
        """
        then, now = self.then, self.now
        ahead = {then.ahead, now.ahead}
        if len(ahead) > 1 and ahead <= {*DECIDED, "mixed"}:
            return "turned"
        if then.verdict == now.verdict:
            return ""
        if now.verdict in UNDECIDED:
            return "lapsed"
        if then.verdict in UNDECIDED:
            return "found"
        if then.verdict == "not_yet":
            return "turned"
        before = dict(then.votes)
        return "turned" if any(before.get(source, vote) != vote for source, vote in now.votes) else "regrouped"

    @property
    def became(self) -> str:
        """Describe the verdict then and now: `mixed, now refuted`; or what its last figures said."""
        now = self.now
        if self.then.verdict == now.verdict:
            said = [VERDICTS[each] for each in (self.then.ahead, now.ahead) if each]
            return f"the prediction: {', now '.join(said)}"
        if now.verdict == "insufficient_data" and now.carried:
            return f"{VERDICTS[now.carried]} in {in_month(now.carried_measured)}"
        return f"{VERDICTS[self.then.verdict]}, now {VERDICTS[now.verdict]}"

    def at(self, when: str) -> Standing:
        """Return the standing `then` or `now`."""
        return self.then if when == "then" else self.now

    def turns(self, when: str) -> tuple[tuple[str, tuple[Definition, ...]], ...]:
        """Return what flips the claim at that time: the definitions whose verdict differs from its headline.

        For a mixed claim, and for one that its headline leaves open, these are both sides. Predictions do not flip a
        verdict on the present.
        """
        headline = self.at(when).verdict
        camp = FOR if headline in FOR else AGAINST if headline in AGAINST else ()
        ahead = all(found.is_ahead for found in self.definitions if found.headline)
        camps = (
            (
                verdict,
                tuple(
                    found
                    for found in self.definitions
                    if found.at(when).verdict == verdict and found.at(when).counts and found.is_ahead == ahead
                ),
            )
            for verdict in DECIDED
            if verdict not in camp
        )
        return tuple((verdict, found) for verdict, found in camps if found)


def cards(claims: pl.DataFrame, verdicts: pl.DataFrame, headlines: pl.DataFrame) -> tuple[Card, ...]:
    """Return a card for every claim, in the order of `claims`.

    Args:
        claims: the claims.
        verdicts: every verdict under every definition.
        headlines: the headline verdict of every claim and month.
    """
    tables = [_by_claim(table) for table in (verdicts, headlines)]
    empty = [table.clear() for table in (verdicts, headlines)]
    return tuple(
        _card(row, *(found.get(row["claim"], none) for found, none in zip(tables, empty, strict=True)))
        for row in claims.iter_rows(named=True)
    )


def tally(found: Sequence[Card], when: str) -> dict[str, int]:
    """Return how many claims have each verdict, `then`, or by the latest figures that decided (`now`)."""
    verdicts = [card.then.verdict if when == "then" else card.now.latest[0] for card in found]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}


def _by_claim(rows: pl.DataFrame) -> Mapping[Any, pl.DataFrame]:
    return {key[0]: found for key, found in rows.group_by(["claim"], maintain_order=True)}


def _card(row: dict[str, Any], verdicts: pl.DataFrame, headlines: pl.DataFrame) -> Card:
    is_measurable = row["kind"] != "not_measurable"
    halves = verdicts.filter("headline")["due"].is_not_null()
    has_both = halves.any() and not halves.all()
    stood = {found["as_of"]: standing(found, has_both=has_both) for found in headlines.iter_rows(named=True)}
    otherwise = Standing("insufficient_data" if is_measurable else "not_measurable", "Nothing was measured by then.")
    then, now = stood.get(THEN, otherwise), stood[max(stood)] if stood else otherwise
    steps: list[tuple[str, str, tuple[str, ...], str | None]] = []
    for month in sorted(stood):
        measured = stood[month].measured
        figures_of = None if measured is None else "" if measured == month else in_month(measured)
        found = (stood[month].verdict, stood[month].beside, figures_of)
        if not steps or steps[-1][1:] != found:
            steps.append((month.isoformat(), *found))
    carrying = next(
        (stood[month] for month in sorted(stood, reverse=True) if stood[month].verdict == now.latest[0]), now
    )
    undecided = {"then": then.undecided, "now": now.undecided}
    groups = verdicts.group_by(["definition"], maintain_order=True) if is_measurable else ()
    return Card(
        claim=row["claim"],
        title=row["title"],
        quote=row["quote"],
        kind=row["kind"],
        reason=row["reason"] or "",
        judged_by=row["judged_by"] or "",
        sources=tuple(row["source_list"] or ()),
        then=then,
        now=now,
        definitions=tuple(sorted((definition(rows, then=THEN, undecided=undecided) for _, rows in groups), key=_rank)),
        history=tuple(steps),
        sentence=verdict_reasons.sentence(verdicts, *now.latest, carrying.votes)
        or verdict_reasons.undecided(verdicts, now.why),
        since=_since([(month, stood[month]) for month in sorted(stood)]),
    )


def _since(stood: Sequence[tuple[date, Standing]]) -> str:
    """Say until when a refuted claim held, or since when a claim holds that was not supported before."""
    decided = [(month, found) for month, found in stood if found.verdict not in UNDECIDED]
    if not decided:
        return ""
    last = decided[-1][1]
    if last.came_true_since:
        return ""  # it is shown next to the verdict
    held = [found.verdict in FOR for _, found in decided]
    if last.verdict == "refuted" and True in held:
        turned = len(held) - held[::-1].index(True)
        return f"It held until {in_month(decided[turned - 1][1].measured)}."
    if last.verdict == "supported" and False in held:
        turned = len(held) - held[::-1].index(False)
        return f"It has held since {in_month(decided[turned][1].measured)}."
    return ""


def _rank(found: Definition) -> tuple[bool, bool]:
    """Put headline definitions first and unmeasured ones last; otherwise keep the order of the claim's document."""
    return (not found.headline, found.now.value is None)
