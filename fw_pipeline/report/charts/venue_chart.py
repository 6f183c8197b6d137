"""The chart of the papers at nine conferences, with two denominators."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fw_pipeline.report.charts.chart_style import event_layers, finished, in_range, time_axis, tip
from fw_pipeline.report.charts.palette import token
from fw_pipeline.report.figure import Control, Event, Figure, sql
from fw_pipeline.report.formatting import figure, percent
from fw_pipeline.report.leads import Lead, clause

POOLED = "all nine, by year"
"""The venue in the rows that combine all nine in a year."""


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
        .encode(y="level:Q")
    )
    one = base.transform_filter("!datum.pooled").mark_point(
        filled=True, fill=token("pytorch"), stroke=token("paper"), strokeWidth=0.6, opacity=0.55, tooltip=told
    )
    every = base.transform_filter("datum.pooled")
    chart = alt.layer(
        *event_layers(alt, events),
        three_quarters.mark_rule(color=token("faint"), strokeDash=[5, 4]),
        three_quarters.mark_text(align="left", dy=-8, color=token("soft")).encode(x=alt.value(4), text="text:N"),
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
