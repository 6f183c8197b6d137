"""The rows that are shown as evidence of a value are enough for it: with nothing else there, it comes out the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl
import pytest

from fw_pipeline.cli.explanation import evidence_sql
from fw_pipeline.transform import Model
from fw_pipeline_tests.support.claims_warehouse import before_models, build, in_memory
from fw_pipeline_tests.support.relations import models

CUT = date(2023, 1, 1)
CLAIMS = ("C2", "C3", "C4", "C6", "C8", "C14", "C18", "C21", "C25", "C26")


@pytest.fixture(scope="module")
def known() -> tuple[Model, ...]:
    return models()


@pytest.fixture(scope="module")
def figures() -> Mapping[str, pl.DataFrame]:
    return before_models()


@pytest.fixture(scope="module")
def whole(figures: Mapping[str, pl.DataFrame], known: tuple[Model, ...]) -> duckdb.DuckDBPyConnection:
    connection = in_memory(figures)
    build(connection, known, ["marts.verdicts", "marts.evidence"])
    return connection


def shown(whole: duckdb.DuckDBPyConnection, claim: str) -> list[str]:
    """The query for the evidence of every definition of a claim that has a value for the month."""
    conditions = dict(
        whole.execute("select source, condition from meta.claim_evidence where claim = ?", [claim]).fetchall()
    )
    verdicts = whole.sql("from marts.verdicts where claim = $1 and as_of = $2", params=[claim, CUT]).pl()
    return [evidence_sql(verdict, conditions) for verdict in verdicts.to_dicts()]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_value_needs_no_other_rows_than_those_that_are_shown(
    claim: str, whole: duckdb.DuckDBPyConnection, figures: Mapping[str, pl.DataFrame], known: tuple[Model, ...]
) -> None:
    rows = pl.concat([whole.sql(sql).pl() for sql in shown(whole, claim)]).unique()
    connection = in_memory(figures)
    connection.register("shown", rows.select("source", "series", "month", "key").to_arrow())
    connection.execute("""
        delete from raw.stackoverflow as figures where not exists (
            from shown where source = 'stackoverflow' and shown.month = figures.month and key = figures.tagged);
        delete from raw.pypi as figures where not exists (
            from shown where source = 'pypi' and shown.month = figures.month and key = figures.package
            and series = figures.origin || ', ' || figures.installers);
        delete from raw.papers as figures where not exists (
            from shown where source = 'papers' and shown.month = figures.month and series = figures.population)
    """)
    (table,) = [model.name for model in known if model.doc.claim and model.doc.claim.id == claim]
    build(connection, known, [table])
    select = f"""
        select formula, series, round(value, 9), n from {table}
        where as_of = date '{CUT}' and value is not null order by all
    """
    before, after = whole.execute(select).fetchall(), connection.execute(select).fetchall()
    assert before
    assert after == before
