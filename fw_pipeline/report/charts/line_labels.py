"""Labels at the ends of lines, in a margin right of the last month, and the tooltip that tells all lines at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_style import in_range, pointed, time_axis
from fw_pipeline.report.charts.palette import token

MARGIN, APART = 94, 15
"""Pixels: of the margin at the right, and at least between two labels."""

PLOT = f"width - {MARGIN}"
"""Where the plot ends and the margin begins, as a Vega expression."""


def across(alt: Any, column: str = "month") -> Any:
    """Return the axis of months, which ends where the margin of the labels begins."""
    axis = time_axis(alt, column)
    return axis.scale(type="utc", nice=False, padding=6, range=[0, {"expr": PLOT}])


def ends(rows: pl.DataFrame, value: str, *, within: Sequence[str], height: int) -> list[dict[str, Any]]:
    """Return the last figure of every line, moved by `dy` pixels where two would touch.

    Args:
        rows: with the columns `month`, `line` and `title` (of the label), and `value`.
        value: the column that is drawn, on a linear scale from nothing.
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
        .encode(x=across(alt, "day"), y=alt.Y("end:Q"), text="text:N", color=chosen.legend(None))
        .mark_text(align="left", baseline="middle", dx=7, dy={"expr": "datum.dy"}, fontSize=12, fontWeight="bold")
    ]


def told_together(alt: Any, said: Any, lines: Mapping[str, str], column: str = "month") -> list[Any]:
    """Return the tooltip that tells every line in the month under the pointer.

    Args:
        alt: the module altair.
        said: the chart whose rows have a month, a `line` and what is `said` of it.
        lines: the title of each line.
        column: that of the months.
    """
    base = said.transform_pivot("line", value="said", groupby=[column], op="max").encode(x=across(alt, column))
    told = {"Month": f"utcFormat(row.{column}, '%b %Y')", **{title: f"row.{line}" for line, title in lines.items()}}
    return pointed(alt, base, told, [column])
