"""The claims on the packages around the frameworks: C17 and C18."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from datetime import date

from fw_pipeline_tests.second_path.catalogue import COMPANIONS, ECOSYSTEM
from fw_pipeline_tests.second_path.figures import Series, downloads, pypi_series, ratio, shift, span, window
from fw_pipeline_tests.second_path.leaving_out import days_left_out, without_figure
from fw_pipeline_tests.second_path.measured import Beside, Measured
from fw_pipeline_tests.second_path.measures import named

Sides = Mapping[str, Mapping[str, Series]]


def sides(packages: Mapping[str, tuple[str, ...]], series: tuple[str, str]) -> dict[str, dict[str, Series]]:
    """The packages of each side that a series has figures of."""
    return {side: {p: found for p in names if (found := downloads(p, series))} for side, names in packages.items()}


def everyone(both: Sides) -> dict[str, Series]:
    return {package: found for by in both.values() for package, found in by.items()}


def c17() -> Iterator[Measured]:
    for series in pypi_series():
        for name, packages in (("companion packages", COMPANIONS), ("the ecosystem", ECOSYSTEM)):
            both = sides(packages, series)
            every = everyone(both)
            for end in sorted({m for found in every.values() for m in found}):
                if not all(any(end in found for found in by.values()) for by in both.values()):
                    continue
                now = {s: {p: v for p, d in by.items() if (v := d.get(end)) is not None} for s, by in both.items()}
                tensorflow, pytorch = (sum(now[s].values()) if now[s] else None for s in ("tensorflow", "pytorch"))
                beside = Beside(
                    "pypi",
                    end,
                    tensorflow,
                    pytorch,
                    lacking=int(not all(now.values())),
                    partial=int(any(end in days_left_out(package, series) for by in now.values() for package in by)),
                    nameless=without_figure(every, end),
                )
                n = sum(len(found) for found in now.values())
                value = ratio(beside.numerator, beside.denominator)
                yield Measured("C17", f"downloads of {name}", named(series), end, value, n, beside=beside)
                if packages is COMPANIONS:
                    yield from _without_one(now, named(series), end, beside)


def _without_one(now: Mapping[str, Mapping[str, float]], series: str, end: date, every: Beside) -> Iterator[Measured]:
    """The smallest and the largest ratio of the companions when one of them is left out."""
    packages = [package for by in now.values() for package in by]
    ratios: list[tuple[float, str, float, float]] = []
    for left_out in packages:
        rest = [[v for p, v in now[side].items() if p != left_out] for side in ("tensorflow", "pytorch")]
        tensorflow, pytorch = (sum(found, 0.0) for found in rest)
        if all(rest) and pytorch:
            ratios.append((tensorflow / pytorch, left_out, tensorflow, pytorch))
    for words, choose in (("least", min), ("most", max)):
        value, package, part, against = choose(ratios) if ratios else (None, None, None, None)
        beside = Beside(
            "pypi",
            end,
            part,
            against,
            lacking=int(value is None),
            partial=every.partial,
            nameless=every.nameless,
            note=None if package is None else f"without {package}",
        )
        formula = f"downloads of companion packages at their {words} without one"
        yield Measured("C17", formula, series, end, value, max(len(packages) - 1, 0), beside=beside)


def c18() -> Iterator[Measured]:
    for series in pypi_series():
        both = sides(ECOSYSTEM, series)
        every = everyone(both)
        if not all(both.values()):
            continue
        months = span(min(min(found) for found in every.values()), max(max(found) for found in every.values()))
        known = {month for found in every.values() for month, value in found.items() if value is not None}
        short = {month for package in every for month in days_left_out(package, series)}
        for end in months[11:]:
            levels = {s: [(_level(d, end), _level(d, shift(end, -12))) for d in by.values()] for s, by in both.items()}
            for formula, back in (
                ("growth of the same packages over a year", 23),
                ("growth of the ecosystem over a year", 23),
                ("size of the ecosystem over 12 months", 11),
            ):
                if end < shift(months[0], back):
                    continue
                alike = formula.startswith("growth of the same")
                parts, n = {}, 0
                for side, found in levels.items():
                    kept = [pair for pair in found if not alike or None not in pair]
                    now = [level for level, _ in kept if level is not None]
                    ago = [level for _, level in kept if level is not None]
                    n += len(now)
                    size = sum(now) if now else None
                    parts[side] = size if back == 11 else ratio(size, sum(ago))
                looked_at = span(shift(end, -back), end)
                beside = Beside(
                    "pypi",
                    looked_at[0],
                    parts["pytorch"],
                    parts["tensorflow"],
                    lacking=len(set(looked_at) - known),
                    partial=len(short.intersection(looked_at)),
                )
                value = ratio(beside.numerator, beside.denominator)
                yield Measured("C18", formula, named(series), end, value, n, beside=beside)


def _level(found: Series, end: date) -> float | None:
    """Downloads a day of a package in twelve months, of which eight must have a figure."""
    year = window(found, end, 12)
    return statistics.fmean(year) if len(year) >= 8 else None
