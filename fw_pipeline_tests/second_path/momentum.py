"""Momentum and the composite in plain Python: the other path to the tables that go beyond the article."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import t as students_t

from fw_pipeline_tests.second_path.sums import RECORDED, Series, a_year_before


def months_back(end: date, count: int) -> list[date]:
    return [date((end.year * 12 + end.month - 1 - at) // 12, (end.month - 1 - at) % 12 + 1, 1) for at in range(count)]


def breaks_of(source: str, series: str) -> list[date]:
    """Return the first months after the known breaks of a series."""
    with (RECORDED / "outages.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] == "break" and row["source"] == source]
    return [date.fromisoformat(row["first_day"]).replace(day=1) for row in rows if series.startswith(row["series"])]


def pairs_of(series: Series, end: date, without: Collection[date], breaks: Collection[date]) -> dict[date, float]:
    """Return the logarithms of the ratios to the year before, of those of twelve months that may be compared."""
    pairs = [(month, a_year_before(month)) for month in reversed(months_back(end, 12))]
    return {
        month: math.log(series[month] / series[before])
        for month, before in pairs
        if series.get(month)
        and series.get(before)
        and not {month, before} & {*without}
        and not any(before < first <= month for first in breaks)
    }


def changes(
    series: Series, *, without: Collection[date] = (), breaks: Collection[date] = ()
) -> dict[date, tuple[float, float, float, int]]:
    """Mean change on the year before, its interval, and the pairs that went in: SciPy's Student, and NumPy's AR(1)."""
    found = {}
    products = squares = 0.0
    for end in sorted(series):
        pairs = pairs_of(series, end, without, breaks)
        count = len(pairs)
        if count < 6:
            continue
        mean = statistics.mean(pairs.values())
        off = {month: change - mean for month, change in pairs.items()}
        products += sum(off[month] * off[before] for month in off if (before := months_back(month, 2)[1]) in off)
        squares += sum(it**2 for it in off.values())
        pooled = products / squares
        r = min(max(pooled + (1 + 4 * pooled) / count, 0), 0.9)
        covariances = r ** np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
        variance_of_mean = covariances.mean()
        expected_scatter = (count - covariances.sum() / count) / (count - 1)
        error = statistics.stdev(pairs.values()) * math.sqrt(variance_of_mean / expected_scatter)
        half = students_t.ppf(0.975, count - 1) * error
        found[end] = (math.exp(mean) - 1, math.exp(mean - half) - 1, math.exp(mean + half) - 1, count)
    return found


@dataclass(frozen=True)
class Part:
    """One source of a composite: its series by framework, how many months are added up, and where it breaks."""

    series: Mapping[str, Series]
    window: int
    least: int
    breaks: Collection[date] = ()

    def score(self, framework: str, end: date) -> float | None:
        """Return what there is of the framework for a hundred of the mean of the two, in months of one kind."""
        one, two = self.series["tensorflow"], self.series["pytorch"]
        part = self.series.get(framework, {})
        months = [m for m in months_back(end, self.window) if m in part and m in one and m in two]
        months = [m for m in months if not any(m < first <= months[0] for first in self.breaks)]
        standard = sum(one[m] + two[m] for m in months) / 2
        return 100 * sum(part[m] for m in months) / standard if len(months) >= self.least and standard else None
