"""`verdicts --claim X --explain`: what decides, the rows that a value was made from, and the files that hold them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from fw_pipeline.cli.explanation import evidence_sql
from fw_pipeline_tests.support.command import called

CLAIMS = [f"C{number}" for number in range(1, 27)]


def told(data: Path, claim: str, *arguments: str) -> dict[str, Any]:
    done = called(data, "verdicts", "--claim", claim, "--explain", "--format", "json", *arguments)
    assert done.status == 0, done.err
    record: dict[str, Any] = json.loads(done.out)
    return record


def test_the_ratio_of_c2_is_that_of_the_two_rows_shown(recorded_once: Path) -> None:
    record = told(recorded_once, "c2", "--as-of", "2023-01")
    assert record["quote"].startswith("almost twice as many questions")
    assert record["headline"]["verdict"] == "refuted"
    (month,) = [one for one in record["definitions"] if one["formula"] == "questions in the month"]
    rows = {row["key"]: row for row in month["evidence"]}
    assert month["value"] == pytest.approx(rows["tensorflow"]["value"] / rows["pytorch"]["value"])
    assert rows["tensorflow"]["value"] == 739
    assert rows["tensorflow"]["observed_on"] == "2023-02-01"
    assert (month["threshold"], month["upper"], month["n"], month["counts"]) == (1.75, 2.25, 1294, True)
    assert all(file["present"] for file in month["files"])
    (year,) = [one for one in record["definitions"] if one["formula"] == "questions over 12 months"]
    assert {row["month"] for row in year["evidence"]} == {str(date(2022, m, 1)) for m in range(2, 13)} | {"2023-01-01"}


def test_a_reader_sees_quote_numbers_rows_and_the_file_and_that_it_is_there(recorded_once: Path) -> None:
    done = called(recorded_once, "verdicts", "--claim", "C14", "--explain", "--as-of", "2023-01")
    assert done.status == 0, done.err
    for words in (
        '"three of the four research papers use PyTorch"',
        "judged by  ",
        "mixed where they disagree",
        "2023-01    supported by figures of 2021-10; 1 of 1 source",
        "in short   Supported: PyTorch has 84.0 percent of papers naming one of the two in the year",
        "of papers naming one of the two in the year, nine venues [headline] as of 2022-05",
        "value      0.839877 share",
        "threshold  at least 0.7083 share. Above 17 in 24",
        "n          1,299; it takes 400 to decide",
        "2022-05  pytorch, ICLR: 1,091 papers",
        "Chillee/pytorch-vs-tensorflow",
    ):
        assert words in done.out, words
    files = re.findall(r"file +(\S+) \(there\)", done.out)
    assert files
    assert all(Path(file).is_file() for file in files)
    assert "MISSING" not in done.out


def test_the_query_that_is_shown_gives_the_rows(recorded_once: Path) -> None:
    record = told(recorded_once, "C6", "--as-of", "2023-01")
    one = record["definitions"][0]
    assert one["evidence"]
    asked = called(recorded_once, "sql", one["sql"], "--format", "json")
    assert json.loads(asked.out) == one["evidence"]


def test_a_file_of_evidence_that_is_gone_is_said_to_be_missing(recorded: Path) -> None:
    shutil.rmtree(recorded / "evidence" / "pypi")
    done = called(recorded, "verdicts", "--claim", "C25", "--explain")
    assert re.search(r"/pypi/\S+ \(MISSING\)", done.out)
    assert re.search(r"/stackoverflow/\S+ \(there\)", done.out)


@pytest.mark.parametrize(("until", "measured"), [(date(2019, 6, 1), 16), (date.max, 24)], ids=["2019-06", "now"])
def test_every_value_of_every_claim_has_its_rows_and_nothing_later(
    recorded_once: Path, until: date, measured: int
) -> None:
    with duckdb.connect(str(recorded_once / "warehouse.duckdb"), read_only=True) as connection:

        def asked(sql: str) -> pl.DataFrame:
            return pl.DataFrame(connection.sql(sql).pl())

        headlines = asked(f"select distinct claim from marts.headline_verdicts where as_of <= date '{until}'")
        assert set(headlines["claim"]) == set(CLAIMS)
        conditions: dict[str, dict[str, str]] = {}
        for claim, source, condition in asked("from meta.claim_evidence").rows():
            conditions.setdefault(claim, {})[source] = condition
        newest = f"""
            from marts.verdicts where value is not null and as_of <= date '{until}'
            qualify row_number() over (partition by claim, definition order by as_of desc) = 1
        """
        verdicts = asked(newest).to_dicts()
        assert len({verdict["claim"] for verdict in verdicts}) >= measured
        for verdict in verdicts:
            sql = evidence_sql(verdict, conditions[verdict["claim"]])
            rows = asked(sql)
            assert rows["value"].drop_nulls().len() > 0, verdict["definition"]
            assert rows.filter(pl.col("known_from") > verdict["as_of"]).is_empty(), sql
            traced = rows.filter(pl.col("value").is_not_null())
            if verdict["claim"] not in {"C5", "C9"}:
                assert traced["evidence"].null_count() == 0
            assert traced["origin"].null_count() == 0 or verdict["claim"] == "C15"


def test_csv_has_a_row_for_each_row_of_evidence(recorded_once: Path) -> None:
    done = called(recorded_once, "verdicts", "--claim", "C15", "--explain", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    moved = [row for row in rows if row["definition"] == "moved to pytorch alone, recorded"]
    assert {row["key"]: row["value"] for row in moved if row["key"].startswith("tensorflow")} == {
        "tensorflow in 2018, later both": "75.0",
        "tensorflow in 2018, later pytorch": "120.0",
        "tensorflow in 2018, later tensorflow": "177.0",
    }
    assert {row["evidence"] for row in moved} == {"recorded/author_cohorts.csv"}


def test_a_claim_that_nobody_can_measure_says_why(recorded_once: Path) -> None:
    done = called(recorded_once, "verdicts", "--claim", "C7", "--explain")
    assert "not measurable; no source can tell" in done.out
    assert "reason     None of the four sources" in done.out


def test_explain_without_a_claim_or_with_an_unknown_one_is_told_so(recorded_once: Path) -> None:
    done = called(recorded_once, "verdicts", "--explain")
    assert done.status == 2
    assert "--explain goes with --claim" in done.err
    done = called(recorded_once, "verdicts", "--claim", "C99", "--explain")
    assert done.status == 1
    assert done.complaints == ["fw-pipeline: claim 'C99': no such claim; choose one of " + ", ".join(CLAIMS)]
