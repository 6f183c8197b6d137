"""The axes and labels of the first chart, at every width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl

from fw_pipeline.report.answer import Lead, to_one
from fw_pipeline.report.charts.chart_labels import NARROW, SMALL, WIDE, Label, Place, Point, places
from fw_pipeline.report.claim_cards import THEN
from fw_pipeline.report.figure import token
from fw_pipeline.report.formatting import in_full, in_month

NAMES = {
    "papers": ("Papers at conferences", "Papers"),
    "stackoverflow": ("Questions on Stack Overflow", "Questions"),
    "pypi": ("Downloads from PyPI", "Downloads"),
}
"""The label of each line, for a wide and for a narrow chart."""

HEIGHT, AXIS = 380, 46
"""Sizes of the plot, and of what is to the left of it, in pixels."""

LEAST = 1 / 32
"""The chart is cut off below this ratio of PyTorch to TensorFlow: all lower figures are from before 2018."""

BANDS: Mapping[str, Sequence[float]] = {
    f"width >= {first} && width < {last}": (first, (first + last) / 2, last)
    for first, last in pairwise((220, 240, 260, 280, 300, 340, 400, 480, 580, 700, 780, 860, 960, 1060))
}
"""Plot widths that share the same label places, by the expression that selects them."""

ROOMY = 780
"""Labels are written in full at this width or more."""


class Scale:
    """The two axes: months, and ratios that double at every step."""

    def __init__(self, rows: pl.DataFrame) -> None:
        """Return axes that span `rows` and the month of the article."""
        drawn = rows.filter(pl.col("ratio") >= LEAST)
        months = [*drawn["month"], *(month.replace(month=12) for month in drawn.filter(period="year")["month"]), THEN]
        self.first, self.last = min(months), max(months)
        ratios = [*drawn["ratio"], 1.0]
        self.top = 2.0 ** math.ceil(math.log2(max(ratios) * 1.2))
        self.bottom = max(LEAST, 2.0 ** math.floor(math.log2(min(ratios))))

    def across(self, alt: Any) -> Any:
        """Return the axis of months, which ends with the last figure."""
        ends = [{"expr": f"utc({day.year}, {day.month - 1}, {day.day})"} for day in (self.first, self.last)]
        return (
            alt.X("at:T")
            .scale(type="utc", nice=False, domain=ends, padding=0)
            .axis(title=None, format="%Y", tickCount="year", labelOverlap=True, labelFlush=False, grid=False)
        )

    def upright(self, alt: Any) -> Any:
        """Return the axis of ratios."""
        steps = range(round(math.log2(self.bottom)), round(math.log2(self.top)) + 1)
        return (
            alt.Y("ratio:Q")
            .scale(type="log", base=2, nice=False, domain=[self.bottom, self.top])
            .axis(
                title=None,
                values=[2.0**step for step in steps],
                labelExpr="datum.value < 1 ? '1 : ' + format(1 / datum.value, 'd') : datum.value + ' : 1'",
                minExtent=AXIS,
                maxExtent=AXIS,
            )
        )

    def point(self, month: date, ratio: float, period: str = "month") -> Point:
        """Return where a figure is drawn; a year is drawn at its middle."""
        day = month.replace(month=7) if period == "year" else month
        across = (day - self.first).days / max((self.last - self.first).days, 1)
        upright = math.log2(self.top / max(ratio, self.bottom)) / math.log2(self.top / self.bottom)
        return across, HEIGHT * upright


def drawn_lines(rows: pl.DataFrame, scale: Scale) -> list[list[Point]]:
    """Return every line of the chart that a label must avoid."""
    lines = [
        [scale.point(*cells) for cells in line.drop_nulls("ratio").select("month", "ratio", "period").iter_rows()]
        for _, line in rows.sort("month").group_by("stretch", maintain_order=True)
    ]
    lines = [line * 2 if len(line) == 1 else line for line in lines]
    level, article = scale.point(THEN, 1)[1], scale.point(THEN, 1)[0]
    return [*lines, [(0, level), (1, level)], [(article, 0), (article, HEIGHT)]]


def _labels(rows: pl.DataFrame, found: Mapping[str, Lead], scale: Scale, *, short: bool) -> list[tuple[Label, str]]:
    """Return the labels with their colours, most important first."""
    more = "" if short else "more "
    article, level = scale.point(THEN, 1)
    labels = [
        (Label((f"\N{UPWARDS ARROW} {more}PyTorch",), (0, level), SMALL, along="above"), "soft"),
        (Label((f"\N{DOWNWARDS ARROW} {more}TensorFlow",), (0, level), SMALL, along="below"), "soft"),
        (Label(("the article,", in_full(THEN)), (article, HEIGHT - 6), SMALL, line=14, along="upright"), "soft"),
    ]
    for source, lead in sorted(found.items(), key=lambda item: item[1].month, reverse=True):
        at = scale.point(lead.month, lead.ratio, "year" if lead.is_year else "month")
        ratio, when = to_one(lead.ratio), lead.when if lead.is_year else in_month(lead.month)
        lines = (NAMES[source][1], ratio, when) if short else (NAMES[source][0], f"{ratio}, {lead.when}")
        labels.append((Label(lines, at, NARROW if short else WIDE, line=14 if short else 15), source))
    peak = _artefact(rows)
    if peak is not None:
        lines = (f"{in_month(peak['month'])}:", "an artefact")
        labels.append((Label(lines, scale.point(peak["month"], peak["ratio"]), SMALL, line=13), "soft"))
    return labels


def _artefact(rows: pl.DataFrame) -> dict[str, Any] | None:
    """Return the highest month of a doubtful stretch if it is an outlier: twice every month of the following year."""
    doubted = rows.filter(pl.col("source") == "pypi", pl.col("doubt").is_not_null(), pl.col("ratio") >= LEAST)
    if doubted.is_empty():
        return None
    peak = doubted.sort("ratio").row(-1, named=True)
    since = pl.col("month").is_between(peak["month"].replace(year=peak["month"].year + 1), date.max)
    after = rows.filter(pl.col("source") == "pypi", since).sort("month").drop_nulls("ratio")
    return peak if after.height and peak["ratio"] > 2 * after["ratio"][0] else None


def texts(alt: Any, rows: pl.DataFrame, found: Mapping[str, Lead], scale: Scale) -> list[Any]:
    """Return the labels as layers: each range of widths has its own places."""
    values = []
    lines = drawn_lines(rows, scale)
    for band, widths in BANDS.items():
        labels = _labels(rows, found, scale, short=max(widths) <= ROOMY)
        chosen = places([label for label, _ in labels], lines, widths=widths, height=HEIGHT)
        for (label, colour), place in zip(labels, chosen, strict=True):
            if place is not None:
                values += _lines_of(label, place, colour, band)
    chosen_band = " || ".join(f"(datum.band == '{band}' && {band})" for band in BANDS)
    base = (
        alt.Chart(alt.InlineData(values=values))
        .transform_filter(chosen_band)
        .transform_calculate(place="datum.across * width + datum.x")
        .encode(x=alt.X("place:Q").scale(None), y=alt.Y("y:Q").scale(None), text=alt.Text("text:N"))
    )
    return [
        base.transform_filter(f"datum.colour == '{colour}' && datum.bold == {bold}").mark_text(
            align="left",
            baseline="top",
            fontSize={"expr": "datum.size"},
            fontWeight="bold" if bold == "true" else "normal",
            color=token(colour),
        )
        for colour, bold in sorted({(row["colour"], str(row["bold"]).lower()) for row in values})
    ]


def _lines_of(label: Label, place: Place, colour: str, band: str) -> list[dict[str, Any]]:
    return [
        {
            "text": text,
            "across": round(label.at[0], 5),
            "x": round(place.dx, 1),
            "y": round(label.at[1] + place.dy + number * label.line, 1),
            "colour": colour,
            "bold": number == 0 and colour != "soft",
            "size": {WIDE: 13, NARROW: 12, SMALL: 11}[label.character],
            "band": band,
        }
        for number, text in enumerate(label.lines)
    ]
