"""Charts beyond the article's claims: how fast each framework gains or loses, and a composite of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_style import (
    event_layers,
    finished,
    framework_colour,
    in_range,
    pointed,
    time_axis,
    titles_of,
)
from fw_pipeline.report.figure import TITLES, Control, Event, Figure, sql, token
from fw_pipeline.report.formatting import SOURCE_TITLES, figure, in_month, listed

MEASURED = {("stackoverflow", "share"): "Share of all questions", ("pypi", "value"): "Downloads per day"}


def momentum(rows: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw the change over twelve months with its interval, one line per framework."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = _unbroken(
        rows.with_columns(counted=_counted(rows)),
        within=["counted", "framework"],
        present=pl.col("change").is_not_null(),
    )
    counted = _longest_first(rows)
    names = _frameworks(rows)
    controls = (
        Control("counted", "Counted", {name: name for name in counted} or {"": "nothing"}),
        Control("who", "Frameworks", {"two": "TensorFlow and PyTorch", "all": "All that are there"}),
    )
    base = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.counted == counted && isValid(datum.change)")
        .transform_filter("who == 'all' || indexof(['tensorflow', 'pytorch'], datum.framework) >= 0")
        .transform_calculate(
            named=f"{titles_of(names)}[datum.framework]",
            growth="1 + datum.change",
            low="max(1 + datum.change_low, 0.01)",
            high="1 + datum.change_high",
            line="datum.framework + datum.run",
        )
        .encode(
            x=time_axis(alt),
            y=alt.Y("growth:Q")
            .scale(type="log", nice=False, padding=8)
            .axis(
                title=None,
                values=[0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 25],
                labelExpr="datum.value == 1 ? 'no change' : datum.value < 3 ? format(datum.value - 1, '+.0%')"
                " : 'times ' + datum.value",
            ),
            color=framework_colour(alt, names),
            detail=alt.Detail("line:N"),
        )
    )
    told = {
        "Framework": "row.named",
        "Year to": "utcFormat(row.month, '%b %Y')",
        "Change": "format(row.change, '+.0%')",
        "Between": "format(row.change_low, '+.0%') + ' and ' + format(row.change_high, '+.0%')",
        "Pairs of months": "row.pairs + ' of 12'",
        "Left out": "row.left_out || 'nothing'",
    }
    level = alt.Chart(alt.InlineData(values=[{"level": 1}])).encode(y=alt.Y("level:Q"))
    chart = alt.layer(
        *event_layers(alt, events),
        level.mark_rule(color=token("ink"), strokeWidth=1.2),
        base.mark_area(opacity=0.17).encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        base.mark_line(strokeWidth=2.2),
        *pointed(alt, base, told, ["month", "line"]),
    )
    return Figure(
        name="momentum",
        title="Who gains, who loses: change over twelve months",
        shows=("marts.momentum",),
        lead="Each point compares twelve months with the same months of the year before; the band is the interval that "
        "the scatter of the months leaves, at 95 %, wide because neighbouring months resemble one another. Where it "
        "crosses the line, nothing can be said. A break is a year "
        "with too few months to compare, or one that a break of the series runs through.",
        summary=_momentum_in_words(rows, counted[:1]),
        spec=finished(chart, controls, title="Against the year before", events=events),
        rows=rows,
        sql=sql("momentum"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def composite(rows: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw each composite, with a break in the line wherever its sources change."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = _unbroken(
        rows, within=["composite", "framework"], present=pl.col("score").is_not_null(), same=pl.col("sources")
    )
    names = [name for name in _frameworks(rows) if rows.filter(framework=name)["score"].is_not_null().any()]
    composites = rows["composite"].unique(maintain_order=True).sort(descending=True).to_list()
    controls = (Control("composite", "Composite", {name: name for name in composites} or {"": "none"}),)
    base = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.composite == composite && isValid(datum.score)")
        .transform_calculate(
            named=f"{titles_of(names)}[datum.framework] || datum.framework", line="datum.framework + datum.run"
        )
        .encode(
            x=time_axis(alt),
            y=alt.Y("score:Q").scale(domainMin=0).axis(title=None, tickCount=6),
            color=framework_colour(alt, names),
            detail=alt.Detail("line:N"),
        )
    )
    told = {
        "Framework": "row.named",
        "Month": "utcFormat(row.month, '%b %Y')",
        "Composite": "format(row.score, '.0f')",
        "Of": "row.weights",
    }
    level = alt.Chart(alt.InlineData(values=[{"level": 100}])).encode(y=alt.Y("level:Q"))
    chart = alt.layer(
        *event_layers(alt, events),
        level.mark_rule(color=token("faint"), strokeDash=[5, 4]),
        base.mark_line(strokeWidth=2.2),
        *pointed(alt, base, told, ["month", "line"]),
    )
    return Figure(
        name="composite",
        title="All sources in one line: a composite, not a measurement",
        shows=("marts.composite", "marts.composite_parts"),
        lead="In the way of DB-Engines, each source is held against the mean of TensorFlow and PyTorch, which is 100, "
        "and the sources are averaged. What they weigh is a matter of taste, said below, and easy to change. A line "
        "breaks where a source is missing: what is left would be made of other things.",
        summary=_composite_in_words(rows, composites),
        spec=finished(
            chart,
            controls,
            title="Composite, not a measurement (100 = mean of TensorFlow and PyTorch)",
            events=events,
        ),
        rows=rows,
        sql=sql("composite"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def weights(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Describe the weights of each composite."""
    return [
        {
            "composite": row["composite"],
            "source": SOURCE_TITLES.get(row["source"], row["source"]),
            "definition": row["definition"],
            "weight": figure(row["weight"], "share"),
            "window": f"{row['window_months']} months",
            "reason": row["reason"] or "",
        }
        for row in rows.iter_rows(named=True)
    ]


def _unbroken(
    rows: pl.DataFrame, *, within: Sequence[str], present: pl.Expr, same: pl.Expr | None = None
) -> pl.DataFrame:
    """Number the runs of consecutive months that a line may connect: all present, and equal in `same`."""
    begins = present & ~present.shift(1).over(within, order_by="month").fill_null(value=False)
    if same is not None:
        begins |= present & same.ne_missing(same.shift(1).over(within, order_by="month"))
    return rows.with_columns(run=begins.cum_sum().over(within, order_by="month"))


def _counted(rows: pl.DataFrame) -> pl.Expr:
    keys = {
        (source, series, measure): f"{MEASURED.get((source, measure), measure)}, {SOURCE_TITLES.get(source, source)}"
        + ("" if rows.filter(source=source)["series"].n_unique() == 1 else f": {series}")
        for source, series, measure in rows.select("source", "series", "measure").unique().iter_rows()
    }
    names = {"\t".join(key): name for key, name in keys.items()}
    return pl.concat_str("source", "series", "measure", separator="\t").replace_strict(names, return_dtype=pl.String)


def _longest_first(rows: pl.DataFrame) -> list[str]:
    """Return the series: Stack Overflow's first, as in the article, then the longest first."""
    present = rows.filter(pl.col("change").is_not_null()).group_by("counted", "source").len()
    ordered = present.sort(pl.col("source") != "stackoverflow", -pl.col("len").cast(pl.Int64), "counted")
    return list(ordered["counted"])


def _frameworks(rows: pl.DataFrame) -> list[str]:
    found = set(rows["framework"].unique())
    return [name for name in TITLES if name in found]


def _momentum_in_words(rows: pl.DataFrame, counted: Sequence[str]) -> str:
    said = []
    for name in _frameworks(rows):
        line = rows.filter(pl.col("counted").is_in(counted), framework=name).drop_nulls("change").sort("month")
        if not line.is_empty():
            said.append(_change_in_words(name, line.row(-1, named=True)))
    return f"{counted[0]}, twelve months against the twelve before. {'; '.join(said)}." if said else "No figures."


def _change_in_words(name: str, last: dict[str, Any]) -> str:
    change, low, high = (figure(last[column], "share") for column in ("change", "change_low", "change_high"))
    return f"{TITLES[name]} in the year to {in_month(last['month'])}: {change} (between {low} and {high})"


def _of(sources: str) -> str:
    return f"from {listed([SOURCE_TITLES.get(name, name) for name in sources.split(', ')])}"


def _composite_in_words(rows: pl.DataFrame, composites: Sequence[str]) -> str:
    said = []
    for composite_name in composites:
        parts = []
        for name in _frameworks(rows):
            line = rows.filter(composite=composite_name, framework=name).drop_nulls("score").sort("month")
            if not line.is_empty():
                last = line.row(-1, named=True)
                parts.append(f"{TITLES[name]} {last['score']:.0f} in {in_month(last['month'])}, {_of(last['sources'])}")
        if parts:
            said.append(f"{composite_name.capitalize()}: {'; '.join(parts)}")
    return f"{'. '.join(said)}." if said else "No figures."
