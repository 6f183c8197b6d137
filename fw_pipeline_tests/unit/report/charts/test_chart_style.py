"""What all charts share: their parameters, their events, and where a line breaks."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt
import polars as pl
import pytest

from fw_pipeline.report.charts import chart_style
from fw_pipeline.report.figure import Control, Event

EVENTS = [Event(1, "2022-01-05", "One", "x"), Event(2, "2022-02-05", "Next", "x", height=1)]


def drawn(events: list[Event], *controls: Control, title: str = "Downloads") -> dict[str, Any]:
    lines = alt.Chart().mark_line().encode(x=chart_style.time_axis(alt))
    return chart_style.finished(
        alt.layer(*chart_style.event_layers(alt, events), lines), controls, title=title, events=events
    )


def test_a_chart_has_the_parameters_of_its_range_and_its_controls_at_their_first_option() -> None:
    spec = drawn([], Control("measure", "Show", {"share": "Share", "questions": "Questions"}))
    assert {param["name"]: param["value"] for param in spec["params"]} == {**chart_style.EVER, "measure": "share"}
    assert spec["title"]["text"] == "Downloads"
    assert drawn([], title="=measure")["title"]["text"] == {"expr": "measure"}


@pytest.mark.parametrize(("events", "offset"), [(EVENTS[:1], 16), (EVENTS, 34)])
def test_events_are_marked_by_day_and_number_and_the_legend_makes_room_for_raised_ones(
    events: list[Event], offset: int
) -> None:
    spec = drawn(events)
    marked = [row for layer in spec["layer"] for row in layer.get("data", {}).get("values", [])]
    assert {(row["day"], row["number"]) for row in marked} == {(event.day, event.number) for event in events}
    assert spec["config"]["legend"]["offset"] == offset
    assert chart_style.CONFIG["legend"]["offset"] == 16, "the common style is not changed by one chart"


def test_a_break_is_the_first_month_of_another_segment_of_the_same_line() -> None:
    months = [date(2022, month, 1) for month in (1, 2, 3, 4)]
    rows = pl.DataFrame({"month": months * 2, "line": ["a"] * 4 + ["b"] * 4, "segment": [0, 0, 1, 1] + [5] * 4})
    found = chart_style.with_breaks(rows.reverse(), ["line"]).filter("breaks")
    assert found.select("line", "month").rows() == [("a", months[2])]


def test_a_tooltip_finds_the_row_of_the_nearest_figure_too_and_quotes_its_labels() -> None:
    told = chart_style.tip({'of "both"': "row.ratio"})
    assert told == {"expr": '{"of \\"both\\"": (datum.datum || datum).ratio}'}


def test_a_framework_has_one_hue_and_its_title_in_every_legend() -> None:
    colour = chart_style.framework_colour(alt, ["pytorch", "keras"]).to_dict()
    assert colour["scale"] == {"domain": ["pytorch", "keras"], "range": ["var(--pytorch)", "var(--keras)"]}
    assert colour["legend"]["labelExpr"] == "{'pytorch':'PyTorch','keras':'Keras'}[datum.label]"
    assert chart_style.framework_colour(alt, ["keras"], legend=False).to_dict()["legend"] is None
