"""The findings on what surrounds the frameworks: papers at nine conferences, companion packages, deployment tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.answer import Lead, clause, leader, to_one
from fw_pipeline.report.charts.chart_labels import PLOT, across, end_layers, told_together
from fw_pipeline.report.charts.chart_style import event_layers, finished, in_range, time_axis, tip
from fw_pipeline.report.figure import Control, Event, Figure, sql, token
from fw_pipeline.report.formatting import figure, in_full, in_month, listed, percent

KINDS = {
    "companions": ("companion packages", "Companions", "pypi"),
    "deployment": ("deployment tools", "Deployment", "papers"),
}
"""For each kind: its name in a sentence, its label, and the token of its colour."""

HEIGHT = 300

POOLED = "all nine, by year"
"""The venue in the rows that combine all nine in a year."""


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
    base = shown.encode(x=across(alt), y=upright, color=colour, detail=alt.Detail("stretch:N"))
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
        level.mark_rule(color=token("ink"), strokeWidth=1.2).encode(x=alt.XValue(0), x2=alt.X2Value({"expr": PLOT})),
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


def venues(rows: pl.DataFrame, lead: Lead | None, events: Sequence[Event], credit: str) -> Figure:
    """Draw PyTorch's share of the papers at nine conferences, with two denominators."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    controls = (
        Control(
            "measure",
            "PyTorch's share of",
            {"share_of_both": "papers that name PyTorch or TensorFlow", "share_of_all": "all papers"},
        ),
    )
    pooled = f"datum.venue == '{POOLED}'"
    base = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_calculate(
            shown="datum[measure]",
            pooled=pooled,
            middle=f"{pooled} ? utc(utcyear(datum.month), 6, 1) : datum.month",
            when=f"{pooled} ? utcFormat(datum.month, '%Y') : utcFormat(datum.month, '%b %Y')",
        )
        .transform_filter("isValid(datum.shown)")
        .encode(
            x=time_axis(alt, "middle"),
            y=alt.Y("shown:Q").scale(domainMin=0).axis(title=None, tickCount=5, format=".0%"),
        )
    )
    told = tip(
        {
            "Venue": "row.venue",
            "When": "row.when",
            "PyTorch only": "format(row.pytorch, ',')",
            "TensorFlow or Keras only": "format(row.tensorflow, ',')",
            "All papers": "format(row.papers, ',')",
            "of the two": "isValid(row.share_of_both) ? format(row.share_of_both, '.1%') : 'none'",
            "of all papers": "format(row.share_of_all, '.1%')",
        }
    )
    three_quarters = (
        alt.Chart(alt.InlineData(values=[{"level": 0.75, "text": "three of four"}]))
        .transform_filter("measure == 'share_of_both'")
        .encode(y=alt.Y("level:Q"))
    )
    one = base.transform_filter("!datum.pooled").mark_point(
        filled=True, fill=token("pytorch"), stroke=token("paper"), strokeWidth=0.6, opacity=0.55, tooltip=told
    )
    every = base.transform_filter("datum.pooled")
    chart = alt.layer(
        *event_layers(alt, events),
        three_quarters.mark_rule(color=token("faint"), strokeDash=[5, 4]),
        three_quarters.mark_text(align="left", dy=-8, color=token("soft")).encode(
            x=alt.XValue(4), text=alt.Text("text:N")
        ),
        one.encode(size=alt.Size("papers:Q").scale(range=[30, 420]).legend(None)),
        every.mark_line(color=token("pytorch"), strokeWidth=2.4, point=False),
        every.mark_point(
            filled=True,
            shape="diamond",
            size=110,
            fill=token("pytorch"),
            stroke=token("paper"),
            opacity=1,
            tooltip=told,
        ),
    )
    return Figure(
        name="papers_at_venues",
        shows=("marts.research_adoption",),
        title=f"PyTorch {clause(lead)}" if lead else "Papers at conferences",
        takeaway=_takeaway(rows),
        lead="A dot is one conference, as large as its number of papers; a diamond is all nine of a year. Most papers "
        "name neither framework, so the same counts give three of four, or one of four.",
        summary=_venues_in_words(rows),
        spec=finished(chart, controls, title="PyTorch's share of papers", events=events),
        rows=rows,
        sql=sql("venues"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def _takeaway(rows: pl.DataFrame) -> str:
    """Say what the newest year is based on."""
    years = rows.filter(pl.col("venue") == POOLED).drop_nulls("share_of_both").sort("month")
    if years.is_empty():
        return ""
    last = years.row(-1, named=True)
    of_year = rows.filter(pl.col("venue") != POOLED, pl.col("month").dt.year() == last["month"].year)
    met = of_year["venue"].n_unique()
    where = "one conference" if met == 1 else f"{met} conferences"
    rest = percent(1 - last["share_of_all"] - last["tensorflow_share_of_all"])
    return (
        f"In {last['month'].year} {last['pytorch']:,} papers of {where} named PyTorch alone and {last['tensorflow']:,} "
        f"TensorFlow or Keras alone; {rest} of all papers named neither or both, and tell nothing."
    )


def _venues_in_words(rows: pl.DataFrame) -> str:
    said = [
        f"{row['month'].year}: {figure(row['share_of_both'], 'share')} of the papers that name one of the two, "
        f"{figure(row['share_of_all'], 'share')} of all"
        for row in rows.filter(pl.col("venue") == POOLED).sort("month").iter_rows(named=True)
        if row["share_of_both"] is not None
    ]
    return f"PyTorch's share by year. {'; '.join(said)}." if said else "No figures."
