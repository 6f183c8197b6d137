"""What decided a claim, in one sentence; and what is missing where nothing decided it."""

from __future__ import annotations

import duckdb

from fw_pipeline.report import claim_cards, figure
from fw_pipeline_tests.support import report_warehouse

QUERIES = ("claims", "verdicts", "headlines")


def cards(connection: duckdb.DuckDBPyConnection | None = None) -> dict[str, claim_cards.Card]:
    read = report_warehouse.reader(connection or report_warehouse.small())
    return {card.claim: card for card in claim_cards.cards(*(read(figure.sql(name)) for name in QUERIES))}


def test_a_mixed_claim_names_one_measurement_of_either_side() -> None:
    connection = report_warehouse.small()
    connection.execute(
        "insert into marts.verdicts by name "
        "select * replace ('pypi' as source, 'Y' as sentence, 'supported' as verdict) from marts.verdicts "
        "where claim = 'C2' and formula = 'a month' and as_of = date '2023-05-01'"
    )
    connection.execute(
        "update marts.headline_verdicts set verdict = 'mixed', sources_for = ['pypi'], "
        "sources_against = ['stackoverflow'] where claim = 'C2' and as_of = date '2023-05-01'"
    )
    said = cards(connection)["C2"].sentence
    assert said == "Y (PyPI, May 2023). 1.00 questions for each one (Stack Overflow, May 2023)."


def test_a_claim_that_was_never_decided_says_what_is_known_and_what_it_would_take() -> None:
    connection = report_warehouse.small()
    connection.execute("update marts.verdicts set verdict = 'insufficient_data' where claim = 'C3'")
    connection.execute(
        "update marts.headline_verdicts set verdict = 'insufficient_data', sources_for = [], measured = null, "
        "why = 'No verdict: 1.60 questions for each one; too few. A live fetch of PyPI would supply more. A proxy.' "
        "where claim = 'C3'"
    )
    card = cards(connection)["C3"]
    assert (card.is_told, card.is_old, card.lacking) == (False, False, "PyPI")
    assert card.sentence == (
        "1.60 questions for each one (Stack Overflow, Mar 2023). "
        "The claim needs at least 1.5; the figures leave that open."
    )
    assert (cards(connection)["C10"].is_told, cards(connection)["C10"].lacking) == (False, "")
