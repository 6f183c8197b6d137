"""How a claim stands in a month: whose figures count, how old they may be, and what a later gap leaves alone."""

from __future__ import annotations

from datetime import date

import duckdb

from fw_pipeline.report import claim_cards, figure
from fw_pipeline_tests.support import report_warehouse

QUERIES = ("claims", "verdicts", "headlines")


def cards(connection: duckdb.DuckDBPyConnection | None = None) -> dict[str, claim_cards.Card]:
    read = report_warehouse.reader(connection or report_warehouse.small())
    return {card.claim: card for card in claim_cards.cards(*(read(figure.sql(name)) for name in QUERIES))}


def test_what_is_counted_is_sources_each_with_one_vote() -> None:
    connection = report_warehouse.small()
    connection.execute(
        "update marts.headline_verdicts set verdict = 'mixed', sources_for = ['pypi'], sources_against = ['papers'] "
        "where claim = 'C2' and as_of = date '2023-05-01'"
    )
    mixed = cards(connection)["C2"]
    assert (mixed.now.ballot, mixed.now.voters) == ("1 for, 1 against", "for: PyPI; against: Papers")
    assert [verdict for verdict, _ in mixed.turns("now")] == ["supported", "refuted"]


def test_another_verdict_by_other_sources_is_no_change_and_one_of_the_same_source_is() -> None:
    connection = report_warehouse.small()
    last = "where claim = 'C2' and as_of = date '2023-05-01'"
    connection.execute(
        f"update marts.headline_verdicts set verdict = 'supported', sources_for = ['pypi'], sources_against = [] {last}"
    )
    assert cards(connection)["C2"].change == "regrouped"
    connection.execute(
        "update marts.headline_verdicts set verdict = 'not_yet' where claim = 'C2' and as_of < date '2023-05-01'"
    )
    assert (cards(connection)["C2"].change, cards(connection)["C2"].then.ballot) == ("turned", "not due yet")
    connection.execute("update marts.headline_verdicts set verdict = 'refuted' where verdict = 'not_yet'")
    connection.execute(f"update marts.headline_verdicts set sources_for = ['stackoverflow'] {last}")
    card = cards(connection)["C2"]
    assert (card.change, card.became) == ("turned", "refuted, now supported")


def test_a_figure_that_is_too_old_decides_no_more_and_the_last_verdict_stands_beside() -> None:
    connection = report_warehouse.small()
    report_warehouse.grow_old(connection, "C2", "a month, recorded")
    card = cards(connection)["C2"]
    month = card.definitions[0]
    assert (card.now.verdict, card.now.why) == ("insufficient_data", "No verdict: the last figure is old.")
    assert card.now.beside == ("refuted by the last figures, of May 2023",)
    assert card.history[-1] == ("2027-01-01", "insufficient_data", card.now.beside, None)
    assert (card.now.latest, card.is_told, card.is_old) == (("refuted", date(2023, 5, 1)), True, True)
    assert card.sentence.startswith("1.00 questions for each one (Stack Overflow, May 2023)")
    assert (month.now.verdict, month.now.is_stale, month.now.counts) == ("refuted", True, False)
    assert (card.change, card.became) == ("lapsed", "refuted in May 2023")


def test_a_later_gap_erases_no_reading() -> None:
    connection = report_warehouse.small()
    connection.execute(
        "insert into marts.verdicts by name select * replace (date '2023-06-01' as as_of, null as value, null as low, "
        "null as high, 'insufficient_data' as verdict) from marts.verdicts where claim = 'C3'"
    )
    slope = cards(connection)["C3"].definitions[0]
    assert (slope.now.month, slope.now.verdict, slope.shown("now")) == (date(2023, 3, 1), "supported", "1.60")
