"""Labels in charts: placement without overlaps at any width, and labels at the ends of lines.

All lengths are in pixels, the origin is the upper left corner of the plot, and only widths vary, not heights.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_style import in_range, pointed, time_axis
from fw_pipeline.report.figure import token

Point = tuple[float, float]
"""Part of the plot's width (0 to 1) and pixels from its top."""

WIDE, NARROW, SMALL = 8.8, 8.1, 6.8
"""Width of a character in the widest font that a reader may have: bold at 13 and 12 pixels, and regular at 11."""

CELL, CLEAR = 4.0, 4.0
"""Pixels: the side of the search grid's cells, and the space around a label."""

MARGIN, APART = 94, 15
"""Pixels: the right margin, and the minimum between two labels."""

PLOT = f"width - {MARGIN}"
"""Where the plot ends and the margin begins, as a Vega expression."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a label: its upper left corner, in pixels from its point."""

    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text that belongs to a point, in one or more lines."""

    lines: Sequence[str]
    at: Point
    character: float = WIDE
    line: float = 15.0
    """Pixels from one line to the next."""
    along: str = ""
    """Where it may be placed: `above` or `below` a horizontal line that begins at its point, `upright` next to a
    vertical line through it, or otherwise anywhere around it."""

    @property
    def size(self) -> Point:
        """Width and height."""
        return max(map(len, self.lines)) * self.character, len(self.lines) * self.line


RINGS = (8, 14, 22, 32, 44, 60, 80, 105, 135, 170)
"""Pixels between a label and its point, tried in order until there is a free place."""


def places(
    labels: Sequence[Label], lines: Iterable[Sequence[Point]], *, widths: Sequence[float], height: float
) -> list[Place | None]:
    """Return a place for each label, near its point, that is free at all `widths`; None if there is none.

    Earlier labels choose first.
    """
    stretches = [pair for line in lines for pair in pairwise(line)]
    boards = [_Board(width, height, stretches) for width in widths]
    found: list[Place | None] = []
    for label in labels:
        place = next(
            (place for place in _candidates(label) if all(board.is_free(label, place) for board in boards)), None
        )
        found.append(place)
        if place is not None:
            for board in boards:
                board.take(label, place)
    return found


class _Board:
    """The plot at one width, as a grid of cells with running totals: one lookup tells if a rectangle is free."""

    def __init__(self, width: float, height: float, stretches: Iterable[tuple[Point, Point]]) -> None:
        self.width, self.height = width, height
        self.taken: list[tuple[float, float, float, float]] = []
        across, down = int(width // CELL) + 2, int(height // CELL) + 2
        touched = [[0] * across for _ in range(down)]
        for (start_x, start_y), (end_x, end_y) in stretches:
            length = math.hypot((end_x - start_x) * width, end_y - start_y)
            steps = int(length // (CELL / 2)) + 1
            for step in range(steps + 1):
                x = (start_x + (end_x - start_x) * step / steps) * width
                y = start_y + (end_y - start_y) * step / steps
                if 0 <= x <= width and 0 <= y <= height:
                    touched[int(y // CELL)][int(x // CELL)] = 1
        # Each cell of `sums` counts the touched cells above it and to its left.
        above = [0] * (across + 1)
        self.sums = [above]
        for row in touched:
            above = [before + so_far for before, so_far in zip(above, accumulate(row, initial=0), strict=True)]
            self.sums.append(above)

    def is_free(self, label: Label, place: Place) -> bool:
        left, top, right, bottom = self._box(label, place)
        if left < 0 or right > self.width or top < 0 or bottom > self.height:
            return False
        if any(
            left < other[2] + CLEAR
            and other[0] < right + CLEAR
            and top < other[3] + CLEAR
            and other[1] < bottom + CLEAR
            for other in self.taken
        ):
            return False
        rows = (max(int((top - CLEAR) // CELL), 0), min(int((bottom + CLEAR) // CELL) + 1, len(self.sums) - 1))
        columns = (max(int((left - CLEAR) // CELL), 0), min(int((right + CLEAR) // CELL) + 1, len(self.sums[0]) - 1))
        upper, lower = (self.sums[row] for row in rows)
        return lower[columns[1]] - lower[columns[0]] - upper[columns[1]] + upper[columns[0]] == 0

    def take(self, label: Label, place: Place) -> None:
        self.taken.append(self._box(label, place))

    def _box(self, label: Label, place: Place) -> tuple[float, float, float, float]:
        left, top = label.at[0] * self.width + place.dx, label.at[1] + place.dy
        wide, tall = label.size
        return left, top, left + wide, top + tall


def _candidates(label: Label) -> Iterator[Place]:
    """Return the candidate places, best first."""
    wide, tall = label.size
    if label.along in ("above", "below"):
        yield from (Place(dx, -tall - 9 if label.along == "above" else 8) for dx in range(0, 700, 8))
    elif label.along == "upright":
        yield from (Place(dx, -tall - up) for up in range(0, 400, 8) for dx in (9.0, -wide - 9))
    else:
        parts = (0.5, 0.25, 0.75, 0.0, 1.0)
        for ring in RINGS:
            yield from (Place(-wide * part, -tall - ring) for part in parts)
            yield from (Place(ring, -tall * part) for part in parts)
            yield from (Place(-wide * part, ring) for part in parts)
            yield from (Place(-wide - ring, -tall * part) for part in parts)
            yield from (Place(dx, dy) for dx in (ring, -wide - ring) for dy in (-tall - ring, ring))


def across(alt: Any, column: str = "month") -> Any:
    """Return the axis of months, which ends at the margin for the labels."""
    axis = time_axis(alt, column)
    return axis.scale(type="utc", nice=False, padding=6, range=[0, {"expr": PLOT}])


def ends(rows: pl.DataFrame, value: str, *, within: Sequence[str], height: int) -> list[dict[str, Any]]:
    """Return the last figure of every line, moved by `dy` pixels where two would touch.

    Args:
        rows: with the columns `month`, `line` and `title` (of the label), and `value`.
        value: the column that is drawn, on a linear scale from zero.
        within: the columns that say which lines are drawn together.
        height: of the plot, in pixels.
    """
    found: list[dict[str, Any]] = []
    there = rows.drop_nulls(value).sort("month")
    for key, together in there.group_by(within, maintain_order=True) if within else [((), there)]:
        highest = float(together[value].max() or 1)  # type: ignore[arg-type]
        last = together.group_by("line", maintain_order=True).last().sort(value)
        floor = -APART * 1.0
        for row in last.iter_rows(named=True):
            y = height * row[value] / highest
            floor = max(floor + APART, y)
            named = dict(zip(within, key, strict=True))
            found.append(
                {"day": str(row["month"]), "end": row[value], "line": row["line"], "text": row["title"]}
                | {"dy": round(y - floor, 1), **named}
            )
    return found


def end_layers(
    alt: Any, values: Sequence[Mapping[str, Any]], colours: Mapping[str, str], *, shown: str = "true"
) -> list[Any]:
    """Return the labels as layers.

    Args:
        alt: the module altair.
        values: as `ends` returns them.
        colours: the token of each line.
        shown: a Vega expression that holds for the labels that the reader's choices leave.
    """
    chosen = alt.Color("line:N").scale(domain=list(colours), range=[token(colour) for colour in colours.values()])
    return [
        alt.Chart(alt.InlineData(values=list(values)))
        .transform_filter(f"{in_range('day')} && ({shown})")
        .encode(x=across(alt, "day"), y=alt.Y("end:Q"), text=alt.Text("text:N"), color=chosen.legend(None))
        .mark_text(align="left", baseline="middle", dx=7, dy={"expr": "datum.dy"}, fontSize=12, fontWeight="bold")
    ]


def told_together(alt: Any, said: Any, lines: Mapping[str, str], column: str = "month") -> list[Any]:
    """Return the tooltip with every line's figure in the month under the pointer.

    Args:
        alt: the module altair.
        said: the chart whose rows have a month, a `line` and what is `said` of it.
        lines: the title of each line.
        column: that of the months.
    """
    base = said.transform_pivot("line", value="said", groupby=[column], op="max").encode(x=across(alt, column))
    told = {"Month": f"utcFormat(row.{column}, '%b %Y')", **{title: f"row.{line}" for line, title in lines.items()}}
    return pointed(alt, base, told, [column])
