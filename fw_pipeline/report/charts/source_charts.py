"""The charts of the two sources that count every month: questions and downloads.

Every function takes the frame that its query returns, and knows nothing about its origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.answer import Lead, clause, year_on_year
from fw_pipeline.report.charts.chart_labels import across, end_layers, ends, told_together
from fw_pipeline.report.charts.chart_style import (
    break_layers,
    event_layers,
    finished,
    framework_colour,
    in_range,
    with_breaks,
)
from fw_pipeline.report.figure import TITLES, Control, Event, Figure, sql, token
from fw_pipeline.report.formatting import compact, figure, in_full, in_month, percent

HEIGHT = 320
"""Size of the plots, in pixels."""

LINES = {"line": pl.col("framework"), "title": pl.col("framework").replace_strict(dict(TITLES), default="")}
"""Space for the labels at the ends of the lines."""


def questions(rows: pl.DataFrame, site: pl.DataFrame, events: Sequence[Event], credit: str) -> Figure:
    """Draw the article's own figure: the share of all Stack Overflow questions that carry a framework's tag.

    Args:
        rows: as the query `questions` returns them.
        site: as the query of that name returns it.
        events: those to mark.
        credit: who published the figures.
    """
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
    counted = chosen.transform_calculate(
        line="datum.framework",
        shown="measure == 'share' ? datum.share : datum.questions",
        interpolated="measure == 'share' ? datum.is_share_estimated : datum.is_estimated",
    )
    shares = "measure == 'share' ? format(datum.value, '.1%') : format(datum.value, ',')"
    base = counted.encode(
        x=across(alt),
        y=alt.Y("shown:Q").scale(nice=False, domainMin=0).axis(title=None, tickCount=5, labelExpr=shares),
        color=framework_colour(alt, names, legend=False),
        detail=alt.Detail("segment:N"),
    )
    of_measure = [rows.with_columns(measure=pl.lit(name), end=pl.col(name)) for name in ("share", "questions")]
    named = pl.concat([frame.cast({"end": pl.Float64}) for frame in of_measure]).with_columns(**LINES)
    values = ends(named, "end", within=("measure", "series"), height=HEIGHT)
    said = counted.transform_calculate(
        said="!isValid(datum.shown) ? 'no figure' : (measure == 'share' ? format(datum.shown, '.2%') : "
        "format(datum.shown, ',')) + (datum.interpolated ? ' (interpolated)' : '')",
    )
    chart = alt.layer(
        *event_layers(alt, events),
        *(break_layers(alt, chosen) if rows["breaks"].any() else ()),
        base.mark_line(strokeWidth=2.4),
        _hollow(base, "datum.interpolated && isValid(datum.shown)"),
        *end_layers(
            alt,
            values,
            {name: name for name in names},
            shown="datum.measure == measure" + (" && datum.series == series" if len(series) > 1 else ""),
        ),
        *told_together(alt, said, {name: TITLES[name] for name in names}),
    )
    title = "=measure == 'share' ? 'Share of all questions of the month' : 'Questions in the month'"
    return Figure(
        name="stackoverflow_questions",
        shows=("marts.framework_metrics", "marts.stackoverflow_comparison"),
        title=_questions_title(site),
        takeaway=_questions_takeaway(site),
        lead="The article's own figure, drawn anew from the monthly counts. It shows a share of all questions; "
        "switch to counts to see how different the same months look. Hollow points are interpolated. Where the line "
        "breaks, months were counted in another way from there on: nothing can be compared across it.",
        summary=_lines_in_words(rows.filter(pl.col("series").is_in(series[:1])), "share", "share"),
        spec=finished(chart, controls, title=title, height=HEIGHT, events=events),
        rows=rows,
        sql=sql("questions"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def _questions_title(site: pl.DataFrame) -> str:
    tensorflow, every = year_on_year(site, "tensorflow"), year_on_year(site, "site")
    if tensorflow is None or every is None:
        return "Questions on Stack Overflow, by tag"
    said = f"In the year to {in_full(site['month'][0])} questions on TensorFlow {_went(tensorflow)}"
    return f"{said}, those on all of Stack Overflow {_went(every)}"


def _questions_takeaway(site: pl.DataFrame) -> str:
    pytorch = year_on_year(site, "pytorch")
    meant = "People asked elsewhere" if (year_on_year(site, "site") or 0) < 0 else "More was asked everywhere"
    own = f"those on PyTorch {_went(pytorch)} in the same year. " if pytorch is not None else ""
    said = f"{own}{meant}, so that a count of questions is not a count of users."
    return f"{said[0].upper()}{said[1:]}"


def _went(change: float) -> str:
    return f"{'rose' if change > 0 else 'fell'} by {percent(change)}"


def downloads(rows: pl.DataFrame, lead: Lead | None, events: Sequence[Event], credit: str) -> Figure:
    """Draw downloads per day from the Python Package Index, in each month's headline series.

    Args:
        rows: as the query `downloads` returns them.
        lead: PyTorch's lead; None without figures of both.
        events: those to mark.
        credit: who published the figures.
    """
    import altair as alt  # noqa: PLC0415 - takes most of a second

    names = _frameworks(rows)
    controls = (
        Control("shown_frameworks", "Frameworks", {"two": "TensorFlow and PyTorch", "all": "All four"}),
        Control("scale", "Scale", {"linear": "Linear", "log": "Logarithmic"}),
    )
    two = "indexof(['tensorflow', 'pytorch'], datum.framework) >= 0"
    chosen = alt.Chart().transform_filter(in_range()).transform_filter(f"shown_frameworks == 'all' || {two}")
    base = chosen.transform_calculate(line="datum.framework + datum.series + datum.segment").encode(
        x=across(alt),
        y=alt.Y("downloads_per_day:Q")
        .scale(nice=False)
        .axis(
            title=None,
            tickCount=6,
            labelExpr="datum.value < 1e5 ? format(datum.value, ',') : format(datum.value / 1e6, '~g') + ' M'",
        ),
        color=framework_colour(alt, names, legend=False),
        detail=alt.Detail("line:N"),
    )
    said = chosen.transform_calculate(
        line="datum.framework",
        said="isValid(datum.downloads_per_day) ? format(datum.downloads_per_day, ',.0f')"
        " + (datum.is_partial ? ' (part of the month)' : '') : 'no figure'",
    )
    shown = [rows.with_columns(shown_frameworks=pl.lit("all"))]
    shown.append(
        rows.filter(pl.col("framework").is_in(["tensorflow", "pytorch"])).with_columns(shown_frameworks=pl.lit("two"))
    )
    values = ends(
        pl.concat(shown).with_columns(**LINES), "downloads_per_day", within=("shown_frameworks",), height=HEIGHT
    )
    chart = alt.layer(
        *event_layers(alt, events),
        base.mark_line(strokeWidth=2.4),
        _hollow(base, "datum.is_partial && isValid(datum.downloads_per_day)", size=14),
        *end_layers(alt, values, {name: name for name in names}, shown="datum.shown_frameworks == shown_frameworks"),
        *told_together(alt, said, {name: TITLES[name] for name in names}),
    )
    return Figure(
        name="pypi_downloads",
        shows=("marts.pypi_adoption",),
        title=f"PyTorch {clause(lead)}" if lead else "Downloads from PyPI, per day",
        takeaway=_downloads_takeaway(lead),
        lead="Calendar months of all installers wherever somebody counted them, and windows of 30 days between. A line "
        "is interrupted where another count begins, since a change of method would look like a change of use. A hollow "
        "point covers part of its month.",
        summary=_lines_in_words(rows, "downloads_per_day", None),
        spec=finished(chart, controls, title="Downloads per day", height=HEIGHT, events=events),
        rows=rows,
        sql=sql("downloads"),
        credit=credit,
        controls=controls,
        events=tuple(events),
    )


def _downloads_takeaway(lead: Lead | None) -> str:
    counts = (
        ""
        if lead is None
        else (
            f"In {lead.when} PyTorch had {compact(round(lead.pytorch))} downloads a day and TensorFlow "
            f"{compact(round(lead.tensorflow))}. "
        )
    )
    return f"{counts}A download is one installation, usually by an automated system: it is not a user."


def _lines_in_words(rows: pl.DataFrame, column: str, unit: str | None) -> str:
    """Describe where each framework's line began, peaked and ended; after a break, only the part after it."""
    said = []
    for name in _frameworks(rows):
        line = rows.filter((pl.col("framework") == name) & pl.col(column).is_not_null()).sort("month")
        if line.is_empty():
            continue
        last_stretch = line.filter(pl.col("segment") == line["segment"][-1], pl.col("series") == line["series"][-1])
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
    """Mark the figures that are not complete, plain counts."""
    return base.transform_filter(condition).mark_point(
        filled=False, size=size, fill=token("paper"), strokeWidth=1.5, opacity=1
    )
