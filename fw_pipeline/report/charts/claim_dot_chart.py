"""The chart of a claim that was measured once: each definition's value next to its threshold."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_style import finished, tip
from fw_pipeline.report.claim_cards import Card
from fw_pipeline.report.figure import Figure, token
from fw_pipeline.report.formatting import VERDICTS, bounded, figure, in_month, is_share, listed, rule, suffix

FEW = 6
"""If there are more definitions, the text gives only their number; the table below the chart lists them."""

MARKS = {
    "supported": ("circle", "ink"),
    "came_true": ("triangle-up", "ink"),
    "refuted": ("circle", "paper"),
    "not_yet": ("triangle-up", "paper"),
    "insufficient_data": ("M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8", "paper"),
}
"""The shape and fill of the mark for each verdict."""

AHEAD = ("came_true", "not_yet")
"""Verdicts that only predictions can have."""

NARROW = {"expr": "width < 320 ? 2 : 3"}
"""Columns of the legend: three verdicts do not fit next to each other on a phone."""


def verdict_marks(alt: Any, *, is_ahead: bool) -> dict[str, Any]:
    """Return the shape and fill that distinguish the verdicts, with their legend."""
    known = [verdict for verdict in MARKS if is_ahead or verdict not in AHEAD]
    legend = alt.Legend(title=None, labelExpr=f"{json.dumps(VERDICTS)}[datum.label]", symbolSize=70, columns=NARROW)
    shapes, fills = zip(*(MARKS[verdict] for verdict in known), strict=True)
    return {
        "shape": alt.Shape("verdict:N").scale(domain=known, range=list(shapes)).legend(legend),
        "fill": alt.Fill("verdict:N").scale(domain=known, range=[token(fill) for fill in fills]).legend(legend),
    }


def dots(card: Card, rows: pl.DataFrame, sql: str) -> Figure:
    """Return the chart of a claim whose definitions each have a single value.

    Args:
        card: the claim.
        rows: its rows of `marts.verdicts` that have a value, all in one unit.
        sql: the query that returned them.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    by_name = {found.name: found for found in card.definitions}
    shown = [by_name[name] for name in rows["definition"]]
    unit = shown[0].unit
    number = ".0%" if is_share(unit) else ",.4~g"
    base = (
        alt.Chart()
        .transform_calculate(
            verdict_text=f"{json.dumps(VERDICTS)}[datum.verdict]",
            value_text=f"format(datum.value, '{'.2%' if is_share(unit) else number}')",
        )
        .encode(
            y=alt.Y("definition:N")
            .sort(list(rows["definition"]))
            .scale(paddingOuter=0.6)
            .axis(title=None, labels=False, ticks=False, domain=False)
        )
    )
    told = {
        "Definition": "row.definition",
        "Value": "row.value_text",
        "Verdict": "row.verdict_text",
        "As of": "utcFormat(row.as_of, '%b %Y')",
    }
    axis = alt.Axis(title=None, tickCount=5, format=number, grid=True)
    limits = [base.encode(x=alt.X(f"{end}:Q").scale(zero=True).axis(axis)) for end in ("threshold", "upper")]
    drawn_limits = limits if any(found.upper is not None for found in shown) else limits[:1]
    chart = alt.layer(
        *(limit.mark_tick(color=token("ink"), thickness=2, size=20) for limit in drawn_limits),
        base.mark_text(align="left", baseline="bottom", dy=-9, color=token("soft"), limit={"expr": "width"}).encode(
            x=alt.XValue(0), text=alt.Text("definition:N")
        ),
        base.mark_point(size=70, stroke=token("ink"), strokeWidth=1.4, opacity=1, tooltip=tip(told)).encode(
            x=alt.X("value:Q").scale(zero=True).axis(axis),
            **verdict_marks(alt, is_ahead=any(found.is_ahead for found in card.definitions)),
        ),
    )
    return Figure(
        name=f"claim_{card.anchor}",
        title=f"{card.claim} {card.title}",
        lead="",
        summary=_in_words(card, rows),
        spec=finished(
            chart,
            (),
            title=f"Value{_of(unit)}; a stroke is what decides",
            height=34 * rows.height + 20,
        ),
        rows=rows,
        sql=sql,
        credit="Measured once, under every definition",
        has_range=False,
    )


def _in_words(card: Card, rows: pl.DataFrame) -> str:
    values: list[dict[str, Any]] = list(rows.iter_rows(named=True))
    by_name = {found.name: found for found in card.definitions}
    said = []
    for row in values:
        found = by_name[row["definition"]]
        said.append(
            f"{found.name}: {bounded(row['value'], row['low'], row['high'], found.unit)}{suffix(found.unit)} "
            f"({VERDICTS[row['verdict']]}; holds if {rule(found.rule, found.threshold, found.upper, found.unit)})"
        )
    if len(said) > FEW:
        counts = rows.group_by("verdict", maintain_order=True).len()
        verdicts = listed([f"{VERDICTS[verdict]} under {count}" for verdict, count in counts.iter_rows()])
        ordered = sorted(float(row["value"]) for row in values)
        low, high = (figure(end, by_name[values[0]["definition"]].unit) for end in (ordered[0], ordered[-1]))
        said = [f"{len(values)} definitions give values from {low} to {high}: {verdicts}"]
    months = listed([in_month(month) for month in rows["as_of"].unique().sort()])
    return f"Measured in {months}. {'; '.join(said)}."


def _of(unit: str | None) -> str:
    return "" if unit is None else f" ({unit})"
