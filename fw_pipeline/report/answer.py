"""The answer to the question of the article, in two or three sentences made from the published figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from fw_pipeline.report.figure import sql
from fw_pipeline.report.formatting import in_full, listed, percent
from fw_pipeline.report.leads import Lead, clause, leads, to_one

QUESTION = "Is TensorFlow dying a slow death?"
"""The question in the article's title."""

OPENINGS = {
    "rises": "Its own downloads say no",
    "falls": "Its own downloads say so",
    "unclear": "Its own downloads do not say so",
}
"""Sentences for each direction of TensorFlow's downloads, and for when their interval leaves it open."""


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
