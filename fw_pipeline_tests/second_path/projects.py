"""The claim on what Google uses: C16, by its research projects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from fw_pipeline_tests.second_path.figures import ratio, read, shift, span
from fw_pipeline_tests.second_path.measured import ANYTHING, Beside, Measured

ALL = "projects of google with tensorflow for each with the next framework"
Project = tuple[date | None, set[str]]


def projects(*, sample: bool) -> dict[str, list[Project]]:
    """The projects of each repository: when they began, and which frameworks they use."""
    found: dict[str, list[Project]] = {}
    rows = read("google_projects").filter(pl.col("is_sample") == str(sample).lower())
    for repository, began, names in rows.select("repository", "first_commit", "frameworks").rows():
        month = date.fromisoformat(began).replace(day=1) if began else None
        found.setdefault(repository, []).append((month, set(names.strip("[]").split(";")) - {""}))
    return found


def compared(formula: str, series: str, as_of: date, since: date | None, used: list[set[str]]) -> Measured:
    """TensorFlow's projects over those of the framework that comes next."""
    counts = {name: sum(name in names for names in used) for names in used for name in names}
    tensorflow = counts.pop("tensorflow", 0)
    most = max(counts.values(), default=None)
    beside = Beside("projects", since, tensorflow, most, note=ANYTHING)
    n = sum(bool(names) for names in used)
    return Measured("C16", formula, series, as_of, ratio(tensorflow, most), n, blocked=since is None, beside=beside)


def c16() -> Iterator[Measured]:
    last = date(1, 1, 1)
    for repository, found in projects(sample=False).items():
        dated = [(month, names) for month, names in found if month]
        first, last = min(month for month, _ in dated), max(last, *(month for month, _ in dated))
        for end in span(first, max(month for month, _ in dated)):
            so_far = [names for month, names in dated if month <= end]
            yield compared(ALL, repository, end, first, so_far)
            year_ago = shift(end, -11)
            if year_ago >= first:
                new = [names for month, names in dated if year_ago <= month <= end]
                yield compared(f"new {ALL}", repository, end, year_ago, new)
    for repository, found in projects(sample=True).items():
        yield compared(ALL, repository, last, None, [names for _, names in found])
