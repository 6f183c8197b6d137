"""The ledger of the recorded run: every value and detail by two paths, the golden tables, and what others published."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.by_hand.compared import disagreements
from fw_pipeline_tests.by_hand.figures import questions
from fw_pipeline_tests.by_hand.leaning import drift_flips, known_drift, leans_on_gap
from fw_pipeline_tests.by_hand.ledger import (
    MONTHS,
    Row,
    headline_rows,
    in_order,
    measurements,
    read_golden,
    verdict_rows,
    written,
)
from fw_pipeline_tests.by_hand.measured import documents, verdict

NOT_MEASURABLE = {"C7", "C10"}


@pytest.fixture(scope="module")
def published(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


def test_every_value_n_and_verdict_comes_out_by_another_path(published: Path) -> None:
    rows = query(
        published, "select claim, definition, as_of, value, n, verdict from marts.verdicts where as_of is not null"
    )
    until = max(MONTHS.values())
    # what was never measured stands in the last closed month, which is another one every month
    seen = {row[:3]: row[3:] for row in rows.rows() if row[3] is not None or row[2] <= until}
    by_hand = {
        (one.claim, one.definition, one.as_of): (one.value, one.n, verdict(one))
        for one in measurements()
        if one.as_of <= until and (one.value is not None or one.series is not None)
    }
    assert len(by_hand) > 7000
    assert set(seen) == set(by_hand)
    for key, (value, n, said) in by_hand.items():
        other = seen[key]
        same = other[0] is None if value is None else math.isclose(other[0], value, rel_tol=1e-7, abs_tol=1e-8)
        assert same, f"{key}: {other[0]} by SQL, {value} by hand"
        assert other[1:] == (n, said), f"{key}: {other[1:]} by SQL, {(n, said)} by hand"
        assert other[0] == (None if other[0] is None else round(other[0], 9)), f"{key}: {other[0]} is not rounded"


def test_what_a_measurement_says_beside_its_value_comes_out_by_another_path(published: Path) -> None:
    rows = query(published, "select * from marts.verdicts where series is not null or value is not null")
    seen = {(row["claim"], row["definition"], row["as_of"]): row for row in rows.iter_rows(named=True)}
    by_hand = {(one.claim, one.definition, one.as_of): one for one in measurements() if one.beside}
    assert set(seen) == set(by_hand)
    for key, one in by_hand.items():
        assert list(disagreements(one, seen[key])) == [], key


def test_what_a_verdict_leans_on_comes_out_by_another_path(published: Path) -> None:
    rates = query(published, "select source, series, known_from, drift from marts.drift_rates").rows()
    rows = query(
        published,
        """
        select claim, definition, as_of, leans_on_gap, drift, drift_flips from marts.verdicts
        where series is not null or value is not null
        """,
    )
    by_hand = {(one.claim, one.definition, one.as_of): one for one in measurements() if one.beside}
    assert {row[-1] for row in rows.rows()} == {True, False, None}
    for *place, leans, drift, flips in rows.rows():
        one = by_hand[tuple(place)]
        moved = known_drift(one, rates)
        assert (leans, drift, flips) == (leans_on_gap(one), moved, drift_flips(one, moved)), place


def test_what_was_never_measured_says_what_is_missing(published: Path) -> None:
    rows = query(
        published, "select claim, definition, cannot_decide from marts.verdicts where value is null and series is null"
    )
    meanings = {
        (name, formula["formula"]): " ".join(formula["meaning"].split())
        for name, claim in documents().items()
        for formula in claim["definitions"]
    }
    seen = {(claim, definition): why for claim, definition, why in rows.rows() if claim not in NOT_MEASURABLE}
    assert set(seen) == {(one.claim, one.formula) for one in measurements() if one.beside is None}
    for key, why in seen.items():
        assert why == f"no figures for: {meanings[key]}"


def test_the_golden_tables_are_what_the_other_path_says() -> None:
    assert read_golden("verdicts") == verdict_rows()
    assert read_golden("headlines") == headline_rows()


def test_the_golden_tables_name_every_claim_and_every_formula() -> None:
    rows = read_golden("verdicts")
    assert {row[1] for row in read_golden("headlines")} == {f"C{number}" for number in range(1, 27)}
    for name, claim in documents().items():
        for formula in claim["definitions"]:
            assert any(row[1] == name and f"{row[2]}, ".startswith(f"{formula['formula']}, ") for row in rows), formula


def test_the_published_verdicts_are_the_golden_ones(published: Path) -> None:
    rows: list[Row] = []
    for judged, month in MONTHS.items():
        found = query(
            published,
            f"""
            select claim, definition, headline, as_of, value, n, verdict, series from marts.verdicts
            where as_of <= date '{month}' or (series is null and value is null and as_of is not null)
            qualify row_number() over (partition by claim, definition order by as_of desc) = 1
            """,
        )
        rows += [
            (
                judged,
                row["claim"],
                row["definition"],
                str(row["headline"]).lower(),
                "" if row["value"] is None and row["series"] is None else f"{row['as_of']:%Y-%m}",
                written(row["value"]),
                str(row["n"]),
                row["verdict"],
            )
            for row in found.iter_rows(named=True)
        ]
    # what was never measured is told once, of the last closed month: it belongs to the later of the two
    kept = [row for row in rows if row[4] or row[0] == max(MONTHS)]
    assert in_order(kept) == read_golden("verdicts")


def test_the_published_headlines_are_the_golden_ones(published: Path) -> None:
    rows = [
        (judged, claim, said)
        for judged, month in MONTHS.items()
        for claim, said in query(
            published, f"select claim, verdict from marts.headline_verdicts where as_of = date '{month}'"
        ).rows()
    ]
    assert in_order(rows) == read_golden("headlines")


def value(published: Path, claim: str, definition: str, month: date) -> float:
    found = query(
        published,
        f"""
        select value from marts.verdicts where claim = '{claim}' and definition = '{definition}' and as_of = '{month}'
        """,
    )
    return float(found.item())


@pytest.mark.parametrize(
    ("claim", "definition", "month", "figure", "within"),
    [
        ("C2", "questions in the month, recorded", date(2023, 1, 1), 739 / 555, 1e-6),
        ("C2", "questions in the month, recorded", date(2023, 5, 1), 493 / 483, 1e-6),
        ("C2", "questions in the month, recorded", date(2022, 6, 1), 1.9, 0.02),
        ("C2", "questions over 12 months, recorded", date(2022, 12, 1), 1.71, 0.005),
        ("C3", "change of the share since 2018, recorded", date(2022, 12, 1), -0.04, 0.005),
        ("C3", "peak of the share since 2018, recorded", date(2022, 12, 1), 0.46, 0.02),
        ("C6", "fall of questions from its peak, recorded", date(2023, 1, 1), 0.71, 0.005),
        ("C6", "fall of questions over 12 months from its peak, recorded", date(2022, 12, 1), 0.52, 0.005),
        ("C14", "of papers naming one of the two in the year, nine venues", date(2020, 12, 1), 0.767, 0.0005),
        ("C14", "of papers naming one of the two in the year, nine venues", date(2022, 5, 1), 0.840, 0.0005),
        ("C14", "of all papers in the year, nine venues", date(2020, 12, 1), 0.219, 0.0005),
        ("C15", "moved to pytorch alone, recorded", date(2022, 5, 1), 0.323, 0.0005),
        ("C15", "moved to pytorch alone or beside tensorflow, recorded", date(2022, 5, 1), 0.524, 0.0005),
        ("C15", "pytorch authors who stayed, recorded", date(2022, 5, 1), 0.843, 0.0005),
    ],
)
def test_what_others_published_comes_out(
    published: Path, claim: str, definition: str, month: date, *, figure: float, within: float
) -> None:
    assert value(published, claim, definition, month) == pytest.approx(figure, abs=within)


@pytest.mark.parametrize(
    ("series", "first"), [("StarScout, all", date(2024, 1, 1)), ("top-pypi-packages (BigQuery), pip", date(2024, 3, 1))]
)
def test_torch_passed_tensorflow_in_these_months(published: Path, series: str, first: date) -> None:
    rows = query(
        published,
        f"select as_of, value from marts.verdicts where definition = 'downloads in the month, {series}'",
    )
    assert rows.filter(pl.col("value") > 1)["as_of"].min() == first


def test_the_questions_of_whole_years_come_out() -> None:
    years = {
        year: sum(count or 0 for month, count in questions("tensorflow").items() if month.year == year)
        for year in (2018, 2020, 2022)
    }
    assert years == {2018: 14_307, 2020: 20_629, 2022: 11_301}
