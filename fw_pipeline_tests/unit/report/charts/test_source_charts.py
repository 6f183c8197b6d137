"""Questions and downloads: a gap is never a zero, a break is marked, and two series are never joined."""

from __future__ import annotations

import csv
import io
from typing import Any

import polars as pl

from fw_pipeline.report.charts import source_charts
from fw_pipeline.report.figure import Figure, sql
from fw_pipeline_tests.support.report_warehouse import BREAK, GAP, INTERPOLATED, Read


def questions(read: Read, *others: str) -> Figure:
    rows = read(sql("questions"))
    both = pl.concat([rows, *(rows.with_columns(series=pl.lit(name)) for name in others)])
    return source_charts.questions(both, read(sql("site")), (), "somebody")


def filtered(spec: dict[str, Any], expression: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if {"filter": expression} in layer.get("transform", [])]


def test_a_gap_is_an_empty_cell_and_never_a_zero(read: Read) -> None:
    rows = csv.DictReader(io.StringIO(questions(read).csv))
    cells = {(row["month"], row["framework"]): row for row in rows}
    lost = cells[str(GAP), "tensorflow"]
    assert (lost["questions"], lost["share"]) == ("", "")
    assert cells[str(INTERPOLATED), "tensorflow"]["is_estimated"] == "true"
    assert cells[str(GAP), "pytorch"]["questions"] == "500"


def test_a_line_ends_where_its_series_breaks_and_the_break_is_marked(read: Read) -> None:
    drawn = questions(read)
    assert set(drawn.rows.filter("breaks")["month"]) == {BREAK}
    assert filtered(drawn.spec, "datum.breaks")
    lines = [layer for layer in drawn.spec["layer"] if layer["mark"]["type"] == "line"]
    assert [line["encoding"]["detail"]["field"] for line in lines] == ["segment"]


def test_two_series_are_offered_one_at_a_time_and_never_joined(read: Read) -> None:
    drawn = questions(read, "api")
    assert {"name": "series", "value": "api"} in drawn.spec["params"]
    assert filtered(drawn.spec, "datum.series == series")
    assert not filtered(questions(read).spec, "datum.series == series")


def test_downloads_say_the_first_the_highest_and_the_last_figure_of_each_framework(read: Read) -> None:
    drawn = source_charts.downloads(read(sql("downloads")), None, (), "somebody")
    line = drawn.rows.filter(framework="pytorch").drop_nulls("downloads_per_day").sort("month")
    assert f"first {line['downloads_per_day'][0]:,.0f} in" in drawn.summary
    assert drawn.shows
    assert not drawn.rows.is_empty()
