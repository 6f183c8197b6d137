"""The claims: every one is there, says what it means, measures only what its document names, and never looks ahead."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform import MEASUREMENTS, Model
from fw_pipeline.transform.claims import build_steps, claim_rows, definition_rows, measurements_sql
from fw_pipeline.transform.seeds import seeds
from fw_pipeline_tests.support.claims_warehouse import before_models, in_memory, measure, measurements
from fw_pipeline_tests.support.relations import models

CUTS = [date(2019, 3, 1), date(2021, 1, 1), date(2022, 6, 1), date(2023, 1, 1), date(2024, 3, 1), date(2025, 3, 1)]

_BY_MONTH = {"stackoverflow": ("questions",), "pypi": ("downloads",), "papers": ("papers", "repositories")}
_WHEN_SEEN = ("coalesce(observed_on, observed_at::date)", ("models", "downloads_30d", "likes"))
LATER = {
    **{
        f"raw.{source}{suffix}": ("month", figures)
        for source, figures in _BY_MONTH.items()
        for suffix in ("", "_vintages")
    },
    **{f"raw.huggingface{suffix}": _WHEN_SEEN for suffix in ("", "_vintages", "_unpartitioned")},
    # Pairs of tags are a series by month, as the raw figures; listings of single tags are compared as of their day.
    "meta.question_listings": ("if(contains(tagged, ';'), month, observed_on)", ("questions",)),
    "meta.question_totals": ("observed_on", ("questions",)),
    "meta.question_losses": ("observed_on", ("loss",)),
    "meta.bounds": ("coalesce(month, observed_on)", ("value",)),
}
"""The figures of each table that holds some, and the day from which they can be known."""

OF_OTHERS = {"stackoverflow": ("meta.question_listings", "meta.question_totals"), "pypi": ("meta.bounds",)}
"""The small tables with figures of a source that others counted."""

JUDGED = ("marts.verdicts", "marts.headline_verdicts")


@pytest.fixture(scope="module")
def known() -> tuple[Model, ...]:
    return models()


@pytest.fixture(scope="module")
def figures() -> Mapping[str, pl.DataFrame]:
    return before_models()


@pytest.fixture(scope="module")
def as_they_are(figures: Mapping[str, pl.DataFrame], known: tuple[Model, ...]) -> duckdb.DuckDBPyConnection:
    connection = in_memory(figures)
    measure(connection, known, also=JUDGED)
    return connection


@pytest.fixture(scope="module")
def measured(as_they_are: duckdb.DuckDBPyConnection, known: tuple[Model, ...]) -> pl.DataFrame:
    return measurements(as_they_are, known)


def until(frame: pl.DataFrame, cut: date) -> pl.DataFrame:
    return frame.filter(pl.col("as_of") <= cut)


def judged(connection: duckdb.DuckDBPyConnection, cut: date) -> dict[str, pl.DataFrame]:
    """Return every column of the verdicts and the headlines up to a month."""
    return {table: connection.sql(f"from {table} where as_of <= date '{cut}' order by all").pl() for table in JUDGED}


def move(connection: duckdb.DuckDBPyConnection, cut: date) -> None:
    """Change every figure that could not be known at the end of the month `cut`."""
    for relation, (known_from, figures) in LATER.items():
        changed = ", ".join(f"{figure} = 7 + {figure} * 3 + hash(rowid) % 1000" for figure in figures)
        connection.execute(f"update {relation} set {changed} where {known_from} >= ?::date + interval 1 month", [cut])


def forget(connection: duckdb.DuckDBPyConnection, cut: date) -> None:
    """Remove every figure that could not be known at the end of the month `cut`."""
    for relation, (known_from, _) in LATER.items():
        connection.execute(f"delete from {relation} where {known_from} >= ?::date + interval 1 month", [cut])


def test_every_claim_of_the_article_is_there_in_its_order(known: tuple[Model, ...]) -> None:
    rows = claim_rows(reversed(known))
    assert [row["claim"] for row in rows] == [f"C{number}" for number in range(1, 27)]
    assert {row["claim"] for row in rows if row["kind"] == "not_measurable"} == {"C7", "C10"}
    assert all(row["reason"] for row in rows if row["kind"] == "not_measurable")


def test_every_measured_claim_has_a_headline_and_a_number_that_decides(known: tuple[Model, ...]) -> None:
    rows = definition_rows(known)
    measured_claims = {row["claim"] for row in claim_rows(known) if row["kind"] == "measured"}
    assert {row["claim"] for row in rows if row["headline"]} == measured_claims
    assert all(row["least_n"] >= 1 for row in rows)


def test_a_file_and_its_claim_that_disagree_are_refused(known: tuple[Model, ...]) -> None:
    claims = {model.doc.claim.id: model for model in known if model.doc.claim}
    assert claims["C3"].doc.claim
    wrong = dataclasses.replace(claims["C2"], doc=dataclasses.replace(claims["C2"].doc, claim=claims["C3"].doc.claim))
    with pytest.raises(PipelineError, match=r"claims\.c02_\w+: the document says claim C3"):
        claim_rows([wrong])


@pytest.mark.parametrize(("number", "table"), [("X2", "c02_x"), ("C2", "twice"), ("C02", "c02_x")])
def test_a_claim_or_a_file_without_a_number_is_refused(known: tuple[Model, ...], number: str, table: str) -> None:
    good = next(model for model in known if model.doc.claim)
    assert good.doc.claim
    doc = dataclasses.replace(good.doc, claim=good.doc.claim.model_copy(update={"id": number}))
    with pytest.raises(PipelineError, match=f"the document says claim {number}, the file says {table}"):
        claim_rows([dataclasses.replace(good, table=table, doc=doc)])


def test_measurements_are_built_after_every_claim_and_before_what_judges_them(known: tuple[Model, ...]) -> None:
    steps = build_steps(known)
    names = [name for name, _ in steps]
    at = names.index(MEASUREMENTS)
    assert {name for name in names if name.startswith("claims.")} <= set(names[:at])
    assert [name for name in names if name != MEASUREMENTS] == [model.name for model in known]
    assert {model.name for model in known if MEASUREMENTS in model.upstream} <= set(names[at:])
    assert dict(steps)[MEASUREMENTS] == measurements_sql(known)
    alone = [model for model in known if MEASUREMENTS not in model.upstream]
    assert build_steps(alone)[-1][0] == MEASUREMENTS


def test_rows_of_claims_have_the_columns_of_their_small_tables(known: tuple[Model, ...]) -> None:
    columns = {seed.name: set(seed.columns) for seed in seeds()}
    assert {frozenset(row) for row in claim_rows(known)} == {frozenset(columns["claims"])}
    assert {frozenset(row) for row in definition_rows(known)} == {frozenset(columns["definitions"])}


def test_two_files_of_one_claim_are_refused(known: tuple[Model, ...]) -> None:
    claim = next(model for model in known if model.doc.claim)
    with pytest.raises(PipelineError, match="has two files; keep one"):
        definition_rows([claim, claim])


def test_only_formulas_of_the_documents_are_measured(known: tuple[Model, ...], measured: pl.DataFrame) -> None:
    documented = {(row["claim"], row["formula"]) for row in definition_rows(known)}
    assert set(measured.select("claim", "formula").rows()) <= documented


@pytest.mark.parametrize("lost", ["stackoverflow", "huggingface", "papers", "pypi"])
def test_a_formula_is_measured_or_says_that_nothing_was_when_a_source_is_lost(
    known: tuple[Model, ...], figures: Mapping[str, pl.DataFrame], lost: str
) -> None:
    connection = in_memory(figures)
    for relation in figures:
        if relation.startswith(f"raw.{lost}"):
            connection.execute(f"delete from {relation}")
    for relation in OF_OTHERS.get(lost, ()):
        connection.execute(f"delete from {relation}")
    found = measure(connection, known, also=JUDGED)
    assert found.filter(source=lost).is_empty()
    said = connection.sql("select claim, formula, verdict, cannot_decide from marts.verdicts where series is null").pl()
    measured_still = set(found.select("claim", "formula").rows())
    documented = {(row["claim"], row["formula"]) for row in definition_rows(known)}
    unmeasured = said.filter(pl.col("cannot_decide").str.starts_with("no figures for: "))
    assert set(unmeasured.select("claim", "formula").rows()) == documented - measured_still
    assert set(unmeasured["verdict"]) == {"insufficient_data"}


@pytest.mark.parametrize(
    ("year", "claims"),
    [(2022, ["C1", "C18", "C2", "C21", "C26", "C3", "C4", "C6", "C8"]), (2021, ["C18", "C26", "C4", "C8"])],
)
def test_a_year_counts_as_long_as_eight_of_its_months_have_a_figure(
    known: tuple[Model, ...], figures: Mapping[str, pl.DataFrame], year: int, claims: list[str]
) -> None:
    def measured_without(months: int) -> set[tuple[str, str]]:
        connection = in_memory(figures)
        for relation in figures:
            if relation.startswith(("raw.stackoverflow", "raw.pypi")):
                connection.execute(
                    f"delete from {relation} where year(month) = ? and month(month) <= ?", [year, months]
                )
        december = measure(connection, known).filter(as_of=date(2022, 12, 1))
        return set(december.drop_nulls("value").select("claim", "definition").rows())

    whole = measured_without(0)
    assert measured_without(4) == whole
    assert sorted({claim for claim, _ in whole - measured_without(5)}) == claims


def test_what_is_missing_is_null_with_a_reason(measured: pl.DataFrame) -> None:
    for row in measured.iter_rows(named=True):
        assert row["value"] is not None or row["cannot_decide"], row
        assert row["n"] is not None, row


def test_a_sample_says_of_what_it_is_one(measured: pl.DataFrame) -> None:
    samples = "1000 most downloaded|recent and trending|papers with code sample"
    rows = measured.filter(pl.col("definition").str.contains(samples))
    assert rows.height > 1000
    assert all("sample" in why for why in rows["cannot_decide"])


def test_only_windows_with_an_interpolated_figure_show_what_is_left_without_it(measured: pl.DataFrame) -> None:
    rows = measured.filter((pl.col("claim") == "C2") & pl.col("value").ne_missing(pl.col("exact_value")))
    months = {
        definition: rows.filter(pl.col("definition") == f"{definition}, recorded")["as_of"]
        .dt.strftime("%Y-%m")
        .to_list()
        for definition in ("questions in the month", "questions over 3 months")
    }
    assert months == {
        "questions in the month": ["2018-10", "2019-03", "2022-06"],
        "questions over 3 months": [
            *("2018-10", "2018-11", "2018-12", "2019-03", "2019-04", "2019-05", "2022-06", "2022-07", "2022-08"),
        ],
    }


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_no_claim_verdict_or_headline_changes_when_every_later_figure_moves(
    figures: Mapping[str, pl.DataFrame],
    known: tuple[Model, ...],
    measured: pl.DataFrame,
    as_they_are: duckdb.DuckDBPyConnection,
    cut: date,
) -> None:
    connection = in_memory(figures)
    move(connection, cut)
    moved = measure(connection, known, also=JUDGED)
    before, after = judged(as_they_are, cut), judged(connection, cut)
    for table in JUDGED:
        assert before[table].height > 0
        assert_frame_equal(before[table], after[table], check_exact=True)
    assert_frame_equal(until(measured, cut), until(moved, cut), check_exact=True)
    changed = measured.join(moved, on=["claim", "definition", "as_of", "value"], how="anti", nulls_equal=True)
    assert changed.filter(pl.col("as_of") > cut).height > 0


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_no_value_changes_when_nothing_later_was_ever_counted(
    figures: Mapping[str, pl.DataFrame], known: tuple[Model, ...], measured: pl.DataFrame, cut: date
) -> None:
    connection = in_memory(figures)
    forget(connection, cut)
    then = until(measure(connection, known), cut).filter(pl.col("value").is_not_null())
    now = until(measured, cut).filter(pl.col("value").is_not_null())
    same = ["claim", "definition", "as_of", "value", "n"]
    assert then.join(now, on=same, how="anti").is_empty()
    # Venues meet in some months only: until the next one has met, nobody knows that the series goes on.
    assert set(now.join(then, on=same, how="anti")["definition"].str.extract("([^,]*)$", 1)) <= {" nine venues"}


def test_the_ratio_of_questions_was_two_in_june_2022_and_no_longer_when_the_article_came(
    as_they_are: duckdb.DuckDBPyConnection,
) -> None:
    connection = as_they_are
    verdicts = connection.execute("""
        select strftime(as_of, '%Y-%m'), round(value, 2), verdict from marts.verdicts
        where claim = 'C2' and formula = 'questions in the month'
        and as_of in ('2022-06-01', '2023-01-01', '2023-05-01') order by as_of
    """).fetchall()
    assert verdicts == [("2022-06", 1.90, "supported"), ("2023-01", 1.33, "refuted"), ("2023-05", 1.02, "refuted")]
    headlines = connection.execute("""
        select strftime(as_of, '%Y-%m'), verdict from marts.headline_verdicts
        where claim = 'C2' and as_of in ('2022-06-01', '2023-01-01') order by as_of
    """).fetchall()
    assert headlines == [("2022-06", "supported"), ("2023-01", "refuted")]
