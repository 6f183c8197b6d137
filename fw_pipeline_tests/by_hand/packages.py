"""The claims on packages and co-tags around the frameworks: C16 to C20, C22 to C24."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from datetime import date

from fw_pipeline_tests.by_hand.catalogue import DEPLOYMENT, ECOSYSTEM
from fw_pipeline_tests.by_hand.figures import Series, downloads, pypi_series, ratio, read, shift, span, window
from fw_pipeline_tests.by_hand.leaving_out import days_left_out, without_figure
from fw_pipeline_tests.by_hand.measured import Beside, Measured

Sides = Mapping[str, Mapping[str, Series]]


def sides(packages: Mapping[str, tuple[str, ...]], series: tuple[str, str]) -> dict[str, dict[str, Series]]:
    """The packages of each side that a series has figures of."""
    return {side: {p: found for p in names if (found := downloads(p, series))} for side, names in packages.items()}


def c17() -> Iterator[Measured]:
    for series in pypi_series():
        for formula, without in (
            ("downloads of the ecosystem", ""),
            ("downloads of the ecosystem without transformers", "transformers"),
        ):
            both = {s: {p: d for p, d in by.items() if p != without} for s, by in sides(ECOSYSTEM, series).items()}
            for end in sorted({m for by in both.values() for d in by.values() for m in d}):
                if not all(any(end in d for d in by.values()) for by in both.values()):
                    continue
                now = {s: [v for d in by.values() if (v := d.get(end)) is not None] for s, by in both.items()}
                tensorflow, pytorch = (sum(now[s]) if now[s] else None for s in ("tensorflow", "pytorch"))
                n = sum(len(found) for found in now.values())
                value = ratio(tensorflow, pytorch)
                every = {package: found for by in both.values() for package, found in by.items()}
                beside = Beside(
                    "pypi",
                    end,
                    tensorflow,
                    pytorch,
                    lacking=int(tensorflow is None or pytorch is None),
                    partial=int(any(end in days_left_out(package, series) for package in every)),
                    nameless=without_figure(every, end),
                )
                yield Measured("C17", formula, f"{series[0]}, {series[1]}", end, value, n, beside=beside)


def c18() -> Iterator[Measured]:
    for series in pypi_series():
        both = sides(ECOSYSTEM, series)
        months = sorted({m for by in both.values() for d in by.values() for m in d})
        for end in months:
            told = {side: _quarters(by, end) for side, by in both.items()}
            if not all(told.values()):
                continue
            made: dict[str, dict[str, tuple[float | None, int]]] = {}
            for side, packages in told.items():
                now = [n for n, _ in packages if n is not None]
                ago = [b for _, b in packages if b is not None]
                alike = [(n, b) for n, b in packages if n is not None and b is not None]
                made[side] = {
                    "growth of the ecosystem over a year": (_over(now, ago), len(now)),
                    "growth of the same packages over a year": (
                        _over([n for n, _ in alike], [b for _, b in alike]),
                        len(alike),
                    ),
                    "size of the ecosystem over 3 months": (sum(now) if now else None, len(now)),
                }
            for formula in made["pytorch"]:
                back = 2 if formula.startswith("size") else 14
                if end >= shift(months[0], back):
                    (torch, n), (tensorflow, m) = made["pytorch"][formula], made["tensorflow"][formula]
                    looked_at = span(shift(end, -2), end)
                    looked_at += [] if back == 2 else span(shift(end, -14), shift(end, -12))
                    every = {package: found for by in both.values() for package, found in by.items()}
                    known = {month for found in every.values() for month, v in found.items() if v is not None}
                    short = {month for package in every for month in days_left_out(package, series)}
                    beside = Beside(
                        "pypi",
                        shift(end, -back),
                        torch,
                        tensorflow,
                        lacking=len(set(looked_at) - known),
                        partial=len(short.intersection(looked_at)),
                    )
                    name = f"{series[0]}, {series[1]}"
                    yield Measured("C18", formula, name, end, ratio(torch, tensorflow), n + m, beside=beside)


def _quarters(packages: Mapping[str, Series], end: date) -> list[tuple[float | None, float | None]]:
    """The mean of the last three months and that of the same three a year ago, a package."""
    told = []
    for found in packages.values():
        if any(m in found for back in (0, 12) for m in span(shift(end, -back - 2), shift(end, -back))):
            now, ago = window(found, end, 3), window(found, shift(end, -12), 3)
            told.append((statistics.fmean(now) if now else None, statistics.fmean(ago) if ago else None))
    return told


def _over(parts: list[float], wholes: list[float]) -> float | None:
    return ratio(sum(parts), sum(wholes)) if parts and wholes else None


def unmeasured(until: date) -> Iterator[Measured]:
    """The formulas for which the recorded figures hold nothing; looked up, not taken on trust."""
    tags = set(read("stackoverflow")["tagged"])
    assert tags == {"*", "tensorflow", "pytorch", "keras", "scikit-learn"}, "co-tags are recorded: measure C19 to C24"
    for series in pypi_series():
        followed = sides(DEPLOYMENT, series)
        assert not (followed["tensorflow"] and followed["pytorch"]), f"{series}: both sides are there: measure C19, C20"
    for claim, formulas in _FORMULAS.items():
        for formula in formulas:
            yield Measured(claim, formula, None, until, None, 0, blocked=True)


_MEASURES = (
    "downloads of serving packages", "downloads of edge packages", "downloads of serving and edge packages",
    "questions on deployment tags",
)  # fmt: skip
_FORMULAS = {
    "C15": [
        f"{formula} after another year"
        for formula in (
            "moved to pytorch alone", "moved to pytorch alone or beside tensorflow", "pytorch authors who stayed",
        )
    ],
    "C16": ["tensorflow in the models of google", "tensorflow in the repositories of google"],
    "C19": [f"{measure} in the month" for measure in _MEASURES],
    "C20": [f"change of the ratio of {measure}" for measure in _MEASURES],
    "C22": [
        f"questions on {tags}"
        for tags in ("tensorflow and javascript", "tensorflow.js", "tensorflow and java", "tensorflow and c++")
    ],
    "C23": [f"questions on tensorflow and {language}" for language in ("julia", "rust", "scala", "haskell")],
    "C24": ["languages in pairs of tags", "languages in pairs and tags of their own"],
}  # fmt: skip
