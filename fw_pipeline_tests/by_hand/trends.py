"""What rises and what falls: C3, C4, C6, C8 and C21, on questions and downloads."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import combinations

from fw_pipeline_tests.by_hand.figures import (
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
from fw_pipeline_tests.by_hand.measured import Measured
from fw_pipeline_tests.by_hand.measures import (
    Basis,
    as_published,
    asked,
    figures_of,
    less_one,
    mean_of,
    one,
    package_levels,
)
from fw_pipeline_tests.by_hand.models_and_papers import paper_series


def c3() -> Iterator[Measured]:
    counted = [
        ("questions", "recorded", 1, asked("tensorflow")),
        ("the share", "recorded", 1, asked("tensorflow", share=True)),
        *((m, series, 8, as_published(found)) for m, series, found in package_levels("tensorflow")),
    ]
    for measure, series, base_month, pair in counted:
        start, stop = date(2018, base_month, 1), date(2018, 12, 1)
        last = max(pair[0][0])
        if level(pair[0][0], pair[0][1], stop, 13 - base_month)[1] * 3 < (13 - base_month) * 2:
            continue
        for end in span(date(2019, 12, 1), last):
            forms: dict[str, list[float | None]] = {"change": [], "slope": [], "peak": []}
            for parts, wholes in pair:
                base, _ = level(parts, wholes, stop, 13 - base_month)
                now, found = level(parts, wholes, end, 12)
                figures = figures_of((parts, wholes))
                points = [(m.year * 12 + m.month, v) for m in span(start, end) if (v := figures.get(m)) is not None]
                years = [level(parts, wholes, m, 12) for m in span(stop, end)]
                peak = max(v for v, months in years if months >= 8 and v is not None)
                slope = 12 * statistics.linear_regression(*zip(*points, strict=True)).slope
                enough = found >= 8
                forms["change"].append(less_one(ratio(now, base)) if enough else None)
                forms["slope"].append(ratio(slope, base) if enough else None)
                forms["peak"].append(less_one(ratio(peak, base)) if enough else None)
            figures = figures_of(pair[0])
            n = len([m for m in span(start, end) if figures.get(m) is not None])
            for form, (value, exact) in forms.items():
                yield one(("C3", f"{form} of {measure} since 2018", series, end), value, n, exact)


def c4() -> Iterator[Measured]:
    measures = [
        ("questions", "recorded", asked("pytorch"), False),
        ("the share", "recorded", asked("pytorch", share=True), False),
        *(("downloads", s, as_published(d), False) for _, s, d in package_levels("torch", families=False)),
        *(("the share of papers", s, as_published(p, w), True) for s, p, w in paper_series("pytorch")),
    ]
    for measure, series, pair, papers in measures:
        first = min(m for m, v in pair[0][0].items() if v is not None)
        last = max(pair[0][0])
        changes = [_yearly_changes(parts, wholes, first, last, papers=papers) for parts, wholes in pair]
        for end in span(shift(first, 47), last):
            if end not in changes[0]:
                continue
            values: list[float | None] = []
            n = 0
            for number, by_month in enumerate(changes):
                past = [by_month[m] for m in (end, shift(end, -12), shift(end, -24)) if m in by_month]
                known = [v for v, _ in past if v is not None]
                values.append(min(known) if len(known) == 3 else None)
                n = sum(months for _, months in past) if number == 0 else n
            made = one(
                ("C4", f"smallest yearly change of {measure} over 3 years", series, end), values[0], n, values[1]
            )
            yield replace(made, blocked="sample" in series)
        if not papers:
            yield from _rising(measure, series, pair, first, last)


def _yearly_changes(
    parts: Series, wholes: Series | None, first: date, last: date, *, papers: bool
) -> dict[date, tuple[float | None, int]]:
    found: dict[date, tuple[float | None, int]] = {}
    for end in span(shift(first, 23), last):
        now, months = level(parts, wholes, end, 12)
        before, months_before = level(parts, wholes, shift(end, -12), 12)
        if papers or (months >= 8 and months_before >= 8):
            change = ratio(now, before)
            found[end] = (less_one(change), months)
    return found


def _rising(measure: str, series: str, pair: Basis, first: date, last: date) -> Iterator[Measured]:
    for end in span(shift(first, 35), last):
        values: list[float | None] = []
        n = 0
        for number, (parts, wholes) in enumerate(pair):
            figures = figures_of((parts, wholes))
            known = window(figures, end, 36)
            values.append(statistics.fmean(b > a for a, b in combinations(known, 2)) if len(known) > 1 else None)
            n = len(known) if number == 0 else n
        yield one(
            ("C4", f"pairs of months in rising order of {measure} over 3 years", series, end), values[0], n, values[1]
        )


def c6() -> Iterator[Measured]:
    counted = [
        ("questions", "recorded", asked("keras")),
        ("the share", "recorded", asked("keras", share=True)),
        *(("downloads", s, as_published(d)) for _, s, d in package_levels("keras", families=False)),
    ]
    for measure, series, pair in counted:
        months = list(pair[0][0])
        for length, words in ((1, ""), (12, " over 12 months")):
            falls = []
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
                falls.append({m: None if (r := ratio(levels[m], best[m])) is None else 1 - r for m in months})
            figures = figures_of(pair[0])
            for end in months:
                n = len([m for m in months if m <= end and figures[m] is not None])
                if n >= length:
                    formula = f"fall of {measure}{words} from its peak"
                    yield one(("C6", formula, series, end), falls[0][end], n, falls[1][end])


def c8() -> Iterator[Measured]:
    first, last = min(questions("tensorflow")), max(questions("tensorflow"))
    for measure, share in (("questions", False), ("the share", True)):
        for months in (3, 12):
            for end in span(first, last):
                values: dict[str, list[float | None]] = {"change": [], "speed": []}
                n = 0
                for exact in (False, True):
                    parts, wholes = questions("tensorflow", exact=exact), questions("*", exact=exact) if share else None
                    told = [level(parts, wholes, shift(end, -12 * back), months) for back in (0, 1, 2)]
                    now, before, earlier = (v if found * 3 >= months * 2 else None for v, found in told)
                    change, was = ratio(now, before), ratio(before, earlier)
                    values["change"].append(less_one(change))
                    values["speed"].append(None if change is None or was is None else change - was)
                    n = n if exact else told[0][1] + told[1][1]
                for form, years, formula in (
                    ("change", 1, f"{measure} over {months} months on the year before"),
                    ("speed", 2, f"speed of change of {measure} over {months} months"),
                ):
                    if end >= shift(first, 12 * years + months - 1):
                        yield one(("C8", formula, "recorded", end), values[form][0], n, values[form][1])


def c21() -> Iterator[Measured]:
    counted = [
        ("questions", "recorded", asked("tensorflow")),
        *((m, s, as_published(d)) for m, s, d in package_levels("tensorflow")),
    ]
    for measure, series, basis in counted:
        pair = [parts for parts, _ in basis]
        first = min(m for m, v in pair[0].items() if v is not None)
        levels = [{end: mean_of(found, end, 12) for end in found} for found in pair]
        best = [largest_so_far(found) for found in levels]
        for end in span(shift(first, 11), max(pair[0])):
            value, exact = (ratio(by[end], top[end]) for by, top in zip(levels, best, strict=True))
            n = len(window(pair[0], end, 12))
            yield one(("C21", f"level of {measure} against the best 12 months", series, end), value, n, exact)
