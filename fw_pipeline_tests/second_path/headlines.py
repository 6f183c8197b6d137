"""The verdict on a claim in a month: the article's own measure, its newest figure, one vote for each source."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline_tests.second_path.figures import read
from fw_pipeline_tests.second_path.judging import FOR, UNDECIDED, verdict
from fw_pipeline_tests.second_path.measured import Measured, definition, documents

SERIES = Path(__file__).parents[2] / "dbt_like_sql" / "seeds" / "headline_series.csv"
LIMIT = 24
"""Months for which a figure decides."""

Found = dict[tuple[str, str], tuple[Measured, str]]
"""By source and formula: the newest measurement that decides, and its verdict."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict on a claim as of a month."""

    verdict: str
    measured: date | None = None
    ahead: str | None = None
    carried: str | None = None
    carried_measured: date | None = None
    sources_for: tuple[str, ...] = ()
    sources_against: tuple[str, ...] = ()


@cache
def ranks() -> Mapping[str, list[tuple[int, str]]]:
    """The places of the series of each source, with the end of the definition that names the series."""
    found: dict[str, list[tuple[int, str]]] = {}
    with SERIES.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found.setdefault(row["source"], []).append((int(row["rank"]), row["definition"]))
    return found


def place(one: Measured) -> tuple[int, str]:
    """Where a series stands among those of its source: as listed, then by name."""
    assert one.beside
    listed = [rank for rank, text in ranks().get(one.beside.source, []) if text.endswith(f", {one.series}")]
    return min(listed, default=len(ranks()) * 100), one.series or ""


def age(month: date, as_of: date) -> int:
    return (month.year - as_of.year) * 12 + month.month - as_of.month


@cache
def out_by(series: str) -> list[tuple[date, date]]:
    """The months that papers of a series are counted in, each with the one in which they were out."""
    rows = read("papers").filter((pl.col("population") == series) & pl.col("month").is_not_null())
    known = rows.select("month", pl.col("observed_on").str.to_date()).unique().rows()
    return [(month, min(month, (seen or month).replace(day=1))) for month, seen in known]


@cache
def measured(one: Measured) -> date:
    """The month of the newest figure in a measurement: of papers, the one in which the newest of them were out."""
    if one.beside is None or one.beside.source != "papers" or one.series is None:
        return one.as_of
    return max((out for month, out in out_by(one.series) if month <= one.as_of), default=one.as_of)


@cache
def decided(found: tuple[Measured, ...]) -> dict[str, list[tuple[Measured, str]]]:
    """The measurements of headline definitions that came to a verdict, by claim."""
    by_claim: dict[str, list[tuple[Measured, str]]] = {claim: [] for claim in documents()}
    for one in found:
        if definition(one.claim, one.formula)["headline"] and (said := verdict(one)) != UNDECIDED:
            by_claim[one.claim].append((one, said))
    return by_claim


def newest(rows: Iterable[tuple[Measured, str]], month: date) -> Found:
    """The newest measurement of each source and formula that decides in a month."""
    last: dict[str, tuple[Measured, str]] = {}
    for one, said in rows:
        if one.as_of <= month and (one.definition not in last or last[one.definition][0].as_of < one.as_of):
            last[one.definition] = (one, said)
    best: dict[tuple[str, str], tuple[tuple[int, int, str], Measured, str]] = {}
    for one, said in last.values():
        assert one.beside
        old = age(month, measured(one))
        if one.series is not None and old > LIMIT:
            continue
        key, order = (one.beside.source, one.formula), (old, *place(one))
        if key not in best or order < best[key][0]:
            best[key] = (order, one, said)
    return {key: (one, said) for key, (_, one, said) in best.items()}


def votes(found: Found) -> dict[str, str]:
    """What each source says: its formulas must agree."""
    said: dict[str, set[str]] = {}
    for (source, _), (_, word) in found.items():
        said.setdefault(source, set()).add(word)
    return {source: _agreed(words) for source, words in said.items()}


def _agreed(words: set[str]) -> str:
    return next(iter(words), UNDECIDED) if len(words) < 2 else "mixed"


def half(claim: Mapping[str, Any], found: Found, *, ahead: bool) -> tuple[str, Found]:
    """The verdict of the formulas that look ahead, or of the others."""
    formulas = {d["formula"] for d in claim["definitions"] if d["headline"] and ("due" in d) == ahead}
    mine = {key: said for key, said in found.items() if key[1] in formulas}
    words = {said for _, said in mine.values()}
    if claim.get("all_must_hold"):
        held = {formula for (_, formula), (_, said) in mine.items() if said == "supported"}
        said = "refuted" if "refuted" in words else "supported" if held == formulas else UNDECIDED
    elif len(claim["sources"]) > 1 and all(one.series is None for one, _ in mine.values()):
        said = UNDECIDED  # dated facts alone decide only what is judged by nothing else
    else:
        said = _agreed(set(votes(mine).values()))
    return said, mine


def today(claim: Mapping[str, Any], found: Found) -> Headline:
    """The verdict on a claim from what decides in a month, without its history."""
    if claim["kind"] == "not_measurable":
        return Headline("not_measurable")
    kinds = {"due" in d for d in claim["definitions"] if d["headline"]}
    said, mine = half(claim, found, ahead=kinds == {True})
    said_by = votes(mine)
    return Headline(
        said,
        None if said == UNDECIDED else max(measured(one) for one, _ in mine.values()),
        half(claim, found, ahead=True)[0] if True in kinds else None,
        sources_for=tuple(sorted(source for source, word in said_by.items() if word in FOR)),
        sources_against=tuple(sorted(source for source, word in said_by.items() if word == "refuted")),
    )


def headlines(found: tuple[Measured, ...], months: Iterable[date]) -> dict[tuple[str, date], Headline]:
    """The verdict on every claim as of every month; `months` are whole, in order, from the first one on."""
    told = {}
    for claim, rows in decided(found).items():
        carried: tuple[str | None, date | None] = (None, None)
        for month in months:
            one = today(documents()[claim], newest(rows, month))
            carried = carried if one.verdict == UNDECIDED else (one.verdict, one.measured)
            told[claim, month] = replace(one, carried=carried[0], carried_measured=carried[1])
    return told
