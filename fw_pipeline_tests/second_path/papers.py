"""The claims on papers: C14, and the papers in C1, C4, C21 and C26."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache

import polars as pl

from fw_pipeline_tests.second_path.figures import FIRST, Series, ratio, read, shift, span, spread
from fw_pipeline_tests.second_path.leaving_out import counted as months_counted
from fw_pipeline_tests.second_path.leaving_out import papers_left_out
from fw_pipeline_tests.second_path.measured import ANYTHING, Beside, Measured

VENUES, LINKS = "nine venues", "papers with code sample"

Paper = tuple[date, frozenset[str], bool | None, int, int | None]


@cache
def papers(population: str) -> list[Paper]:
    rows = read("papers").filter((pl.col("population") == population) & pl.col("month").is_not_null())
    columns = ("month", "frameworks", "official", "papers", "repositories")
    return [
        (
            month,
            frozenset(names.strip("[]").split(";")) - {""},
            None if official is None else official == "true",
            int(count),
            None if repositories is None else int(repositories),
        )
        for month, names, official, count, repositories in rows.select(columns).rows()
    ]


def _counted(framework: str, population: str, *, repositories: bool = False) -> dict[date, float | None]:
    """Papers (or repositories) of a month that use a framework; zero where the month was looked at, None where not."""
    rows = [row for row in papers(population) if row[0] >= FIRST and not (repositories and row[4] is None)]
    named = {name for _, names, *_ in rows for name in names} - {"*"}
    if framework not in named:
        return {}
    months = {month for month, *_ in rows}
    found = dict.fromkeys(months, 0.0)
    for month, names, _, count, repos in rows:
        if framework in names:
            found[month] += repos or 0 if repositories else count
    return spread(found)


def paper_series(framework: str) -> list[tuple[str, Series, Series]]:
    """The papers of a framework and all papers, by month, in both populations."""
    found: list[tuple[str, Series, Series]] = []
    for population in (VENUES, LINKS):
        whole: dict[date, float] = {}
        stated = any("*" in names for _, names, *_ in papers(population))
        for month, names, _, count, _ in papers(population):
            if month >= FIRST and (not stated or "*" in names):
                whole[month] = whole.get(month, 0) + count
        found.append((population, _counted(framework, population), spread(whole)))
    return found


def c1() -> Iterator[Measured]:
    for metric in ("papers", "repositories"):
        for population in (VENUES, LINKS):
            rows = papers(population)
            if metric == "repositories" and all(row[4] is None for row in rows):
                continue
            frameworks = {name for _, names, *_ in rows for name in names} - {"*"}
            series = {f: _counted(f, population, repositories=metric == "repositories") for f in frameworks}
            for end in span(min(min(s) for s in series.values() if s), max(max(s) for s in series.values() if s)):
                year = span(date(end.year, 1, 1), end)
                known = {f: [v for m in year if (v := s.get(m)) is not None] for f, s in series.items() if end in s}
                sums = {framework: sum(values) for framework, values in known.items() if values}
                rivals = [(value, f) for f, value in sums.items() if f != "tensorflow"]
                if rivals:
                    rival, name = max(rivals)
                    tensorflow = sums.get("tensorflow")
                    n = int(tensorflow + rival) if tensorflow is not None else 0
                    value = ratio(tensorflow, rival)
                    unknown = {f for f in ("pytorch", "keras", "jax") if end in series.get(f, ())} - set(sums)
                    beside = Beside(
                        "papers",
                        year[0],
                        tensorflow,
                        rival,
                        partial=months_counted(year, papers_left_out(population)),
                        nameless=", ".join(sorted(unknown)) or None,
                        note=f"the largest other one is {name}",
                    )
                    where = ("C1", f"{metric} in the year", population, end)
                    yield Measured(*where, value, n, value, blocked=population == LINKS, beside=beside)


def since_release(population: str) -> list[Paper]:
    """The papers of a population from the month on in which TensorFlow came."""
    return [row for row in papers(population) if row[0] >= FIRST]


def c14(until: date) -> Iterator[Measured]:
    for population in (VENUES, LINKS):
        ways = {
            "papers": [(m, names, count) for m, names, _, count, _ in since_release(population)],
            "repositories": [
                (m, names, repos) for m, names, _, _, repos in since_release(population) if repos is not None
            ],
            "papers with an official repository": [
                (m, names, count) for m, names, o, count, _ in since_release(population) if o
            ],
            "official repositories": [
                (m, names, repos) for m, names, o, _, repos in since_release(population) if o and repos is not None
            ],
        }
        for counted, rows in ways.items():
            if not rows:
                continue
            first, last = min(m for m, *_ in rows), max(m for m, *_ in rows)
            for end in span(first, min(last, until)):
                for covers, start in (("in the year", date(end.year, 1, 1)), ("over 12 months", shift(end, -11))):
                    if covers == "over 12 months" and (counted != "papers" or first > start):
                        continue
                    inside = [(names, count) for m, names, count in rows if start <= m <= end]
                    if not inside:
                        continue
                    stated = [count for names, count in inside if "*" in names]
                    everything = sum(stated) if stated else sum(count for _, count in inside)
                    pytorch = sum(count for names, count in inside if "pytorch" in names)
                    either = sum(count for names, count in inside if names & {"pytorch", "tensorflow"})
                    for formula, whole in (
                        (f"of {counted} naming one of the two {covers}", either),
                        (f"of all {counted} {covers}", everything),
                    ):
                        beside = Beside(
                            "papers",
                            start,
                            pytorch,
                            whole,
                            partial=months_counted(
                                {m for m, *_ in rows if start <= m <= end}, papers_left_out(population)
                            ),
                            note=ANYTHING,
                        )
                        where = ("C14", formula, population, end)
                        blocked = population == LINKS or whole == 0
                        value = ratio(pytorch, whole)
                        # a paper that names neither may still use one
                        low, high = (value, 1.0) if formula.startswith("of all") and whole else (None, None)
                        yield Measured(*where, value, whole, blocked=blocked, low=low, high=high, beside=beside)


def c21() -> Iterator[Measured]:
    for (population, pytorch, _), (_, tensorflow, _) in zip(
        paper_series("pytorch"), paper_series("tensorflow"), strict=True
    ):
        months = sorted({*pytorch, *tensorflow})
        for end in span(shift(months[0], 11), months[-1]):
            year = span(shift(end, -11), end)
            part = sum(pytorch.get(m) or 0 for m in year)
            both = [(pytorch.get(m), tensorflow.get(m)) for m in year]
            whole = sum(p + t for p, t in both if p is not None and t is not None)
            value = ratio(part, whole)
            beside = Beside("papers", year[0], part, whole, partial=months_counted(year, papers_left_out(population)))
            where = ("C21", "pytorch in the new papers of 12 months", population, end)
            blocked = population == LINKS or whole == 0
            yield Measured(*where, value, int(whole), value, blocked=blocked, beside=beside)
