"""The claims on deployment, on any figures that are given: C19 and C20."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from fw_pipeline_tests.second_path.catalogue import DEPLOYMENT, EDGE, OWN_SERVING, SERVING
from fw_pipeline_tests.second_path.figures import FIRST, Series, downloads, pypi_series, ratio, read, shift, span
from fw_pipeline_tests.second_path.leaving_out import days_left_out, without_figure
from fw_pipeline_tests.second_path.measured import ANYTHING, Beside, Measured
from fw_pipeline_tests.second_path.measures import named
from fw_pipeline_tests.second_path.totals import totals

Sides = Mapping[str, Sequence[str]]
TOOLS: Sides = {"tensorflow": ("tensorflow-serving", "tensorflow-lite"), "pytorch": ("torchserve", "executorch")}
TWO = ("tensorflow", "pytorch")
DOWNLOADS: Mapping[str, Sides] = {
    "downloads of serving packages": SERVING,
    "downloads of edge packages": EDGE,
    "downloads of serving and edge packages": DEPLOYMENT,
    f"downloads of deployment packages without {OWN_SERVING}": {
        side: [name for name in names if name != OWN_SERVING] for side, names in DEPLOYMENT.items()
    },
}


@dataclass(frozen=True)
class Counted:
    """The figures of one series by package or tag and month, the bounds of those that have none, and what they miss."""

    source: str
    series: str
    figures: Mapping[str, Series]
    bounds: Mapping[str, Series] = field(default_factory=dict)
    short: Mapping[str, frozenset[date]] = field(default_factory=dict)
    """Months of a package that miss days."""


@dataclass(frozen=True)
class Level:
    """What one side has in a month: the sum of its figures, and of the bounds of what has no figure."""

    figures: float | None
    bounds: float | None

    @property
    def most(self) -> float:
        return (self.figures or 0) + (self.bounds or 0)


def summed(found: Sequence[float | None]) -> float | None:
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def level(names: Sequence[str], counted: Counted, month: date) -> Level:
    figures = {name: counted.figures.get(name, {}).get(month) for name in names}
    bounds = [counted.bounds.get(name, {}).get(month) for name in names if figures[name] is None]
    return Level(summed(list(figures.values())), summed(bounds))


def followed_months(sides: Sides, *followed: Mapping[str, Series]) -> list[date]:
    """The months in which a name of each side is followed."""
    by_side = [{m for name in names for by in followed for m in by.get(name, ())} for names in sides.values()]
    return sorted(set.intersection(*by_side))


def missing_days(sides: Sides, counted: Counted) -> set[date]:
    return {month for names in sides.values() for name in names for month in counted.short.get(name, ())}


def c19(counted: Counted) -> Iterator[Measured]:
    """TensorFlow's tools over PyTorch's in the month."""
    measures = DOWNLOADS if counted.source == "pypi" else {"questions on deployment tags": TOOLS}
    for measure, sides in measures.items():
        missed = missing_days(sides, counted)
        every = {
            name: {
                m: counted.figures.get(name, {}).get(m)
                for by in (counted.figures, counted.bounds)
                for m in by.get(name, ())
            }
            for names in sides.values()
            for name in names
        }
        incomplete = counted.source == "pypi" and not all(every[name] for name in sides["pytorch"])
        for end in followed_months(sides, counted.figures, counted.bounds):
            tensorflow, pytorch = (level(sides[side], counted, end) for side in TWO)
            ends: tuple[float | None, float | None] = (None, None)
            part, whole = tensorflow.figures, pytorch.figures
            if whole is None and pytorch.bounds is not None:
                whole = pytorch.bounds
                ends = (ratio(part, whole), math.inf)
            elif part is not None and whole is not None and (tensorflow.bounds or pytorch.bounds):
                ends = (ratio(part, pytorch.most), ratio(tensorflow.most, whole) if whole else math.inf)
            value = ratio(part, whole)
            beside = Beside(
                counted.source,
                end,
                part,
                whole,
                lacking=int(part is None or whole is None),
                partial=int(end in missed),
                nameless=without_figure(every, end),
                note=ANYTHING,
            )
            where = ("C19", f"{measure} in the month", counted.series, end)
            low, high = (None, None) if value is None else ends
            n = round((part or 0) + (whole or 0))
            yield Measured(*where, value, n, low=low, high=high, blocked=incomplete, beside=beside)


def c20(counted: Counted) -> Iterator[Measured]:
    """How PyTorch's tools stand against TensorFlow's in a quarter, and how that changed within a year."""
    measures = DOWNLOADS if counted.source == "pypi" else {"questions on deployment tags": TOOLS}
    for measure, sides in measures.items():
        if "without" in measure:
            continue
        missed = missing_days(sides, counted)
        months = followed_months(sides, counted.figures, counted.bounds)
        levels = {m: tuple(level(sides[side], counted, m).figures for side in TWO) for m in months}
        both = {m: (t, p) for m, (t, p) in levels.items() if t is not None and p is not None}
        for end in months:
            quarters = [span(shift(last, -2), last) if last in levels else [] for last in (end, shift(end, -12))]
            pairs = [[both[m] for m in quarter if m in both] for quarter in quarters]
            n = round(sum(t + p for t, p in pairs[0]))
            if end >= shift(months[0], 12):
                now, ago = (_over(found) for found in pairs)
                beside = Beside(
                    counted.source,
                    shift(end, -14),
                    now,
                    ago,
                    lacking=6 - sum(len(found) for found in pairs),
                    partial=len({m for quarter in quarters for m in quarter if m in levels} & missed),
                    note=ANYTHING,
                )
                where = ("C20", f"change of the ratio of {measure}", counted.series, end)
                yield Measured(*where, ratio(now, ago), n, beside=beside)
            if sides is DEPLOYMENT:
                enough = len(pairs[0]) >= 2
                beside = Beside(
                    counted.source,
                    quarters[0][0],
                    sum(p for _, p in pairs[0]) if enough else None,
                    sum(t for t, _ in pairs[0]) if enough else None,
                    lacking=3 - len(pairs[0]),
                    partial=len({m for m in quarters[0] if m in levels} & missed),
                    note=ANYTHING,
                )
                where = ("C20", f"ratio of {measure}", counted.series, end)
                yield Measured(*where, ratio(beside.numerator, beside.denominator), n, beside=beside)


def _over(pairs: Sequence[tuple[float, float]]) -> float | None:
    """PyTorch over TensorFlow in a quarter, of which two months must have both."""
    return ratio(sum(p for _, p in pairs), sum(t for t, _ in pairs)) if len(pairs) >= 2 else None


def recorded() -> Iterator[Counted]:
    """What is recorded of the packages, by series."""
    names = [name for packages in DEPLOYMENT.values() for name in packages]
    bounds = (
        read("bounds")
        .filter(source="pypi", side="at most")
        .with_columns(pl.col("value").cast(float) / pl.col("days_covered").cast(float))
    )
    for series in pypi_series():
        mine = bounds.filter(series=named(series)).select("key", "month", "value").rows()
        yield Counted(
            "pypi",
            named(series),
            {name: found for name in names if (found := downloads(name, series))},
            {name: {month: value for key, month, value in mine if key == name} for name in names},
            {name: days_left_out(name, series) for name in names},
        )


def c19_so_far() -> Iterator[Measured]:
    """All questions that existed on a day."""
    for (origin, month), counts in totals().items():
        found = [[counts[name][0] for name in TOOLS[side] if counts.get(name, (0, ""))[1] == "exact"] for side in TWO]
        if any(found):
            tensorflow, pytorch = (sum(counted) if counted else None for counted in found)
            beside = Beside("stackoverflow", FIRST, tensorflow, pytorch, lacking=int(not all(found)), note=ANYTHING)
            where = ("C19", "questions so far on deployment tags", origin, month)
            n = (tensorflow or 0) + (pytorch or 0)
            yield Measured(*where, ratio(tensorflow, pytorch), n, beside=beside)


def c19_and_c20() -> Iterator[Measured]:
    for counted in recorded():
        yield from c19(counted)
        yield from c20(counted)
    yield from c19_so_far()
