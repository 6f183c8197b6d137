"""The first chart: where its lines break, and that they are named at every width."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl

from fw_pipeline.report import answer, figure
from fw_pipeline.report.charts import lead_chart
from fw_pipeline_tests.support.report_warehouse import BREAK, GAP, Read


def test_the_first_chart_breaks_its_lines_and_leaves_samples_out(read: Read) -> None:
    lines = read(figure.sql("lead"))
    rows = lead_chart.first_chart(lines, answer.leads(lines, read(figure.sql("crossovers"))), "somebody").rows
    assert "a sample" not in set(rows["series"])
    questions = rows.filter(pl.col("source") == "stackoverflow")
    before, after = (questions.filter(pl.col("month") < BREAK), questions.filter(pl.col("month") >= BREAK))
    assert not set(before["stretch"]) & set(after["stretch"]), "a line ends where the counting changed"
    gap = questions.filter(pl.col("month") == GAP)
    assert gap["ratio"].to_list() == [None]
    assert set(questions.filter(pl.col("month") < GAP)["stretch"]).isdisjoint(
        questions.filter(pl.col("month") > GAP)["stretch"]
    ), "and where a month has no figure"


def test_the_lines_of_the_first_chart_are_named_on_a_phone_and_at_a_desk(recorded_once: Path) -> None:
    spec = json.loads((recorded_once / "report" / "charts" / "pytorch_for_each_tensorflow.vl.json").read_text())
    rows = [row for layer in spec["layer"] for row in layer.get("data", {}).get("values", []) if "band" in row]
    bands = {row["band"] for row in rows}
    assert bands
    for band in bands:
        first, last = map(int, re.findall(r"\d+", band))
        named = {row["colour"] for row in rows if row["band"] == band and row["bold"]}
        if first >= 240:  # a plot of a phone of 320 pixels
            assert named == {"papers", "stackoverflow", "pypi"}, (first, last)
