"""The finding on the packages around both frameworks: companions, and those that deploy models."""

from __future__ import annotations

from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_labels import PLOT, across, end_layers, told_together
from fw_pipeline.report.charts.chart_style import finished
from fw_pipeline.report.charts.palette import token
from fw_pipeline.report.figure import Figure, sql
from fw_pipeline.report.formatting import in_full, in_month, listed
from fw_pipeline.report.leads import leader, to_one

KINDS = {
    "companions": ("companion packages", "Companions", "pypi"),
    "deployment": ("deployment tools", "Deployment", "papers"),
}
"""For each kind: its name in a sentence, its label, and the token of its colour."""

HEIGHT = 300


def packages(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw the ratio of PyTorch to TensorFlow in the downloads of the packages around them.

    Args:
        rows: as the query `packages` returns them.
        credit: who published the figures.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = rows.filter(pl.col("ratio") > 0)
    shown = alt.Chart().transform_calculate(line="datum.kind", stretch="datum.kind + datum.series")
    upright = (
        alt.Y("ratio:Q")
        .scale(type="log", base=2, nice=False, padding=8)
        .axis(
            title=None,
            values=[2.0**step for step in range(-10, 6)],
            labelExpr="datum.value < 1 ? '1 : ' + format(1 / datum.value, 'd') : datum.value + ' : 1'",
        )
    )
    colour = (
        alt.Color("kind:N").scale(domain=list(KINDS), range=[token(kind[2]) for kind in KINDS.values()]).legend(None)
    )
    base = shown.encode(x=across(alt), y=upright, color=colour, detail="stretch:N")
    level = alt.Chart(alt.InlineData(values=[{"level": 1}])).encode(y=alt.Y("level:Q"))
    last = [line.row(-1, named=True) for _, line in rows.sort("month").group_by("kind", maintain_order=True)]
    values = [
        {"day": str(row["month"]), "end": row["ratio"], "line": row["kind"], "text": text, "dy": dy}
        for row in last
        for text, dy in ((KINDS[row["kind"]][1], -8), (to_one(row["ratio"]), 8))
    ]
    said = shown.transform_calculate(
        said="(datum.ratio < 1 ? '1 to ' + format(1 / datum.ratio, '.2~f') : format(datum.ratio, '.2~f') + ' to 1')"
    )
    chart = alt.layer(
        level.mark_rule(color=token("ink"), strokeWidth=1.2).encode(x=alt.value(0), x2=alt.value({"expr": PLOT})),
        base.mark_line(strokeWidth=2.4),
        *end_layers(alt, values, {kind: colour for kind, (_, _, colour) in KINDS.items()}),
        *told_together(alt, said, {kind: name.capitalize() for kind, (name, _, _) in KINDS.items()}),
    )
    return Figure(
        name="packages_around",
        shows=("marts.ecosystem_downloads", "marts.deployment"),
        title=_title(last),
        takeaway="A download is one installation, usually by an automated system: it is not a user, and a single "
        "package can weigh much on either side.",
        lead="Downloads of PyTorch's packages for each one of TensorFlow's: companions such as torchvision and "
        "tensorflow-hub, and tools that serve models or put them on devices. Above 1 : 1 there are more of PyTorch's. "
        "A line is interrupted where another count begins.",
        summary=_in_words(last),
        spec=finished(chart, (), title="PyTorch for each TensorFlow", height=HEIGHT),
        rows=rows,
        sql=sql("packages"),
        credit=credit,
        has_range=False,
    )


def _title(last: list[dict[str, Any]]) -> str:
    said: dict[str, list[str]] = {}
    for row in last:
        ratio = to_one(max(row["ratio"], 1 / row["ratio"]))
        told = f"{KINDS[row['kind']][0]} ({ratio}, {in_month(row['month'])})"
        said.setdefault(leader(row["ratio"]) or "Neither", []).append(told)
    clauses = [
        f"{who} {'leads' if place == 0 else ''} in {listed(what)}".replace("  ", " ")
        for place, (who, what) in enumerate(said.items())
    ]
    return f"Around the frameworks, {listed(clauses)}"


def _in_words(last: list[dict[str, Any]]) -> str:
    said = [f"{KINDS[row['kind']][0].capitalize()}: {to_one(row['ratio'])} in {in_full(row['month'])}" for row in last]
    return (
        f"Downloads of PyTorch's packages for each one of TensorFlow's. {'; '.join(said)}." if said else "No figures."
    )
