"""Claims as cards: what they say of then and now, what would flip them, and in which order they stand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.report import claim_cards, figure, formatting, page_tables
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support import report_warehouse

QUERIES = ("claims", "verdicts", "headlines")

RECORDED = Path(__file__).parents[3] / "data" / "recorded"


def cards(connection: duckdb.DuckDBPyConnection | None = None) -> dict[str, claim_cards.Card]:
    read = report_warehouse.reader(connection or report_warehouse.small())
    return {card.claim: card for card in claim_cards.cards(*(read(figure.sql(name)) for name in QUERIES))}


def test_the_verdict_then_knows_nothing_later() -> None:
    card = cards()["C2"]
    month = card.definitions[0]
    assert (month.name, month.then.month) == ("a month, recorded", date(2023, 1, 1))
    assert month.then.value == pytest.approx(1.4)
    assert (card.then.verdict, card.now.verdict, month.now.month) == ("refuted", "refuted", date(2023, 5, 1))
    assert card.history == (("2022-07-01", "supported", (), ""), ("2023-01-01", "refuted", (), ""))
    assert (card.since, card.sentence) == (
        "It held until Dec 2022.",
        "1.00 questions for each one (Stack Overflow, May 2023); the claim needs at least 1.5.",
    )


def test_a_claim_that_was_measured_later_has_not_changed_but_is_decided_only_now() -> None:
    card = cards()["C3"]
    assert (card.then.verdict, card.now.verdict, card.change) == ("insufficient_data", "supported", "found")
    assert card.definitions[0].then.value is None
    assert (card.then.ballot, card.now.ballot) == ("none decides", "1 of 1 source")


def test_the_definitions_that_decide_otherwise_are_named() -> None:
    card = cards()["C2"]
    assert [(verdict, [each.name for each in found]) for verdict, found in card.turns("now")] == [
        ("supported", ["a year, recorded"])
    ]
    assert card.change == ""


def test_a_prediction_stands_beside_the_present_half_and_flips_nothing() -> None:
    connection = report_warehouse.small()
    report_warehouse.look_ahead(connection)
    card = cards(connection)["C3"]
    assert (card.then.verdict, card.then.beside) == ("supported", ("the prediction: not yet",))
    assert (card.now.verdict, card.now.beside) == ("supported", ("the prediction: came true since Apr 2023",))
    assert (card.change, card.became) == ("turned", "the prediction: not yet, now came true")
    assert card.turns("now") == card.turns("then") == ()


def test_a_series_has_a_plain_name_and_one_that_nobody_named_keeps_its_own() -> None:
    assert formatting.series_title("stackoverflow", "recorded") == "Stack Overflow, as published by N. Schlömer"
    assert formatting.series_title("stackoverflow", "of nobody") == "of nobody"
    used = {"pypi": {"StarScout, all", "unknown"}, "papers": set[str]()}
    assert [row["series"] for row in page_tables.glossary(used)] == ["StarScout, all"]


def test_claims_stand_in_the_order_of_their_numbers() -> None:
    assert list(cards()) == ["C2", "C3", "C10"]


def test_every_origin_of_the_recorded_figures_has_a_licence() -> None:
    for name, source in SOURCES.items():
        for origin in pl.read_csv(RECORDED / f"{name}.csv", infer_schema=False)["origin"].unique():
            assert any(origin.startswith(start) for start in source.credits), origin
