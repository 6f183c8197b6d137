"""The chart of a claim: its value by month under one definition at a time, which breaks where its series does."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from fw_pipeline.report.charts import claim_charts
from fw_pipeline.report.claim_cards import cards
from fw_pipeline.report.figure import Event, Figure, sql
from fw_pipeline_tests.support.report_warehouse import BREAK, Read

EVENTS = [Event(1, "2022-10-01", "Within", "x"), Event(2, "2030-01-01", "Beyond", "x")]


@pytest.fixture(scope="module")
def drawn(read: Read) -> dict[str, Figure | None]:
    verdicts, shared = read(sql("verdicts")), claim_charts.templates(EVENTS)
    return {
        card.claim: claim_charts.claim_chart(
            card, verdicts.filter(pl.col("claim") == card.claim), "select 1", shared, EVENTS
        )
        for card in cards(read(sql("claims")), verdicts, read(sql("headlines")))
    }


def test_a_claim_without_a_value_has_no_chart_and_one_of_a_single_month_has_dots(
    drawn: dict[str, Figure | None],
) -> None:
    assert drawn["C10"] is None
    assert drawn["C3"] is not None
    assert "a stroke is what decides" in str(drawn["C3"].spec["title"])


def test_the_reader_chooses_among_the_definitions_and_the_headline_comes_first(drawn: dict[str, Figure | None]) -> None:
    found = drawn["C2"]
    assert found is not None
    (control,) = found.controls
    assert control.options == {
        "a month, recorded": "a month, recorded",
        "a year, recorded": "a year, recorded (not in the headline)",
    }
    assert {"name": "definition", "value": "a month, recorded"} in found.spec["params"]
    assert [event.text for event in found.events] == ["Within"]


def test_a_line_ends_where_its_series_breaks_and_the_break_is_marked(drawn: dict[str, Figure | None]) -> None:
    found = drawn["C2"]
    assert found is not None
    assert set(found.rows.filter("breaks")["as_of"]) == {BREAK}
    lines = [layer for layer in found.spec["layer"] if layer["mark"]["type"] == "line"]
    assert [line["encoding"]["detail"]["field"] for line in lines] == ["segment"]


def test_the_turns_of_the_verdict_are_told_in_words(drawn: dict[str, Figure | None]) -> None:
    found = drawn["C2"]
    assert found is not None
    assert found.rows["as_of"].min() == date(2022, 7, 1)
    assert (
        "The verdict changed once; its latest turns: supported from Jul 2022; refuted from Jan 2023." in found.summary
    )
