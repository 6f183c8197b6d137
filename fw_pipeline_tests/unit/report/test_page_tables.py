"""The tables of the page: coverage, published figures, crossings."""

from __future__ import annotations

from fw_pipeline.report import figure, page_tables
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.report_warehouse import HOSTILE


def test_months_of_the_same_kind_run_together_and_a_gap_stands_alone() -> None:
    read = report_warehouse.reader(report_warehouse.small())
    (strip,) = page_tables.coverage(read(figure.sql("coverage")))
    assert [(span.status, span.months) for span in strip.spans] == [("present", 5), ("gap", 1), ("present", 85)]
    assert strip.spans[1].text == "Apr 2016: a known gap"
    assert strip.spans[1].reasons == HOSTILE
    assert strip.summary == "90 months complete and 1 month a known gap"


def test_published_months_are_compared_as_months() -> None:
    read = report_warehouse.reader(report_warehouse.small())
    (row,) = page_tables.reconciled(read(figure.sql("reconciliation")))
    assert (row["published"], row["measured"], row["agrees"]) == ("2024-01", "2024-03", "differs")


def test_a_crossing_says_whether_it_lasted() -> None:
    read = report_warehouse.reader(report_warehouse.small())
    (row,) = page_tables.crossings(read(figure.sql("crossovers")))
    assert row["order"] == "PyTorch passed TensorFlow in Jan 2024"
    assert row["lasted"] == "yes, for six more months at least"
