"""The chart of a claim: its value in every as-of month, under one definition at a time, and the line that decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from fw_pipeline.report.charts.chart_style import (
    EVER,
    break_layers,
    event_layers,
    finished,
    in_range,
    on_paper,
    pointed,
    time_axis,
    with_breaks,
)
from fw_pipeline.report.charts.claim_dot_chart import dots, verdict_marks
from fw_pipeline.report.claim_cards import THEN, Card
from fw_pipeline.report.claim_standing import DECIDED, Definition
from fw_pipeline.report.figure import Control, Event, Figure, token
from fw_pipeline.report.formatting import VERDICTS, bounded, in_month, is_share

OUTSIZED = 4
"""A value this many times the threshold, or the median, would hide the point at which the verdict turns."""

Spec = dict[str, Any]

COLUMNS = ("definition", "as_of", "value", "low", "high", "threshold", "upper", "n", "verdict", "segment")

Kind = tuple[bool, bool]
"""Selects a template: whether the claim's rule has an upper end, and whether it is about the future."""


def claim_chart(
    card: Card, verdicts: pl.DataFrame, sql: str, templates: Mapping[Kind, Spec], events: Sequence[Event]
) -> Figure | None:
    """Return the chart of a claim, or None if no definition has a value.

    Args:
        card: the claim.
        verdicts: the rows of `marts.verdicts` on this claim.
        sql: the query that returned them.
        templates: the specifications that claims share.
        events: those that the templates mark.
    """
    drawn = [found for found in card.definitions if found.now.month is not None and _has_values(found, verdicts)]
    if not drawn:
        return None
    rows = verdicts.filter(pl.col("definition").is_in([found.name for found in drawn])).select(COLUMNS)
    begins = pl.col("as_of").filter(pl.col("value").is_not_null()).min().over("definition")
    rows = with_breaks(rows.filter(pl.col("as_of") >= begins), ["definition"], "as_of")
    valued = rows.drop_nulls("value")
    if valued["definition"].n_unique() == valued.height:
        units = {found.name for found in drawn if found.unit == drawn[0].unit}
        return dots(card, valued.filter(pl.col("definition").is_in(units)), sql)
    figure = _by_month(card, drawn, rows, sql, templates)
    first, last = (str(end) for end in (rows["as_of"].min(), rows["as_of"].max()))
    return replace(figure, events=tuple(event for event in events if first <= event.day <= last))


def _by_month(
    card: Card, drawn: Sequence[Definition], rows: pl.DataFrame, sql: str, templates: Mapping[Kind, Spec]
) -> Figure:
    controls = (Control("definition", "Definition", {found.name: _option(found) for found in drawn}),)
    formats = {found.name: ".0%" if is_share(found.unit) else ",.4~g" for found in drawn}
    units = {found.name: found.unit or "" for found in drawn}
    reach = rows.group_by("definition", maintain_order=True).agg(
        first=pl.col("as_of").min().dt.epoch("ms"), last=pl.col("as_of").max().dt.epoch("ms")
    )
    ends = {name: [first, last] for name, first, last in reach.iter_rows()}
    template = templates[
        any(found.upper is not None for found in drawn), any(found.is_ahead for found in card.definitions)
    ]
    start = _start(drawn[0], rows)
    first = EVER["first"] if start is None else datetime(start, 1, 1, tzinfo=UTC).timestamp() * 1000
    spec = {
        **template,
        "params": [
            {"name": "definition", "value": drawn[0].name},
            {"name": "number_format", "expr": f"{json.dumps(formats)}[definition]"},
            {"name": "fine_format", "expr": "number_format == '.0%' ? '.2%' : number_format"},
            {"name": "unit_word", "expr": f"{json.dumps(units)}[definition]"},
            {"name": "reach", "expr": f"{json.dumps(ends)}[definition]"},
            {"name": "first", "value": first},
            *(param for param in template["params"] if param["name"] != "first"),
        ],
    }
    return Figure(
        name=f"claim_{card.anchor}",
        title=f"{card.claim} {card.title}",
        lead="",
        summary=_in_words(drawn[0], rows),
        spec=spec,
        rows=rows,
        sql=sql,
        credit=f"Definition: {drawn[0].name}",
        controls=controls,
        start_year=start,
    )


def templates(events: Sequence[Event]) -> Mapping[Kind, Spec]:
    """Return the specifications that claims share."""
    return {
        (has_upper, is_ahead): _template(("threshold", "upper")[: 1 + has_upper], events, is_ahead=is_ahead)
        for has_upper in (False, True)
        for is_ahead in (False, True)
    }


def _template(ends: Sequence[str], events: Sequence[Event], *, is_ahead: bool) -> Spec:
    import altair as alt  # noqa: PLC0415 - takes most of a second

    shown = alt.Chart().transform_filter(in_range("as_of")).transform_filter("datum.definition == definition")
    base = (
        shown.transform_calculate(
            verdict_text=f"{json.dumps(VERDICTS)}[datum.verdict]",
            bound="datum.low == datum.high ? '' : datum.low == datum.value ? 'at least '"
            " : datum.high == datum.value ? 'at most ' : 'about '",
        )
        .transform_calculate(
            value_text="isValid(datum.value) ? datum.bound + format(datum.value, fine_format) : 'none'",
        )
        .encode(
            x=time_axis(alt, "as_of"),
            y=alt.Y("value:Q")
            .scale(zero=False, nice=True)
            .axis(title=None, tickCount=5, labelExpr="format(datum.value, number_format)"),
        )
    )
    last = base.transform_joinaggregate(latest="max(as_of)").transform_filter("datum.as_of == datum.latest")
    decides = [
        last.transform_filter(f"isValid(datum.{end})").encode(y=alt.Y(f"{end}:Q"), x=alt.XValue(0)) for end in ends
    ]
    reached = "datum.day >= reach[0] && datum.day <= reach[1]"
    article = alt.Chart(alt.InlineData(values=[{"day": THEN.isoformat()}]))
    appeared = article.transform_filter(f"{in_range('day')} && {reached}").encode(x=time_axis(alt, "day"))
    told = {
        "As of": "utcFormat(row.as_of, '%b %Y')",
        "Value": "row.value_text",
        "n": "format(row.n, ',')",
        "Verdict": "row.verdict_text",
    }
    chart = alt.layer(
        *event_layers(alt, events, between=reached),
        *break_layers(alt, shown, "as_of"),
        *(
            line.mark_rule(color=token("ink"), strokeDash=[5, 4], strokeWidth=1.2).encode(x2=alt.X2Value("width"))
            for line in decides
        ),
        appeared.mark_rule(color=token("ink"), strokeDash=[2, 3]),
        *on_paper(
            decides[0]
            .transform_calculate(threshold_text="'decides: ' + format(datum.threshold, number_format)")
            .encode(text=alt.Text("threshold_text:N")),
            align="left",
            baseline="bottom",
            dx=2,
            dy=-3,
            color=token("ink"),
        ),
        *on_paper(
            appeared.encode(y=alt.YValue("height"), text=alt.TextValue("the article")),
            align="right",
            baseline="bottom",
            dx=-4,
            dy=-4,
            color=token("soft"),
        ),
        base.mark_line(color=token("soft"), strokeWidth=1.6).encode(detail=alt.Detail("segment:N")),
        base.transform_filter("isValid(datum.value)")
        .mark_point(size=30, stroke=token("ink"), strokeWidth=1.3, opacity=1)
        .encode(**verdict_marks(alt, is_ahead=is_ahead)),
        *pointed(alt, base, told, ["as_of"]),
    )
    return finished(
        chart, (), events=events, title="=definition + (unit_word ? ' (' + unit_word + ')' : '')", height=240
    )


def _start(found: Definition, rows: pl.DataFrame) -> int | None:
    """Return the year from which no value is so far above the threshold that it would flatten all others."""
    line = rows.filter(pl.col("definition") == found.name).drop_nulls("value")
    usual = pl.col("value").abs().median()
    limit = OUTSIZED * pl.max_horizontal(pl.lit(abs(found.threshold or 0)), usual)
    outsized = line.filter(pl.col("value").abs() > limit)["as_of"].to_list()
    if not outsized or outsized[-1].year >= max(line["as_of"].to_list()).year:
        return None
    return int(outsized[-1].year) + 1


def _has_values(found: Definition, verdicts: pl.DataFrame) -> bool:
    values = verdicts.filter(pl.col("definition") == found.name)["value"]
    return values.count() > 0


def _option(found: Definition) -> str:
    return found.name if found.headline else f"{found.name} (not in the headline)"


def _in_words(found: Definition, rows: pl.DataFrame) -> str:
    """Say what the value was whenever its verdict changed."""
    line = rows.filter((pl.col("definition") == found.name) & pl.col("value").is_not_null()).sort("as_of")
    turns = line.filter(pl.col("verdict").is_in(DECIDED)).filter(
        pl.col("verdict") != pl.col("verdict").shift(1, fill_value="")
    )
    ends = _said(found, [line.row(0, named=True), line.row(-1, named=True)])
    said = f"Under “{found.name}”: {ends[0]}, {ends[1]}"
    if turns.height > 1:
        shown: Sequence[dict[str, Any]] = list(turns.tail(5).iter_rows(named=True))
        steps = "; ".join(f"{VERDICTS[row['verdict']]} from {in_month(row['as_of'])}" for row in shown)
        times = "once" if turns.height == 2 else f"{turns.height - 1} times"  # noqa: PLR2004 - a turn and its beginning
        said += f". The verdict changed {times}; its latest turns: {steps}"
    return f"{said}."


def _said(found: Definition, rows: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{bounded(row['value'], row['low'], row['high'], found.unit)} as of {in_month(row['as_of'])}" for row in rows
    ]
