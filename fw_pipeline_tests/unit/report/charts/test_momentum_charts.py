"""Momentum and the composite: lines that break where they must, weights, and charts without any figures."""

from __future__ import annotations

from datetime import date

import polars as pl

from fw_pipeline.report import figure
from fw_pipeline.report.charts import forecast_charts, momentum_charts
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.report_warehouse import GAP, HOSTILE


def runs(rows: pl.DataFrame, present: str) -> dict[date, int]:
    line = rows.filter(framework="pytorch").drop_nulls(present)
    return dict(line.select("month", "run").rows())


def test_no_line_of_momentum_runs_through_a_gap(read: report_warehouse.Read) -> None:
    drawn = momentum_charts.momentum(read(figure.sql("momentum")), (), "somebody")
    found = runs(drawn.rows, "change")
    assert GAP not in found
    assert {run for month, run in found.items() if month < GAP} == {1}
    assert {run for month, run in found.items() if month > GAP} == {2}
    assert "TensorFlow in the year to Dec 2022" in drawn.summary


def test_a_line_of_the_composite_ends_where_another_source_goes_in(read: report_warehouse.Read) -> None:
    drawn = momentum_charts.composite(read(figure.sql("composite")), (), "somebody")
    found = runs(drawn.rows, "score")
    assert [found[date(2022, month, 1)] for month in (1, 3, 5, 6, 7, 12)] == [1, 1, 2, 2, 3, 3]
    assert "not a measurement" in drawn.title
    assert "not a measurement" in str(drawn.spec["title"])
    assert "PyTorch 101 in Dec 2022, from Papers, PyPI and Stack Overflow" in drawn.summary


def test_the_weights_of_a_drawn_composite_are_shown_as_parts_of_a_whole(read: report_warehouse.Read) -> None:
    shown = momentum_charts.weights(read(figure.sql("weights")))
    assert [(row["source"], row["weight"], row["reason"]) for row in shown] == [
        ("PyPI", "75.0%", ""),
        ("Stack Overflow", "25.0%", HOSTILE),
    ]


def test_without_any_figures_the_charts_are_empty_and_say_so() -> None:
    nothing = report_warehouse.reader(report_warehouse.empty())
    drawn = (
        momentum_charts.momentum(nothing(figure.sql("momentum")), (), "somebody"),
        momentum_charts.composite(nothing(figure.sql("composite")), (), "somebody"),
        forecast_charts.forecasts(nothing(figure.sql("forecasts")), "somebody"),
    )
    assert all(figure.rows.is_empty() and "No " in figure.summary for figure in drawn)
