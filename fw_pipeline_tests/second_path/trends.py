"""What rises and what falls: C3, C4, C6, C8 and C21, on questions and downloads."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import NamedTuple

from fw_pipeline_tests.second_path.figures import (
    Series,
    largest_so_far,
    latest,
    level,
    questions,
    ratio,
    shift,
    span,
    window,
)
from fw_pipeline_tests.second_path.judging import APPEARED
from fw_pipeline_tests.second_path.leaving_out import counted, papers_left_out
from fw_pipeline_tests.second_path.measured import Beside, Measured
from fw_pipeline_tests.second_path.measures import (
    Basis,
    as_published,
    asked,
    figures_of,
    less_one,
    mean_of,
    one,
    package_levels,
)
from fw_pipeline_tests.second_path.papers import paper_series

WHOLE: frozenset[date] = frozenset()
"""Questions are counted in closed months only: none leaves a part out."""


def c3() -> Iterator[Measured]:
    followed = [
        ("questions", "stackoverflow", "recorded", 1, asked("tensorflow"), WHOLE),
        ("the share", "stackoverflow", "recorded", 1, asked("tensorflow", share=True), WHOLE),
        *((m, "pypi", series, 8, as_published(d), out) for m, series, d, out in package_levels("tensorflow")),
    ]
    for measure, source, series, base_month, pair, left_out in followed:
        start, stop = date(2018, base_month, 1), date(2018, 12, 1)
        last = max(pair[0][0])
        if level(pair[0][0], pair[0][1], stop, 13 - base_month)[1] * 3 < (13 - base_month) * 2:
            continue
        for end in span(date(2019, 12, 1), last):
            forms: dict[str, list[float | None]] = {"change": [], "slope": [], "peak": []}
            parts_of: dict[str, tuple[float | None, float | None]] = {}
            for parts, wholes in pair:
                base, _ = level(parts, wholes, stop, 13 - base_month)
                now, found = level(parts, wholes, end, 12)
                figures = figures_of((parts, wholes))
                points = [(m.year * 12 + m.month, v) for m in span(start, end) if (v := figures.get(m)) is not None]
                years = [level(parts, wholes, m, 12) for m in span(stop, end)]
                peak = max(v for v, months in years if months >= 8 and v is not None)
                slope = 12 * statistics.linear_regression(*zip(*points, strict=True)).slope
                enough = found >= 8
                # as published, which comes first
                parts_of = parts_of or {"change": (now, base), "slope": (slope, base), "peak": (peak, base)}
                forms["change"].append(less_one(ratio(now, base)) if enough else None)
                forms["slope"].append(ratio(slope, base) if enough else None)
                forms["peak"].append(less_one(ratio(peak, base)) if enough else None)
            figures = figures_of(pair[0])
            n = len([m for m in span(start, end) if figures.get(m) is not None])
            for form, (value, exact) in forms.items():
                months = span(start, end)
                beside = Beside(
                    source, start, *parts_of[form], lacking=len(months) - n, partial=counted(months, left_out)
                )
                yield one(("C3", f"{form} of {measure} since 2018", series, end), value, n, exact, beside)


def c4() -> Iterator[Measured]:
    measures = [
        ("questions", "stackoverflow", "recorded", asked("pytorch"), WHOLE),
        ("the share", "stackoverflow", "recorded", asked("pytorch", share=True), WHOLE),
        *(("downloads", "pypi", s, as_published(d), out) for _, s, d, out in package_levels("torch", families=False)),
        *(
            ("the share of papers", "papers", s, as_published(p, w), papers_left_out(s))
            for s, p, w in paper_series("pytorch")
        ),
    ]
    for measure, source, series, pair, left_out in measures:
        papers = source == "papers"
        first = min(m for m, v in pair[0][0].items() if v is not None)
        last = max(pair[0][0])
        changes = [_yearly_changes(parts, wholes, first, last, papers=papers) for parts, wholes in pair]
        for end in span(shift(first, 47), last):
            if end not in changes[0]:
                continue
            values: list[float | None] = []
            for by_month in changes:
                past = [by_month[m] for m in (end, shift(end, -12), shift(end, -24)) if m in by_month]
                known = [year.change for year in past if year.change is not None]
                values.append(min(known) if len(known) == 3 else None)
            years = {m: changes[0][m] for m in (end, shift(end, -12), shift(end, -24)) if m in changes[0]}
            least = min(((year.change, m) for m, year in years.items() if year.change is not None), default=None)
            months = span(shift(end, -47), end)
            beside = Beside(
                source,
                months[0],
                None if least is None else years[least[1]].now,
                None if least is None else years[least[1]].before,
                lacking=0 if papers else 48 - len(window(figures_of(pair[0]), end, 48)),
                partial=counted(months, left_out),
                note=None if least is None else f"smallest in the year to {least[1]:%Y-%m}",
            )
            formula = f"smallest yearly change of {measure} over 3 years"
            n = sum(year.months for year in years.values())
            made = one(("C4", formula, series, end), values[0], n, values[1], beside)
            yield replace(made, blocked="sample" in series)
        if not papers:
            yield from _rising((measure, source, series), pair, first, last, left_out)


class Year(NamedTuple):
    """Twelve months beside the twelve before."""

    change: float | None
    now: float | None
    before: float | None
    months: int


def _yearly_changes(parts: Series, wholes: Series | None, first: date, last: date, *, papers: bool) -> dict[date, Year]:
    found: dict[date, Year] = {}
    for end in span(shift(first, 23), last):
        now, months = level(parts, wholes, end, 12)
        before, months_before = level(parts, wholes, shift(end, -12), 12)
        if papers or (months >= 8 and months_before >= 8):
            found[end] = Year(less_one(ratio(now, before)), now, before, months)
    return found


def _rising(
    where: tuple[str, str, str], pair: Basis, first: date, last: date, left_out: frozenset[date]
) -> Iterator[Measured]:
    measure, source, series = where
    for end in span(shift(first, 35), last):
        orders = [[b > a for a, b in combinations(window(figures_of(counted_as), end, 36), 2)] for counted_as in pair]
        value, exact = (statistics.fmean(order) if order else None for order in orders)
        n = len(window(figures_of(pair[0]), end, 36))
        months = span(shift(end, -35), end)
        beside = Beside(
            source,
            months[0],
            sum(orders[0]),
            len(orders[0]),
            lacking=36 - n,
            partial=counted(months, left_out),
        )
        formula = f"pairs of months in rising order of {measure} over 3 years"
        yield one(("C4", formula, series, end), value, n, exact, beside)


def c6() -> Iterator[Measured]:
    followed = [
        ("questions", "stackoverflow", "recorded", asked("keras"), WHOLE),
        ("the share", "stackoverflow", "recorded", asked("keras", share=True), WHOLE),
        *(("downloads", "pypi", s, as_published(d), out) for _, s, d, out in package_levels("keras", families=False)),
    ]
    for measure, source, series, pair, left_out in followed:
        months = list(pair[0][0])
        for length, words in ((1, ""), (12, " over 12 months")):
            falls, published = [], []
            for exact, (parts, wholes) in enumerate(pair):
                figures = figures_of((parts, wholes))
                levels: dict[date, float | None] = {}
                for end in months:
                    value, found = level(parts, wholes, end, length)
                    if exact and length == 1:
                        levels[end] = latest(figures, end, 4)
                    else:
                        levels[end] = value if (length - found) * 3 <= length else None
                best = largest_so_far(levels)
                published.append((levels, best))
                falls.append({m: None if (r := ratio(levels[m], best[m])) is None else 1 - r for m in months})
            figures = figures_of(pair[0])
            for end in months:
                n = len([m for m in months if m <= end and figures[m] is not None])
                if n >= length:
                    formula = f"fall of {measure}{words} from its peak"
                    looked_at = span(shift(end, 1 - length), end)
                    beside = Beside(
                        source,
                        months[0],
                        published[0][0][end],
                        published[0][1][end],
                        lacking=length - len(window(figures, end, length)),
                        partial=counted(looked_at, left_out),
                    )
                    yield one(("C6", formula, series, end), falls[0][end], n, falls[1][end], beside)


def c8() -> Iterator[Measured]:
    first, last = min(questions("tensorflow")), max(questions("tensorflow"))
    for measure, share in (("questions", False), ("the share", True)):
        for months in (3, 12):
            for end in span(first, last):
                values: dict[str, list[float | None]] = {"change": [], "speed": []}
                n = speed_n = 0
                parts_of: dict[str, tuple[float | None, float | None]] = {}
                for exact in (False, True):
                    parts, wholes = questions("tensorflow", exact=exact), questions("*", exact=exact) if share else None
                    told = [level(parts, wholes, shift(end, -12 * back), months) for back in (0, 1, 2)]
                    now, before, earlier = (v if found * 3 >= months * 2 else None for v, found in told)
                    change, was = ratio(now, before), ratio(before, earlier)
                    values["change"].append(less_one(change))
                    values["speed"].append(None if change is None or was is None else change - was)
                    if not exact:
                        n, speed_n = told[0][1] + told[1][1], sum(found for _, found in told)
                        parts_of = {"change": (now, before), "speed": (less_one(change), less_one(was))}
                for form, years, counts, formula in (
                    ("change", 1, n, f"{measure} over {months} months on the year before"),
                    ("speed", 2, speed_n, f"speed of change of {measure} over {months} months"),
                ):
                    since = shift(end, 1 - 12 * years - months)
                    if since >= first:
                        lacking = (1 + years) * months - counts
                        beside = Beside("stackoverflow", since, *parts_of[form], lacking=lacking)
                        early = form == "speed" and shift(end, 1 - months) <= APPEARED
                        told_of = ("C8", formula, "recorded", end)
                        yield one(told_of, values[form][0], n, values[form][1], beside, blocked=early)


def c21() -> Iterator[Measured]:
    followed = [
        ("questions", "stackoverflow", "recorded", asked("tensorflow"), WHOLE),
        *((m, "pypi", s, as_published(d), out) for m, s, d, out in package_levels("tensorflow")),
    ]
    for measure, source, series, basis, left_out in followed:
        pair = [parts for parts, _ in basis]
        first = min(m for m, v in pair[0].items() if v is not None)
        levels = [{end: mean_of(found, end, 12) for end in found} for found in pair]
        best = [largest_so_far(found) for found in levels]
        for end in span(shift(first, 11), max(pair[0])):
            value, exact = (ratio(by[end], top[end]) for by, top in zip(levels, best, strict=True))
            n = len(window(pair[0], end, 12))
            beside = Beside(
                source,
                first,
                levels[0][end],
                best[0][end],
                lacking=12 - n,
                partial=counted(span(shift(end, -11), end), left_out),
            )
            yield one(("C21", f"level of {measure} against the best 12 months", series, end), value, n, exact, beside)
