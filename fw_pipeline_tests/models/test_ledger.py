"""The ledger of the recorded run: every value, detail, verdict and headline by two paths, and the golden tables."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.second_path.compared import disagreements
from fw_pipeline_tests.second_path.figures import FIRST, span
from fw_pipeline_tests.second_path.headlines import headlines
from fw_pipeline_tests.second_path.judging import verdict
from fw_pipeline_tests.second_path.leaning import leans_on_gap
from fw_pipeline_tests.second_path.ledger import (
    JUDGED,
    LAST,
    MONTHS,
    Row,
    headline_rows,
    in_order,
    measurements,
    month_of,
    read_golden,
    verdict_rows,
    written,
)
from fw_pipeline_tests.second_path.measured import documents

NOT_MEASURABLE = {"C7", "C10"}


@pytest.fixture(scope="module")
def published(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


def test_every_value_n_and_verdict_comes_out_by_another_path(published: Path) -> None:
    rows = query(
        published, "select claim, definition, as_of, value, n, verdict from marts.verdicts where as_of is not null"
    )
    # what was never measured stands in the last closed month, which is another one every month
    seen = {row[:3]: row[3:] for row in rows.rows() if row[3] is not None or row[2] <= LAST}
    by_hand = {
        (one.claim, one.definition, one.as_of): (one.value, one.n, verdict(one))
        for one in measurements()
        if one.value is not None or one.series is not None
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
        assert list(disagreements(one, seen[key], judged=True)) == [], key


def test_what_a_verdict_leans_on_comes_out_by_another_path(published: Path) -> None:
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
        assert leans == leans_on_gap(one), place
        assert drift is not None or flips is None, place  # how far a drift carries is told by the SQL alone
        assert flips is None or verdict(one) != "insufficient_data", place


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


HEADLINE = "select claim, as_of, verdict, measured, ahead_verdict, carried_verdict, carried_measured"


def test_the_published_headlines_are_the_golden_ones(published: Path) -> None:
    rows = [
        (month_of(month), claim, said, month_of(measured), ahead or "", carried or "", month_of(of_when))
        for claim, month, said, measured, ahead, carried, of_when in query(
            published, f"{HEADLINE} from marts.headline_verdicts"
        ).rows()
        if month in JUDGED
    ]
    assert in_order(rows) == read_golden("headlines")


def test_every_headline_of_every_month_comes_out_by_another_path(published: Path) -> None:
    rows = query(published, f"{HEADLINE}, sources_for, sources_against from marts.headline_verdicts").rows()
    newest = max(row[1] for row in rows)
    by_hand = headlines(measurements(), span(FIRST, newest))
    assert {row[:2] for row in rows} == set(by_hand)
    for claim, month, *told, sources_for, sources_against in rows:
        one = by_hand[claim, month]
        assert told == [one.verdict, one.measured, one.ahead, one.carried, one.carried_measured], (claim, month)
        sides = (sorted(sources_for or []), sorted(sources_against or []))
        assert sides == (list(one.sources_for), list(one.sources_against)), (claim, month)
