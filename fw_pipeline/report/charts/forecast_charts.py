"""The forecasts: their chart, how wrong they were, and whether the article's predictions would have been called."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from fw_pipeline.report.answer import to_one
from fw_pipeline.report.charts.chart_labels import PLOT, across, end_layers, ends, told_together
from fw_pipeline.report.charts.chart_style import finished, in_range, pointed, time_axis
from fw_pipeline.report.claim_cards import THEN
from fw_pipeline.report.figure import Control, Figure, sql, token
from fw_pipeline.report.formatting import NONE, figure, in_full, in_month

FINDING_HEIGHT = 300


def forecasts(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw a series with the forecast of January 2023, or the last one, and its interval."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = rows.with_columns(counted=pl.concat_str("claim", pl.lit(" "), "formula", pl.lit(", "), "series"))
    counted = rows.filter(kind="then")["counted"].unique(maintain_order=True).to_list()
    counted += [name for name in rows["counted"].unique(maintain_order=True) if name not in counted]
    counted.sort(key=lambda name: not name.startswith("C25 ratio of downloads"))
    controls = (
        Control("counted", "Forecast", {name: name for name in counted} or {"": "nothing"}),
        Control("made", "Made", {"then": "in January 2023", "now": "after the last figure"}),
    )
    base = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.counted == counted")
        .encode(
            x=time_axis(alt),
            y=alt.Y("value:Q")
            .scale(domainMin=0)
            .axis(
                title=None,
                tickCount=6,
                labelExpr="indexof(counted, 'share') >= 0 ? format(datum.value, '.2%') : format(datum.value, ',~g')",
            ),
        )
    )
    measured = base.transform_filter("datum.kind == 'measured'")
    ahead = base.transform_filter("datum.kind == made")
    told = {
        "Month": "utcFormat(row.month, '%b %Y')",
        "What": "row.kind == 'measured' ? 'measured' : 'forecast of ' + utcFormat(row.made_as_of, '%b %Y')",
        "Figure": "isValid(row.value) ? format(row.value, '.3~g') : 'no figure'",
        "Between": "isValid(row.low) ? format(row.low, '.3~g') + ' and ' + format(row.high, '.3~g') : ''",
    }
    even = alt.Chart(alt.InlineData(values=[{"level": 1}])).transform_filter("indexof(counted, 'ratio') >= 0")
    chart = alt.layer(
        even.mark_rule(color=token("faint"), strokeDash=[5, 4]).encode(y=alt.Y("level:Q")),
        ahead.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.2, color=token("pytorch"))
        .encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        measured.mark_line(strokeWidth=2.2, color=token("ink")),
        ahead.mark_line(strokeWidth=2.2, color=token("pytorch"), strokeDash=[6, 3]),
        *pointed(
            alt,
            base.transform_filter("datum.kind == 'measured' || datum.kind == made").encode(
                color=alt.ColorValue(token("ink"))
            ),
            told,
            ["month", "kind"],
        ),
    )
    return Figure(
        name="forecasts",
        title="Would it have been called?",
        shows=("marts.forecasts", "marts.forecast_errors", "marts.predictions"),
        lead="Solid is what was measured, dashed what exponential smoothing made of the figures up to January 2023, "
        "with the interval that should hold four of five: as wide as four of five earlier forecasts were wrong, and "
        "none where fewer than four could be judged by then. A ratio above one is more PyTorch than TensorFlow. How "
        "wrong such forecasts were, and how many intervals held, stands in the table below.",
        summary=_in_words(rows, counted),
        spec=finished(chart, controls, title="Measured, and forecast with its interval at 80 %"),
        rows=rows,
        sql=sql("forecasts"),
        credit=credit,
        controls=controls,
    )


def finding(rows: pl.DataFrame, credit: str) -> Figure:
    """Draw the ratio of downloads with the forecast of January 2023, and the actual figures.

    Args:
        rows: as the query `foretold` returns them.
        credit: who published the figures.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = rows.filter(pl.col("month") >= date(THEN.year - 3, 1, 1))
    both = rows.pivot("kind", index="month", values="value").sort("month")
    both = both.drop_nulls([name for name in ("forecast", "measured") if name in both.columns])
    judged = both.row(-1, named=True) if both.height and {"forecast", "measured"} <= {*both.columns} else None
    drawn = rows if judged is None else rows.filter(pl.col("month") <= judged["month"])
    shown = alt.Chart().transform_calculate(line="datum.kind")
    base = shown.encode(x=across(alt), y=alt.Y("value:Q").scale(domainMin=0, nice=False).axis(title=None, tickCount=5))
    ahead, measured = (base.transform_filter(f"datum.kind == '{kind}'") for kind in ("forecast", "measured"))
    values = ends(
        drawn.with_columns(line=pl.col("kind"), title=pl.col("kind")), "value", within=(), height=FINDING_HEIGHT
    )
    said = shown.transform_calculate(
        said="format(datum.value, '.2f') + (isValid(datum.low) ? ' (' + format(datum.low, '.2f') + ' to ' + "
        "format(datum.high, '.2f') + ')' : '')"
    ).transform_filter("isValid(datum.value)")
    level = alt.Chart(alt.InlineData(values=[{"level": 1}])).encode(y=alt.Y("level:Q"))
    chart = alt.layer(
        ahead.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.15, color=token("papers"))
        .encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        level.mark_rule(color=token("ink"), strokeWidth=1.2).encode(x=alt.XValue(0), x2=alt.X2Value({"expr": PLOT})),
        measured.mark_line(strokeWidth=2.4, color=token("pypi")),
        ahead.mark_line(strokeWidth=2.4, color=token("papers"), strokeDash=[6, 3]),
        *end_layers(alt, values, {"measured": "pypi", "forecast": "papers"}),
        *told_together(alt, said, {"measured": "Measured", "forecast": "Forecast of January 2023"}),
    )
    return Figure(
        name="forecast_of_2023",
        title=_finding_title(judged),
        takeaway="Such a forecast continues what it has seen and knows of no event to come: it shows what the figures "
        "of January 2023 held, not what could be known.",
        shows=("marts.forecasts", "marts.forecast_series"),
        lead="PyTorch's downloads for each one of TensorFlow's: measured, and what exponential smoothing made of the "
        "figures up to January 2023, with the interval that should hold four of five where enough earlier forecasts "
        "could be judged to draw one.",
        summary=f"{_finding_title(judged)}." if judged else "No figures.",
        spec=finished(chart, (), title="PyTorch for each TensorFlow in downloads", height=FINDING_HEIGHT),
        rows=drawn,
        sql=sql("foretold"),
        credit=credit,
        has_range=False,
    )


def _finding_title(judged: Mapping[str, Any] | None) -> str:
    if judged is None:
        return "No forecast of January 2023 can be judged yet"
    forecast, measured, when = judged["forecast"], judged["measured"], in_full(judged["month"])
    told = f"A forecast of January 2023 expected {to_one(forecast)} in downloads for {when}"
    return f"{told}; it came to {to_one(measured)}"


def predictions(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Compare each prediction with the forecast and the actual figure."""
    return [
        {
            **{name: row[name] for name in ("claim", "prediction", "formula", "series", "horizon", "answer", "why")},
            "month": in_month(row["month"]),
            "threshold": _written(row, "threshold"),
            "forecast": _written(row, "forecast"),
            "between": "" if row["low"] is None else f"{_written(row, 'low')} to {_written(row, 'high')}",
            "naive": _written(row, "naive"),
            "measured": _written(row, "measured"),
            "error": _error(row),
        }
        for row in rows.iter_rows(named=True)
    ]


def errors(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Say how wrong the forecasts were, and how wrong those that repeat a known figure."""
    shares = ("smape", "naive_smape", "seasonal_naive_smape")
    return [
        {
            **{name: row[name] for name in ("claim", "formula", "series", "horizon", "forecasts")},
            **{name: figure(row[name], "share") for name in shares},
            "held": _held(row["within_interval"], row["intervals"]),
            "naive_is_better": row["naive_is_better"],
        }
        for row in rows.iter_rows(named=True)
    ]


def _written(row: Mapping[str, Any], column: str) -> str:
    return figure(row[column], "share" if str(row["formula"]).startswith("share") else None)


def _error(row: Mapping[str, Any]) -> str:
    if row["smape"] is None:
        return NONE
    told = (
        f"{figure(row['smape'], 'share')}, naive {figure(row['naive_smape'], 'share')}, n = {row['forecasts_tested']}"
    )
    return f"{told}; intervals that held: {_held(row['within_interval'], row['intervals_tested'])}"


def _held(share: float | None, intervals: int | None) -> str:
    return f"{round(share * intervals)} of {intervals}" if share is not None and intervals else "none to judge"


def _between(row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return "without an interval, as too few earlier ones could be judged by then"
    return f"between {_written(row, 'low')} and {_written(row, 'high')}"


def _in_words(rows: pl.DataFrame, counted: list[str]) -> str:
    said = []
    for name in counted:
        line = rows.filter(pl.col("counted") == name, kind="then").sort("month")
        if line.is_empty():
            continue
        year = line.row(11, named=True) | {"formula": rows.filter(pl.col("counted") == name)["formula"][0]}
        said.append(
            f"{name}: for {in_month(year['month'])} the forecast of January 2023 was {_written(year, 'value')}, "
            f"{_between(year)}"
        )
    return f"{'; '.join(said)}." if said else "No series had figures enough for a forecast in January 2023."
