"""The charts of the two sources that count every month: questions and downloads.

Every function takes a frame as its query returns it, and knows nothing of where that came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.drawing import (
    break_layers,
    event_layers,
    finished,
    framework_colour,
    in_range,
    pointed,
    time_axis,
    titles_of,
    with_breaks,
)
from fw_pipeline.report.figures import Control, Event, Figure, sql
from fw_pipeline.report.palette import TITLES, token
from fw_pipeline.report.words import figure, in_month


def questions(rows: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw the article's own figure: the share of all Stack Overflow questions that carry a framework's tag."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = with_breaks(rows, ["series", "framework"])
    series, names = _longest_first(rows), _frameworks(rows)
    controls = (
        Control("measure", "Show", {"share": "Share of all questions", "questions": "Number of questions"}),
        *_choice("series", "Series", series),
    )
    chosen = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.series == series" if len(series) > 1 else "true")
    )
    base = (
        chosen.transform_calculate(
            shown="measure == 'share' ? datum.share : datum.questions",
            interpolated="measure == 'share' ? datum.is_share_estimated : datum.is_estimated",
            named=f"{titles_of(names)}[datum.framework]",
        )
        .transform_calculate(
            note="datum.gap_reason || (datum.interpolated ? 'interpolated: decides no verdict' : 'as counted')",
        )
        .encode(
            x=time_axis(alt),
            y=alt.Y("shown:Q").axis(
                title=None,
                tickCount=5,
                labelExpr="measure == 'share' ? format(datum.value, '.1%') : format(datum.value, ',')",
            ),
            color=framework_colour(alt, names),
            detail="segment:N",
        )
    )
    told = {
        "Tag": "row.named",
        "Month": "utcFormat(row.month, '%b %Y')",
        "Questions": "isValid(row.questions) ? format(row.questions, ',') : 'no figure'",
        "Share": "isValid(row.share) ? format(row.share, '.3%') : 'no figure'",
        "Note": "row.note",
    }
    chart = alt.layer(
        *event_layers(alt, events),
        *(break_layers(alt, chosen) if rows["breaks"].any() else ()),
        base.mark_line(strokeWidth=2.4),
        _hollow(base, "datum.interpolated && isValid(datum.shown)"),
        *pointed(alt, base, told, ["month", "framework"]),
    )
    title = "=measure == 'share' ? 'Share of all questions of the month' : 'Questions in the month'"
    return Figure(
        name="stackoverflow_questions",
        shows=("marts.framework_metrics", "marts.stackoverflow_comparison"),
        title="Questions on Stack Overflow, by tag",
        lead="The article's own figure, drawn anew from the monthly counts. It shows a share of all questions; "
        "switch to counts to see how different the same months look. Hollow points are interpolated. Where the line "
        "breaks, months were counted in another way from there on: nothing can be compared across it.",
        summary=_lines_in_words(rows.filter(pl.col("series").is_in(series[:1])), "share", "share"),
        spec=finished(chart, controls, title=title, events=events),
        rows=rows,
        sql=sql("questions"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def downloads(rows: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw downloads per day from the Python Package Index, each series as a line of its own."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    rows = with_breaks(rows, ["metric", "series", "framework"])
    names, series = _frameworks(rows), _longest_first(rows)
    controls = (
        Control("shown_frameworks", "Frameworks", {"two": "TensorFlow and PyTorch", "all": "All four"}),
        Control(
            "metric",
            "Count",
            {"downloads_per_day": "The package alone", "family_downloads_per_day": "With its variants"},
        ),
        Control("scale", "Scale", {"linear": "Linear", "log": "Logarithmic"}),
    )
    chosen = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.metric == metric")
        .transform_filter("shown_frameworks == 'all' || indexof(['tensorflow', 'pytorch'], datum.framework) >= 0")
    )
    base = chosen.transform_calculate(
        named=f"{titles_of(names)}[datum.framework]",
        line="datum.framework + datum.series + datum.segment",
        note="datum.gap_reason || 'complete'",
    ).encode(
        x=time_axis(alt),
        y=alt.Y("downloads_per_day:Q").axis(
            title=None, tickCount=6, labelExpr="replace(format(datum.value, '.2~s'), 'k', ' k')"
        ),
        color=framework_colour(alt, names),
        detail="line:N",
    )
    told = {
        "Framework": "row.named",
        "Month": "utcFormat(row.month, '%b %Y')",
        "Downloads per day": "isValid(row.downloads_per_day) ? format(row.downloads_per_day, ',.0f') : 'no figure'",
        "Series": "row.series",
        "Note": "row.note",
    }
    dashes = [[1, 0], [6, 3], [2, 3], [10, 3, 2, 3]]
    line = base.mark_line(strokeWidth=2.2).encode(
        strokeDash=alt.StrokeDash("series:N")
        .scale(domain=series, range=[dashes[place % len(dashes)] for place in range(len(series))])
        .legend(alt.Legend(title=None, symbolType="stroke", symbolSize=420, columns={"expr": "width < 520 ? 1 : 2"}))
    )
    chart = alt.layer(
        *event_layers(alt, events),
        *(break_layers(alt, chosen) if rows["breaks"].any() else ()),
        line,
        _hollow(base, "datum.is_partial && isValid(datum.downloads_per_day)", size=14),
        *pointed(alt, base, told, ["month", "line"]),
    )
    plain = rows.filter((pl.col("metric") == "downloads_per_day") & (pl.col("series").is_in(series[:1])))
    return Figure(
        name="pypi_downloads",
        shows=("marts.pypi_adoption",),
        title="Downloads from PyPI, per day",
        lead="Each line is one series: one origin, one set of installers. They are never joined up, since a change of "
        "method would look like a change of use. A hollow point covers part of its month; a break is a gap.",
        summary=f"Series {series[0]}. {_lines_in_words(plain, 'downloads_per_day', None)}" if series else "No figures.",
        spec=finished(chart, controls, title="Downloads per day", events=events),
        rows=rows,
        sql=sql("downloads"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def _lines_in_words(rows: pl.DataFrame, column: str, unit: str | None) -> str:
    """Say of each framework's line where it began, peaked and ended; after a break, of what comes after it."""
    said = []
    for name in _frameworks(rows):
        line = rows.filter((pl.col("framework") == name) & pl.col(column).is_not_null()).sort("month")
        if line.is_empty():
            continue
        last_stretch = line.filter(pl.col("segment") == line["segment"][-1])
        since = f" since the break of {in_month(last_stretch['month'][0])}" if last_stretch.height < line.height else ""
        line = last_stretch
        first, last = line.row(0, named=True), line.row(-1, named=True)
        top = line.row(int(line[column].arg_max() or 0), named=True)
        ends = ((end["month"], end[column] if unit else round(end[column])) for end in (first, top, last))
        parts = [f"{figure(value, unit)} in {in_month(month)}" for month, value in ends]
        said.append(f"{TITLES[name]}{since}: first {parts[0]}, highest {parts[1]}, last {parts[2]}")
    return f"{'; '.join(said)}." if said else "No figures."


def _frameworks(rows: pl.DataFrame) -> list[str]:
    found = set(rows["framework"].unique())
    return [name for name in TITLES if name in found]


def _longest_first(rows: pl.DataFrame) -> list[str]:
    counts = rows.drop_nulls("series").group_by("series").len()
    return list(counts.sort(["len", "series"], descending=[True, False])["series"])


def _choice(name: str, label: str, options: Sequence[str]) -> tuple[Control, ...]:
    return (Control(name, label, {option: option for option in options}),) if len(options) > 1 else ()


def _hollow(base: Any, condition: str, size: int = 34) -> Any:
    """Mark the figures that are not plain complete counts."""
    return base.transform_filter(condition).mark_point(
        filled=False, size=size, fill=token("paper"), strokeWidth=1.5, opacity=1
    )
