"""What no published verdict may rest on: a break without a bound, a sample, an old figure, a day yet to come."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from fw_pipeline.catalog.frameworks import POPULATIONS
from fw_pipeline.warehouse import query
from fw_pipeline_tests.second_path.figures import RECORDED
from fw_pipeline_tests.second_path.measured import definition, documents

DECIDED = ("supported", "refuted", "came_true")


@pytest.fixture(scope="module")
def published(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


def test_nothing_decides_across_a_break_but_a_bound_on_the_right_side(published: Path) -> None:
    with (RECORDED / "outages.csv").open(encoding="utf-8", newline="") as stream:
        breaks = [known for known in csv.DictReader(stream) if known["kind"] == "break"]
    assert {known["first_day"] for known in breaks} >= {"2019-04-01", "2020-04-01", "2024-11-10"}
    rows = query(published, f"select * from marts.verdicts where verdict in {DECIDED} and since is not null")
    across = 0
    for found in rows.iter_rows(named=True):
        for known in breaks:
            month = date.fromisoformat(known["first_day"]).replace(day=1)
            mine = found["source"] == known["source"] and (found["series"] or "").startswith(known["series"])
            if not mine or not found["since"] < month <= found["as_of"]:
                continue
            across += 1
            said = definition(found["claim"], found["formula"])
            assert said.get("over_time"), found
            assert known["bias"], found
            true_is_less = (known["bias"] == "later is higher") != (said.get("form") == "fall")
            wants_less = said["rule"] in {"at most", "below"}
            # a value that can only be too high supports what wants it low, and refutes what wants it high
            assert (found["verdict"] != "refuted") == (true_is_less == wants_less), found
    assert across > 100


def test_nothing_decides_by_a_sample(published: Path) -> None:
    samples = {known.name for known in POPULATIONS if known.is_sample} | {"google-research/google-research"}
    rows = query(published, "select series, verdict from marts.verdicts where series is not null")
    seen = {series for series in rows["series"] if series in samples}
    assert seen == samples
    assert {said for series, said in rows.rows() if series in samples} == {"insufficient_data"}


def test_nothing_decides_by_less_than_a_number_that_is_there(published: Path) -> None:
    rows = query(
        published,
        f"""
        select * from marts.verdicts
        -- Up to the month of the article a prediction is not yet true, whatever the figures say.
        where (verdict in {DECIDED} or (verdict = 'not_yet' and as_of > date '2023-01-01'))
        and (value is null or cannot_decide is not null or n < least_n)
        """,
    )
    assert rows.is_empty()


def test_no_headline_rests_on_a_figure_older_than_24_months(published: Path) -> None:
    """A headline follows from what decided in the 24 months before it, and from dated facts, which do not age."""
    rows = query(
        published,
        f"""
        select headlines.claim, headlines.as_of, headlines.verdict, headlines.measured,
            list(distinct verdicts.verdict) as said, max(verdicts.as_of) as newest
        from marts.headline_verdicts as headlines
        left join marts.verdicts as verdicts
            on headlines.claim = verdicts.claim and verdicts.headline and verdicts.verdict in {(*DECIDED, "not_yet")}
            and verdicts.as_of <= headlines.as_of
            and (verdicts.series is null or verdicts.as_of >= headlines.as_of - interval 24 month)
        where headlines.verdict in {(*DECIDED, "not_yet", "mixed")}
        group by all
        """,
    )
    assert len(rows) > 1000
    for claim, as_of, verdict, measured, said, newest in rows.rows():
        assert newest is not None, (claim, as_of)
        assert measured <= newest, (claim, as_of)
        assert len(set(said)) > 1 if verdict == "mixed" else verdict in said, (claim, as_of, said)


def test_what_looks_ahead_is_neither_refuted_nor_true_before_the_article(published: Path) -> None:
    ahead = [
        (claim, known["formula"])
        for claim, doc in documents().items()
        for known in doc["definitions"]
        if "due" in known
    ]
    assert ahead
    for claim, formula in ahead:
        rows = query(
            published,
            f"""
            select distinct verdict from marts.verdicts
            where claim = '{claim}' and formula = '{formula}' and as_of <= date '2023-01-01'
            """,
        )
        assert set(rows["verdict"]) <= {"not_yet", "insufficient_data"}, formula
