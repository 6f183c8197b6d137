"""The charts of the sources, in Altair: the article's own figure, downloads, papers.

Every function takes a frame as its query returns it, and knows nothing of where that came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.drawing import event_layers, finished, framework_colour, in_range, pointed, time_axis
from fw_pipeline.report.figures import Control, Event, Figure, sql
from fw_pipeline.report.palette import TITLES, token
from fw_pipeline.report.words import figure, in_month, listed

FRAMEWORKS = tuple(TITLES)


def questions(rows: pl.DataFrame, events: Sequence[Event]) -> Figure:
    """Draw the article's own figure: the share of all Stack Overflow questions that carry a framework's tag."""
    import altair as alt  # noqa: PLC0415 - takes most of a second

    series = _series(rows)
    measure = Control("measure", "Show", {"share": "Share of all questions", "questions": "Number of questions"})
    controls = (measure, *_choice("series", "Series", series))
    names = [name for name in FRAMEWORKS if name in set(rows["framework"])]
    base = (
        alt.Chart()
        .transform_filter(in_range())
        .transform_filter("datum.series == series" if len(series) > 1 else "true")
        .transform_calculate(
            shown="datum[measure]",
            interpolated="measure == 'share' ? datum.is_share_estimated : datum.is_estimated",
            framework_title=_title_expression(names),
            note="datum.gap_reason ? datum.gap_reason : interpolated_note",
        )
        .encode(
            x=time_axis(alt),
            y=alt.Y("shown:Q").axis(
                title=None, tickCount=5, labelExpr="measure == 'share' ? format(datum.value, '.1%') : format(datum.value, ',')"
            ),
            color=framework_colour(alt, names),
        )
    )
    base = base.transform_calculate(
        note="datum.interpolated ? 'interpolated, decides nothing' : 'as counted'",
        figure="measure == 'share' ? format(datum.share, '.3%') : format(datum.questions, ',')",
    )
    tooltip = [
        alt.Tooltip("framework_title:N", title="Tag"),
        alt.Tooltip("month:T", title="Month", format="%b %Y", formatType="utc"),
        alt.Tooltip("figure:N", title="Figure"),
        alt.Tooltip("questions:Q", title="Questions", format=","),
        alt.Tooltip("note:N", title="Note"),
    ]
    line = base.mark_line(strokeWidth=2.4)
    hollow = base.transform_filter("datum.interpolated && isValid(datum.shown)").mark_point(
        filled=True, size=34, fill=token("paper"), strokeWidth=1.6, opacity=1
    )
    chart = alt.layer(*event_layers(alt, events), line, hollow, *pointed(alt, base, tooltip, ["month", "framework"]))
    return Figure(
        name="stackoverflow_questions",
        title="Questions on Stack Overflow, by tag",
        lead=(
            "The article's own figure, drawn again from the monthly counts. It shows a share of all questions of the month; "
            "switch to counts to see how differently the same months look. Hollow points are interpolated."
        ),
        summary=_lines_in_words(rows.filter(pl.col("series") == series[0]), "share", "share", names),
        spec=finished(
            chart,
            controls,
            title="=measure == 'share' ? 'Share of all Stack Overflow questions of the month' : 'Questions in the month'",
        ),
        rows=rows,
        sql=sql("questions"),
        credit="nschloe/stackoverflow-trends (CC BY)",
        controls=controls,
        events=tuple(events),
    )


def _series(rows: pl.DataFrame) -> list[str]:
    counts = rows.filter(pl.col("series").is_not_null()).group_by("series").len()
    return counts.sort(["len", "series"], descending=[True, False])["series"].to_list()


def _choice(name: str, label: str, options: Sequence[str]) -> tuple[Control, ...]:
    return (Control(name, label, {option: option for option in options}),) if len(options) > 1 else ()


def _title_expression(names: Sequence[str]) -> str:
    return f"{{{','.join(f"'{name}':'{TITLES[name]}'" for name in names)}}}[datum.framework]"


def _lines_in_words(rows: pl.DataFrame, column: str, unit: str | None, names: Sequence[str]) -> str:
    """Say of each line where it began, peaked and ended."""
    said = []
    for name in names:
        line = rows.filter((pl.col("framework") == name) & pl.col(column).is_not_null()).sort("month")
        if line.is_empty():
            continue
        top = line.sort(column, descending=True).row(0, named=True)
        first, last = line.row(0, named=True), line.row(-1, named=True)
        said.append(
            f"{TITLES[name]}: {figure(first[column], unit)} in {in_month(first['month'])}, "
            f"at most {figure(top[column], unit)} in {in_month(top['month'])}, "
            f"{figure(last[column], unit)} in {in_month(last['month'])}"
        )
    return f"{listed(said, 'and')}." if said else "No figures."


def values_of(rows: pl.DataFrame, column: str) -> list[Any]:
    """Return the distinct values of a column, in order."""
    return rows[column].drop_nulls().unique().sort().to_list()
