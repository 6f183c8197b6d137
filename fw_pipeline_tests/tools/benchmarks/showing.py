"""How figures are shown: one table a comparison, remarks below it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fw_pipeline_tests.tools.benchmarks.measuring import Measured

TITLES = ("", "wall s", "least to most", "ratio", "CPU s", "ratio", "peak MB", "ratio")


def table(title: str, titles: Iterable[str], rows: Iterable[tuple[str, ...]], remarks: Iterable[str]) -> None:
    """Print a table; the first column names its rows."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(titles):
        shown.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(Text(f"\n{title}", style="bold"))
    console.print(shown)
    for remark in remarks:
        console.print(Text(f"* {remark}"))
    sys.stdout.flush()


def show(measured: Measured) -> None:
    """Print what came of a comparison: medians, and how many times that of the last side."""
    table(measured.comparison.title, TITLES, _rows(measured), measured.remarks)


def _rows(measured: Measured) -> Iterator[tuple[str, ...]]:
    yardstick = measured.comparison.sides[-1].name
    for side in measured.comparison.sides:
        walls = [cost.wall for cost in measured.costs[side.name]]
        wall, cpu, peak = (
            (measured.of(side.name, it), measured.of(side.name, it) / measured.of(yardstick, it))
            for it in ("wall", "cpu", "peak")
        )
        spread = f"{min(walls):.2f} to {max(walls):.2f}"
        yield (
            side.name,
            *(f"{wall[0]:.2f}", spread, f"{wall[1]:.2f}"),
            *(f"{cpu[0]:.2f}", f"{cpu[1]:.2f}", f"{peak[0]:.0f}", f"{peak[1]:.2f}"),
        )
