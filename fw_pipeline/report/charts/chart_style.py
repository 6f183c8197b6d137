"""The common style of all charts: axes, colours, events, range, and the response to the pointer.

Encodings are given as channels, `y=alt.Y("value:Q")`: for a plain text Altair goes through its whole schema.
Parameters of every chart: `first` and `last` (milliseconds, the months shown), and one for each `Control`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from fw_pipeline.report.figure import TITLES, Control, Event, token

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif"

EVER = {"first": 0, "last": 4102444800000}

CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "aria": False,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": token("soft"),
        "titleColor": token("soft"),
        "gridColor": token("grid"),
        "domainColor": token("hair"),
        "tickColor": token("hair"),
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelPadding": 6,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "labelColor": token("ink"),
        "titleColor": token("soft"),
        "labelFontSize": 12.5,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "orient": "top",
        "direction": "horizontal",
        "symbolStrokeWidth": 3,
        "labelLimit": 320,
        "columnPadding": 14,
        "offset": 16,
        "layout": {"top": {"anchor": "start", "direction": "vertical", "margin": 4}},
    },
    "title": {
        "anchor": "start",
        "frame": "group",
        "fontSize": 12,
        "fontWeight": "normal",
        "color": token("soft"),
        "offset": 8,
    },
    "line": {"strokeCap": "round", "strokeJoin": "round"},
    "text": {"color": token("soft"), "font": FONT, "fontSize": 12},
}


def finished(
    chart: Any, controls: Sequence[Control], *, title: str, height: int = 340, events: Sequence[Event] = ()
) -> dict[str, Any]:
    """Return the specification of `chart` with its parameters, in the common style.

    Args:
        chart: an Altair chart without data.
        controls: the reader's choices, which set its parameters.
        title: what the vertical axis shows: plain words, or a Vega expression if it starts with `=`.
        height: of the plot, in pixels.
        events: those that are marked; the legend avoids them.
    """
    spec: dict[str, Any] = chart.to_dict(validate=False)  # takes most of a second; the tests validate
    datasets = spec.pop("datasets", {})
    for layer in spec.get("layer", [spec]):
        values = datasets.get(layer.pop("data", {}).get("name"))
        if values and values != [{}]:
            layer["data"] = {"values": values, "format": {"parse": {"day": "date"}}}
    chosen = {**EVER, **{control.name: next(iter(control.options)) for control in controls}}
    spec["params"] = [
        *({"name": name, "value": value} for name, value in chosen.items()),
        *spec.get("params", []),
    ]
    spec["title"] = {"text": {"expr": title[1:]} if title.startswith("=") else title, "limit": {"expr": "width"}}
    spec["width"], spec["height"] = 760, height
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    raised = any(event.height for event in events)
    spec["config"] = {**CONFIG, "legend": {**CONFIG["legend"], "offset": 34 if raised else 16}}
    return spec


def in_range(column: str = "month") -> str:
    """Return the filter for the months that the reader chose."""
    return f"datum.{column} >= first && datum.{column} <= last"


def framework_colour(alt: Any, names: Sequence[str], *, legend: bool = True) -> Any:
    """Return the colour encoding of frameworks, always the same hue for the same framework."""
    return (
        alt.Color("framework:N")
        .scale(domain=list(names), range=[token(name) for name in names])
        .legend(
            alt.Legend(
                title=None,
                labelExpr=f"{titles_of(names)}[datum.label]",
                symbolType="stroke",
                symbolSize=260,
                symbolOpacity=1,
                columns={"expr": f"width < 330 ? 2 : {len(names)}"},
            )
            if legend
            else None
        )
    )


def time_axis(alt: Any, column: str = "month") -> Any:
    """Return the axis of months, in UTC regardless of the reader's time zone."""
    return (
        alt.X(f"{column}:T")
        .scale(type="utc", nice=False, padding=6)
        .axis(
            title=None,
            format={"year": "%Y", "quarter": "%b", "month": "%b", "week": "%d %b", "date": "%d %b"},
            tickCount={"expr": "width < 420 ? 5 : 10"},
            labelOverlap=True,
            labelSeparation=6,
            labelFlush=False,
        )
    )


def event_layers(alt: Any, events: Sequence[Event], *, between: str = "true") -> list[Any]:
    """Return the vertical lines and numbers that mark dated events.

    Args:
        alt: the module altair.
        events: what to mark.
        between: a Vega expression that is true for the events within the data.
    """
    layers = []
    told = tip({"Event": "row.event", "Day": "utcFormat(row.day, '%d %b %Y')"})
    for height in (0, 1):
        raised = [event for event in events if event.height == height]
        if not raised:
            continue
        values = [{"day": event.day, "number": event.number, "event": event.text} for event in raised]
        base = (
            alt.Chart(alt.InlineData(values=values))
            .transform_filter(f"{in_range('day')} && ({between})")
            .encode(x=time_axis(alt, "day"))
        )
        top = alt.YValue(-18 * height)
        layers += [
            base.mark_rule(strokeDash=[2, 3], color=token("faint"), strokeWidth=1, tooltip=told).encode(
                y=top, y2=alt.Y2Value("height")
            ),
            base.mark_point(
                filled=True,
                size=210,
                fill=token("panel"),
                stroke=token("faint"),
                strokeWidth=1,
                opacity=1,
                tooltip=told,
            ).encode(y=top),
            base.mark_text(fontSize=11, color=token("ink"), baseline="middle", dy=0.5, tooltip=told).encode(
                y=top, text=alt.Text("number:N")
            ),
        ]
    return layers


def with_breaks(rows: pl.DataFrame, within: Sequence[str], column: str = "month") -> pl.DataFrame:
    """Mark in the column `breaks` the first row after a break of the series, where `segment` changes.

    Args:
        rows: the figures, each with its `segment`.
        within: the columns that tell one line from another.
        column: that of the months.
    """
    before = pl.col("segment").shift(1).over(within, order_by=column)
    return rows.with_columns(breaks=(pl.col("segment") != before).fill_null(value=False))


def break_layers(alt: Any, shown: Any, column: str = "month") -> list[Any]:
    """Return the vertical lines that mark where a series breaks.

    Args:
        alt: the module altair.
        shown: the chart without encodings, of rows as `with_breaks` returns them.
        column: that of the months.
    """
    base = (
        shown.transform_filter("datum.breaks")
        .transform_aggregate(lines="count()", groupby=[column])
        .encode(x=time_axis(alt, column))
    )
    told = tip({"The series breaks": f"utcFormat(row.{column}, '%b %Y')"})
    word = base.encode(y=alt.YValue("height"), text=alt.TextValue("break"))
    beside = {"align": "left", "baseline": "bottom", "dx": 3, "dy": -4, "color": token("soft")}
    return [
        base.mark_rule(color=token("soft"), strokeWidth=1, tooltip=told),
        *on_paper(word, opacity={"expr": "width < 420 ? 0 : 1"}, **beside),
    ]


def on_paper(base: Any, **style: Any) -> list[Any]:
    """Return a text that stays readable where it crosses a line, because it has an outline in the paper colour."""
    rim = {"stroke": token("paper"), "strokeWidth": 4, "strokeJoin": "round", "strokeOpacity": 0.85}
    return [base.mark_text(**style, **rim), base.mark_text(**style)]


def pointed(alt: Any, base: Any, told: Mapping[str, str], fields: Sequence[str]) -> list[Any]:
    """Return the ring and the tooltip on the figure nearest to the pointer.

    Args:
        alt: the module altair.
        base: the chart whose figures are pointed at.
        told: what the tooltip says, in the form that `tip` takes.
        fields: the columns that tell one figure from another.
    """
    near = alt.selection_point(
        name="near", nearest=True, on="pointerover", clear="pointerout", fields=list(fields), empty=False
    )
    size = alt.condition(near, alt.value(110), alt.value(0))
    return [base.mark_point(filled=False, strokeWidth=2, tooltip=tip(told)).encode(size=size).add_params(near)]


def tip(told: Mapping[str, str]) -> dict[str, str]:
    """Return a tooltip: labels, and Vega expressions in which `row` is the row of data that is pointed at.

    For the nearest figure, the row is nested one level deeper, and Vega-Lite's own tooltips would look for texts and
    months in the wrong place.
    """
    parts = (f"{json.dumps(label)}: {expression}" for label, expression in told.items())
    return {"expr": f"{{{', '.join(parts)}}}".replace("row.", "(datum.datum || datum).")}


def titles_of(names: Sequence[str]) -> str:
    """Return a Vega expression that maps the names of frameworks to their titles."""
    pairs = ",".join(f"'{name}':'{TITLES[name]}'" for name in names)
    return f"{{{pairs}}}"
