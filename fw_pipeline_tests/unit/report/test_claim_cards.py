"""What the report says of claims, months, crossings and origins, in words and colours."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.report import claim_cards, figure, formatting, page_tables
from fw_pipeline.report.charts import palette
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.report_warehouse import HOSTILE

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


def test_a_prediction_stands_beside_the_present_half_and_flips_nothing() -> None:
    connection = report_warehouse.small()
    report_warehouse.look_ahead(connection)
    card = cards(connection)["C3"]
    assert (card.then.verdict, card.then.beside) == ("supported", ("the prediction: not yet",))
    assert (card.now.verdict, card.now.beside) == ("supported", ("the prediction: came true since Apr 2023",))
    assert (card.change, card.became) == ("turned", "the prediction: not yet, now came true")
    assert card.turns("now") == card.turns("then") == ()


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


def test_a_series_has_a_plain_name_and_one_that_nobody_named_keeps_its_own() -> None:
    assert formatting.series_title("stackoverflow", "recorded") == "Stack Overflow, as published by N. Schlömer"
    assert formatting.series_title("stackoverflow", "of nobody") == "of nobody"
    used = {"pypi": {"StarScout, all", "unknown"}, "papers": set[str]()}
    assert [row["series"] for row in page_tables.glossary(used)] == ["StarScout, all"]


def test_a_later_gap_erases_no_reading() -> None:
    connection = report_warehouse.small()
    connection.execute(
        "insert into marts.verdicts by name select * replace (date '2023-06-01' as as_of, null as value, null as low, "
        "null as high, 'insufficient_data' as verdict) from marts.verdicts where claim = 'C3'"
    )
    slope = cards(connection)["C3"].definitions[0]
    assert (slope.now.month, slope.now.verdict, slope.shown("now")) == (date(2023, 3, 1), "supported", "1.60")


def test_claims_stand_in_the_order_of_their_numbers() -> None:
    assert list(cards()) == ["C2", "C3", "C10"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "share", "\N{EN DASH}"),
        (0.7668, "share", "76.7%"),
        (0.00486, "share of questions", "0.49%"),
        (-0.231, "share", "\N{MINUS SIGN}23.1%"),
        (1.3315, "times", "1.33"),
        (739, "questions", "739"),
        (1348, None, "1,348"),
        (15_100_000, None, "15.1 million"),
        (0.00878, "times", "0.00878"),
        (2015.86, "year", "2015.86"),
        (0.0, "times", "0"),
        (0.0, "share", "0.0%"),
    ],
)
def test_figures_are_written_with_the_digits_that_carry_meaning(
    value: float | None, unit: str | None, text: str
) -> None:
    assert formatting.figure(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.9316, 0.936, "\N{GREATER-THAN OR EQUAL TO} 93.2%"),
        (None, 0.9316, "\N{LESS-THAN OR EQUAL TO} 93.2%"),
        (0.473, 0.574, "47.3% to 57.4%"),
        (0.9316, 0.9316, "93.2%"),
    ],
)
def test_a_bound_is_written_as_a_bound(low: float | None, high: float | None, text: str) -> None:
    assert formatting.bounded(0.9316 if 0.9316 in {low, high} else 0.5, low, high, "share") == text


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


def test_every_origin_of_the_recorded_figures_has_a_licence() -> None:
    for name, source in SOURCES.items():
        for origin in pl.read_csv(RECORDED / f"{name}.csv", infer_schema=False)["origin"].unique():
            assert any(origin.startswith(start) for start in source.credits), origin


def test_both_schemes_have_the_same_colours_and_enough_contrast() -> None:
    assert palette.LIGHT.keys() == palette.DARK.keys()
    for scheme in (palette.LIGHT, palette.DARK):
        for name in (*palette.TITLES, "pypi", "stackoverflow", "papers", "ink", "soft", "link"):
            assert _contrast(scheme[name], scheme["paper"]) >= 4.5, name
        assert min(_contrast(scheme[name], scheme["panel"]) for name in ("ink", "soft")) >= 4.5
        assert _contrast(scheme["faint"], scheme["paper"]) >= 3


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
