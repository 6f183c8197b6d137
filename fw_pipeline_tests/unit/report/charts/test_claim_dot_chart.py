"""A claim that was measured once: each value beside what decides, and more than a few of them as counts."""

from __future__ import annotations

from dataclasses import replace

import altair as alt
import polars as pl

from fw_pipeline.report.charts import claim_dot_chart
from fw_pipeline.report.claim_cards import Card, cards
from fw_pipeline.report.figure import sql
from fw_pipeline_tests.support.report_warehouse import Read


def of(read: Read, claim: str) -> tuple[Card, pl.DataFrame]:
    verdicts = read(sql("verdicts"))
    found = {card.claim: card for card in cards(read(sql("claims")), verdicts, read(sql("headlines")))}
    return found[claim], verdicts.filter(pl.col("claim") == claim).drop_nulls("value")


def test_each_definition_has_its_value_its_verdict_and_its_rule(read: Read) -> None:
    card, rows = of(read, "C3")
    drawn = claim_dot_chart.dots(card, rows, "select 1")
    assert drawn.name == "claim_c3"
    assert (
        drawn.summary
        == f"Measured in Mar 2023. {card.definitions[0].name}: 1.60 times (supported; holds if ≥ 1.50 times)."
    )
    values = [layer for layer in drawn.spec["layer"] if layer["mark"]["type"] == "point"]
    assert [layer["encoding"]["x"]["field"] for layer in values] == ["value"]


def test_many_definitions_are_told_as_counts_of_their_verdicts(read: Read) -> None:
    card, rows = of(read, "C3")
    many = claim_dot_chart.FEW + 1
    names = [f"slope {place}" for place in range(many)]
    several = replace(card, definitions=tuple(replace(card.definitions[0], name=name) for name in names))
    drawn = claim_dot_chart.dots(several, pl.concat([rows.with_columns(definition=pl.lit(it)) for it in names]), "")
    assert f"{many} definitions give values from 1.60 to 1.60: supported under {many}" in drawn.summary


def test_only_predictions_have_the_marks_of_what_came_true() -> None:
    past, ahead = (
        claim_dot_chart.verdict_marks(alt, is_ahead=is_ahead)["shape"].to_dict()["scale"]["domain"]
        for is_ahead in (False, True)
    )
    assert {*ahead} - {*past} == {*claim_dot_chart.AHEAD}
