"""The answer to the question of the article, and how PyTorch compares with TensorFlow in each source.

Both are made from the published figures: the answer as two or three sentences, the comparison as clauses of a sentence,
for the answer and for the titles of charts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.figure import sql
from fw_pipeline.report.formatting import in_full, listed, percent

COUNTED = {"papers": "papers", "stackoverflow": "questions", "pypi": "downloads"}
"""What is counted in each source, in the order in which a sentence names them."""

LEVEL = 1.05
"""Up to this ratio, neither is ahead."""

QUESTION = "Is TensorFlow dying a slow death?"
"""The question in the article's title."""

OPENINGS = {
    "rises": "Its own downloads say no",
    "falls": "Its own downloads say so",
    "unclear": "Its own downloads do not say so",
}
"""Sentences for each direction of TensorFlow's downloads, and for when their interval leaves it open."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """The question, and the answer from the figures."""

    question: str
    sentences: tuple[str, ...]
    """Each names the months of its figures; if there are none, a sentence says so."""


def answer(read: Callable[[str], pl.DataFrame]) -> Answer:
    """Return the answer.

    Args:
        read: runs one SQL query on the published file and returns its rows.
    """
    growth = read(sql("own_growth")).filter(pl.col("framework") == "tensorflow")
    found = leads(read(sql("lead")), read(sql("crossovers")))
    sentences = [*_own(growth), *_downloads(found, after=not growth.is_empty()), *_others(found, read(sql("site")))]
    return Answer(QUESTION, tuple(sentences) or ("No source has figures of both yet, so nothing can be said.",))


def _own(growth: pl.DataFrame) -> list[str]:
    """Say how TensorFlow's own downloads changed, in the newest year that can be compared with the year before."""
    if growth.is_empty():
        return []
    row = growth.row(0, named=True)
    ends = [f"{percent(row[end])} {'more' if row[end] > 0 else 'fewer'}" for end in ("change_low", "change_high")]
    more = "more" if row["change"] > 0 else "fewer"
    said = f"in the year to {in_full(row['month'])}, the last that can be compared with the one before, there were"
    doubt = f"(the scatter of the months allows {ends[0]} to {ends[1]})"
    return [f"{OPENINGS[row['direction'] or 'unclear']}: {said} {percent(row['change'])} {more} {doubt}."]


def _downloads(found: Mapping[str, Lead], *, after: bool) -> list[str]:
    """Say how PyTorch's downloads compare with TensorFlow's."""
    lead = found.get("pypi")
    if lead is None:
        return []
    ratio = f" and had {to_one(lead.ratio).removesuffix(' to 1')} for each one of TensorFlow's in {lead.when}"
    return [f"{'But ' if after else ''}PyTorch {clause(lead)}{ratio if lead.since else ''}."]


def _others(found: Mapping[str, Lead], site: pl.DataFrame) -> list[str]:
    """Say how PyTorch compares in papers and questions, and how the total of questions has changed."""
    parts = []
    if (papers := found.get("papers")) is not None:
        parts.append(f"in papers at conferences PyTorch {_standing(papers)}")
    if (questions := found.get("stackoverflow")) is not None:
        who = "it" if parts else "PyTorch"
        parts.append(f"in questions on Stack Overflow {who} {_standing(questions)}{_of_the_site(questions, site)}")
    said = listed(parts)
    return [f"{said[0].upper()}{said[1:]}."] if said else []


def _standing(lead: Lead) -> str:
    if lead.leader is None:
        amounts = f"{lead.pytorch:,.0f} to TensorFlow's {lead.tensorflow:,.0f}"
        return f"{'drew' if lead.was_behind else 'is'} level by {lead.when} ({amounts})"
    if lead.since is not None:
        return f"has led since {lead.period(lead.since)} ({to_one(lead.ratio)} in {lead.when})"
    return f"is {'ahead' if lead.leader == 'PyTorch' else 'behind'} ({to_one(lead.ratio)} in {lead.when})"


def _of_the_site(lead: Lead, site: pl.DataFrame) -> str:
    """Say how the site's questions changed in the year to the month; empty if that cannot be compared."""
    change = year_on_year(site, "site")
    if change is None or site["month"][0] != lead.month:
        return ""
    more = "more" if change > 0 else "fewer"
    return f", while the whole site had {percent(change)} {more} questions than a year before"


def year_on_year(site: pl.DataFrame, column: str) -> float | None:
    """Return the change of `column` in the year to the newest month; None if a break or a gap lies in between.

    Args:
        site: as the query of that name returns it, the newest month first.
        column: `tensorflow`, `pytorch` or `site`, for all questions.
    """
    if site.is_empty():
        return None
    newest: date = site["month"][0]
    before = site.filter(pl.col("month") == newest.replace(year=newest.year - 1))[column]
    return site[column][0] / before[0] - 1 if len(before) and before[0] else None
