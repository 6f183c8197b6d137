"""The standing of a claim in one month: what each definition measured, the verdict, its qualifications, who decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.formatting import SOURCE_TITLES, VERDICTS, bounded, in_month, listed, series_title

FOR, AGAINST = ("supported", "came_true"), ("refuted", "not_yet")

DECIDED = (*FOR, *AGAINST)
"""Verdicts of a measurement that decides, those that support a claim first."""

UNDECIDED = ("insufficient_data", "not_measurable")


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
    """Whether the measurement decided, but is too old to count in the as-of month."""

    @property
    def counts(self) -> bool:
        """Whether the verdict decides in the as-of month."""
        return self.verdict in DECIDED and not self.is_stale


NOTHING = Reading(None, None, None, None, "insufficient_data")


@dataclass(frozen=True, slots=True)
class Definition:
    """One way to measure a claim, and its results."""

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
    """Whether it is a prediction, with a month in which it is due."""
    then: Reading
    now: Reading

    def at(self, when: str) -> Reading:
        """Return the reading `then` or `now`."""
        return self.then if when == "then" else self.now

    def shown(self, when: str) -> str:
        """Format the value `then` or `now`; for a bound or an estimate, the range of the true value."""
        reading = self.at(when)
        return bounded(reading.value, reading.low, reading.high, self.unit)


def definition(rows: pl.DataFrame, *, then: date, undecided: Mapping[str, Collection[str]]) -> Definition:
    """Return the definition whose rows of `marts.verdicts` these are.

    Args:
        rows: all of one claim and definition.
        then: the month in which the article appeared.
        undecided: for `then` and `now`, the definitions that decide nothing, including those whose measurements are too
            old.
    """
    first = rows.row(0, named=True)
    name = first["definition"]
    dated = rows.drop_nulls("as_of").sort("as_of")
    before = dated.filter(pl.col("as_of") <= then)
    return Definition(
        name=name,
        formula=first["formula"] or name,
        series=series_title(first["source"], first["series"] or "no series"),
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
    """Return the newest measurement that decides, even if a gap follows; otherwise the newest with a value."""
    decided = rows.filter(pl.col("verdict").is_in(DECIDED))
    valued = rows.drop_nulls("value")
    for found in (valued, rows) if is_undecided else (decided, valued, rows):
        if found.height:
            last = found.row(-1, named=True)
            stale = is_undecided and last["verdict"] in DECIDED
            return Reading(last["as_of"], last["value"], last["low"], last["high"], last["verdict"], stale)
    return NOTHING


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of a claim in one month."""

    verdict: str
    why: str
    """A sentence: what decided, by how much, and the months of the figures; or what is missing."""
    measured: date | None = None
    """The newest month whose figures decided."""
    ahead: str | None = None
    """The verdict on the prediction, if the claim is also about the present."""
    came_true_since: date | None = None
    carried: str | None = None
    """The last verdict that figures supported, if there is none for this month."""
    carried_measured: date | None = None
    votes: tuple[tuple[str, str], ...] = ()
    """Each source with a vote, and that vote: `for`, `against` or `mixed`."""
    undecided: tuple[str, ...] = ()
    """Definitions that decide nothing in that month."""
    hangs_on: tuple[str, ...] = ()
    """Sources without which the verdict would be different."""
    drift_flips: tuple[str, ...] = ()
    """Definitions whose verdict could be flipped by drift alone."""
    leans_on_gap: tuple[str, ...] = ()
    """Definitions whose window contains a gap, a partial month or known trouble."""

    @property
    def latest(self) -> tuple[str, date | None]:
        """The last verdict that figures supported, and the month of the newest of them."""
        if self.verdict == "insufficient_data" and self.carried:
            return self.carried, self.carried_measured
        return self.verdict, self.measured

    @property
    def beside(self) -> tuple[str, ...]:
        """What is shown with the verdict: the last one that figures supported, since when, and the prediction."""
        since = f" since {in_month(self.came_true_since)}" if self.came_true_since else ""
        said = []
        if self.verdict == "insufficient_data" and self.carried:
            said.append(f"{VERDICTS[self.carried]} by the last figures, of {in_month(self.carried_measured)}")
        if self.verdict == "came_true" and since:
            said.append(since.strip())
        if self.ahead in (*DECIDED, "mixed"):
            said.append(f"the prediction: {VERDICTS[self.ahead]}{since if self.ahead == 'came_true' else ''}")
        return tuple(said)

    @property
    def ballot(self) -> str:
        """Count the sources that decided, each with one vote: `2 of 2 sources`, or `1 for, 2 against`."""
        counts = {vote: sum(cast == vote for _, cast in self.votes) for vote in ("for", "against", "mixed")}
        if self.verdict in UNDECIDED:
            return "none decides"
        if self.verdict == "not_yet":
            return "not due yet"
        if self.verdict == "mixed":
            return ", ".join(f"{count} {vote}" for vote, count in counts.items() if count)
        agreeing = counts["for" if self.verdict in FOR else "against"]
        return f"{agreeing} of {len(self.votes)} source{'s' * (len(self.votes) != 1)}"

    @property
    def in_a_word(self) -> str:
        """Say in a few words why, for the command line: `2 of 2 sources; prediction: not yet`."""
        since = f"since {self.came_true_since:%Y-%m}" if self.came_true_since else ""
        if self.verdict == "not_measurable":
            return "no source can tell"
        if self.verdict == "insufficient_data" and self.carried and self.carried_measured:
            return f"last: {VERDICTS[self.carried]} {self.carried_measured:%Y-%m}"
        if self.verdict == "insufficient_data":
            return "too little is known" if self.undecided else "no figures by then"
        said = [self.ballot, since if self.verdict == "came_true" else ""]
        if self.ahead not in (None, "insufficient_data"):
            said.append(f"prediction: {VERDICTS[self.ahead]} {since}".rstrip())
        return "; ".join(part for part in said if part)

    @property
    def voters(self) -> str:
        """Name the sources by their vote: `for: PyPI; against: Papers`."""
        named = {
            vote: [SOURCE_TITLES.get(source, source) for source, cast in self.votes if cast == vote]
            for vote in ("for", "against", "mixed")
        }
        return "; ".join(f"{vote}: {listed(sources)}" for vote, sources in named.items() if sources)

    @property
    def cautions(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Caveats about the verdict, each with the sources or definitions that it applies to."""
        sources = tuple(SOURCE_TITLES.get(source, source) for source in self.hangs_on)
        said = (
            ("Another verdict without", sources if len(self.votes) > 1 else ()),
            ("Drift of the source alone could flip", self.drift_flips),
            ("Leans on a gap, a partial month or known trouble:", self.leans_on_gap),
        )
        return tuple((text, found) for text, found in said if found)


def standing(row: Mapping[str, Any], *, has_both: bool) -> Standing:
    """Return the standing in a row of `marts.headline_verdicts`.

    Args:
        row: the row.
        has_both: whether the claim is about both the present and the future.
    """
    votes = {"for": "sources_for", "against": "sources_against", "mixed": "sources_mixed"}
    lists = ("definitions_undecided", "hangs_on", "drift_flips", "leans_on_gap")
    found = Standing(
        row["verdict"],
        row["why"] or "",
        row["measured"],
        row["ahead_verdict"],
        row["came_true_since"],
        row["carried_verdict"],
        row["carried_measured"],
        tuple((source, vote) for vote, name in votes.items() for source in row[name] or ()),
        *(tuple(row[name] or ()) for name in lists),
    )
    return found if has_both else replace(found, ahead=None)
