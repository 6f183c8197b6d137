"""Whether the pipeline's work grows as its data does: the same work on data of several sizes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from fw_pipeline_tests.tools.benchmarks.measuring import Comparison, Side, cost_of
from fw_pipeline_tests.tools.benchmarks.peer_comparisons import figures

_MODULE = "fw_pipeline_tests.tools.benchmarks"
_BARE = (sys.executable, "-m", f"{_MODULE}.bare")
_GROWTH = (sys.executable, "-m", f"{_MODULE}.growth")
_MEASURED = (*_GROWTH, "measure")
_PARTS = ("load", "build", "publish")
_CHANGES = {"nothing changed": 10**9, "each with one figure in 100 changed": 100, "each with every figure changed": 1}
"""What the later vintages of a month are like, and in how many rows one is changed."""
_ONE = "one vintage of everything"


def growth(folder: Path, *, full: bool) -> Comparison:
    """Return load, build and publish with a tenth, a third and all of many models and papers."""
    models, papers = (3_000_000, 300_000) if full else (1_500_000, 30_000)
    kept = _recorded(folder)

    def prepare(models: int, papers: int, data: Path) -> None:
        shutil.copytree(kept / "raw", data / "raw")
        cost_of((*_GROWTH, "add-rows", str(models), str(papers)), data)

    sizes = [(models // part, papers // part) for part in (1, 3, 10)]
    names = [f"{models:,} models, {papers:,} papers" for models, papers in sizes]

    def closing(left: Mapping[str, Path]) -> list[str]:
        spent = [figures(left[name]) for name in names]
        said = [f"{name}: {_parts(it)}" for name, it in zip(names, spent, strict=True)]
        rates = [_rates(spent, sizes, at) for at in (1, 0)]
        told = ", ".join(f"{part} {low:.2f} and {high:.2f}" for part, low, high in zip(_PARTS, *rates, strict=True))
        return [*said, f"CPU s for 100,000 models more, up to the middle size and beyond it: {told}"]

    sides = (Side(name, _MEASURED, partial(prepare, *size)) for name, size in zip(names, sizes, strict=True))
    title = "Load, build and publish as models and papers grow, beside the recorded figures"
    return Comparison(title, tuple(sides), seconds=0, rounds=1, closing=closing)


def growth_drift(folder: Path, *, full: bool) -> Comparison:
    """Return load, build and publish of many vintages of every month, and of one."""
    number = 20 if full else 5
    kept = _recorded(folder)

    def prepare(every: int | None, data: Path) -> None:
        shutil.copytree(kept / "raw", data / "raw")
        if every:
            cost_of((*_GROWTH, "add-vintages", str(number - 1), str(every)), data)

    def closing(left: Mapping[str, Path]) -> list[str]:
        spent = {name: figures(data) for name, data in left.items()}
        one = spent[_ONE]
        return [
            f"{name}: {_parts(it)}, together {_sum(it) / _sum(one):.2f} times one vintage; of that the tables on drift "
            f"{it['drift']:.2f} CPU s; one vintage more of each source, load {it['one more']:.2f} CPU s"
            for name, it in spent.items()
        ]

    several = {f"{number} vintages, {what}": every for what, every in _CHANGES.items()}
    sides = (Side(name, _MEASURED, partial(prepare, every)) for name, every in {**several, _ONE: None}.items())
    return Comparison("Load, build and publish as vintages grow", tuple(sides), seconds=0, rounds=1, closing=closing)


def _recorded(folder: Path) -> Path:
    """Return a data folder with the recorded figures, made where it is not there."""
    kept = folder / "recorded"
    if not kept.exists():
        cost_of((*_BARE, "--no-models"), kept)
    return kept


def _parts(spent: Mapping[str, float]) -> str:
    return ", ".join(f"{part} {spent[part]:.2f} CPU s" for part in _PARTS)


def _sum(spent: Mapping[str, float]) -> float:
    return sum(spent[part] for part in _PARTS)


def _rates(spent: list[dict[str, float]], sizes: list[tuple[int, int]], at: int) -> list[float]:
    """Return for each part the CPU seconds that 100,000 models more take, from the next smaller size to one."""
    more = (sizes[at][0] - sizes[at + 1][0]) / 100_000
    return [(spent[at][part] - spent[at + 1][part]) / more for part in _PARTS]


GROWTH_COMPARISONS: Mapping[str, Callable[..., Comparison]] = {"growth": growth, "growth-drift": growth_drift}
"""By the name that chooses each; given a folder for what the sides work on, and whether to take the large size."""
