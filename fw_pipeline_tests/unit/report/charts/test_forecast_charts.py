"""Forecasts and predictions in words, and what they say where they cannot."""

from __future__ import annotations

from datetime import date

import polars as pl

from fw_pipeline.report import figure
from fw_pipeline.report.charts import forecast_charts
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.report_warehouse import GAP, HOSTILE


def test_the_forecast_of_january_2023_is_told_in_words(read: report_warehouse.Read) -> None:
    drawn = forecast_charts.forecasts(read(figure.sql("forecasts")), "somebody")
    assert drawn.summary == (
        "C25 ratio of downloads, A, all: for Jan 2024 the forecast of January 2023 was 0.7, between 0.4 and 1.20."
    )
    without = drawn.rows.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64)).drop("counted")
    told = forecast_charts.forecasts(without, "somebody").summary
    assert told.endswith("0.7, without an interval, as too few earlier ones could be judged by then.")
    measured = drawn.rows.filter(kind="measured")
    assert measured.filter(pl.col("value").is_null())["month"].to_list() == [GAP]
    assert drawn.rows.filter(pl.col("kind") != "measured")["month"].min() == date(2023, 2, 1)


def test_what_cannot_be_told_says_why(read: report_warehouse.Read) -> None:
    (row,) = forecast_charts.predictions(read(figure.sql("predictions")))
    assert (row["forecast"], row["between"], row["measured"]) == ("0.7", "0.4 to 1.20", "–")  # noqa: RUF001 - a dash
    assert (row["answer"], row["why"], row["error"]) == ("cannot be told", HOSTILE, "–")  # noqa: RUF001 - a dash
