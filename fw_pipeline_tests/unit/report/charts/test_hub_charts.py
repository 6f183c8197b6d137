"""Models of the Hub: a tag is counted in each way of counting, and a share says what it is a share of."""

from __future__ import annotations

import polars as pl

from fw_pipeline.report.charts import hub_charts
from fw_pipeline.report.figure import sql
from fw_pipeline_tests.support.report_warehouse import Read


def test_the_title_says_whose_tag_more_models_carry_at_the_newest_count(read: Read) -> None:
    rows = read(sql("models"))
    drawn = hub_charts.models(rows, "somebody")
    assert drawn.title == (
        "On the Hugging Face Hub 12 models carry the tag of PyTorch for each one with TensorFlow's (April 2022)"
    )
    assert drawn.summary == (
        "Models on the Hugging Face Hub. April 2022: 1,200 with PyTorch's tag, 100 with TensorFlow's."
    )
    other = hub_charts.models(rows.with_columns(ratio=pl.lit(0.5)), "somebody")
    assert "2.0 models carry the tag of TensorFlow for each one with PyTorch's" in other.title
    level = hub_charts.models(rows.with_columns(ratio=pl.lit(1.0)), "somebody")
    assert "as many models carry the tag of PyTorch as that of TensorFlow" in level.title


def test_without_a_count_of_the_whole_hub_the_chart_says_so(read: Read) -> None:
    drawn = hub_charts.models(read(sql("models")).clear(), "somebody")
    assert (drawn.title, drawn.summary) == ("No count of the whole Hugging Face Hub", "No figures.")


def test_the_reader_chooses_what_a_share_is_of_and_what_counts_as_a_framework(read: Read) -> None:
    drawn = hub_charts.exclusivity(read(sql("exclusivity")), "somebody")
    assert {control.name: len(control.options) for control in drawn.controls} == {
        "denominator": 2, "safetensors": 2, "jax": 2,
    }  # fmt: skip
    chosen = {param["name"] for param in drawn.spec["params"]}
    assert {"denominator", "safetensors", "jax"} <= chosen
