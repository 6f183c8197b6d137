"""The column types of every relation that a model may read, and a DuckDB that holds them empty.

Raw types come from the contract, those of models from their documents; the seeds are written out here, as a reader of
the warehouse is promised them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fw_pipeline.contract import PROVENANCE, TABLES
from fw_pipeline.models import Model, load

FOLDER = Path(__file__).parents[1] / "dbt_like_sql"

TYPES = {
    pl.Date: "DATE",
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.Int32: "INTEGER",
    pl.Boolean: "BOOLEAN",
    pl.List(pl.String): "VARCHAR[]",
    pl.Datetime("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
}

SEEDS = {
    "meta.months": "month DATE",
    "meta.frameworks": "framework VARCHAR, title VARCHAR, released DATE, release_reference VARCHAR",
    "meta.packages": "package VARCHAR, framework VARCHAR, role VARCHAR, counts_in_family BOOLEAN, reason VARCHAR",
    "meta.tags": "tagged VARCHAR, framework VARCHAR, role VARCHAR",
    "meta.hub_names": "name VARCHAR, kind VARCHAR, framework VARCHAR, is_format BOOLEAN",
    "meta.paper_frameworks": "name VARCHAR, framework VARCHAR",
    "meta.populations": "source VARCHAR, population VARCHAR, is_sample BOOLEAN, what VARCHAR",
    "meta.outages": "source VARCHAR, from_month DATE, first_day DATE, last_day DATE, effect VARCHAR, reference VARCHAR",
    "meta.events": "day DATE, event VARCHAR, frameworks VARCHAR, reference VARCHAR",
    "meta.published_figures": (
        "claim VARCHAR, metric VARCHAR, as_of VARCHAR, value DOUBLE, unit VARCHAR, tolerance DOUBLE, source VARCHAR"
    ),
    "meta.claims": "claim VARCHAR, title VARCHAR, quote VARCHAR, kind VARCHAR, source_list VARCHAR[], reason VARCHAR",
    "meta.definitions": (
        "claim VARCHAR, formula VARCHAR, meaning VARCHAR, unit VARCHAR, rule VARCHAR, threshold DOUBLE, upper DOUBLE, "
        "least_n BIGINT, headline BOOLEAN"
    ),
    "meta.reach": (
        "source VARCHAR, provider VARCHAR, first_month DATE, last_month DATE, before VARCHAR, after VARCHAR, "
        "needs VARCHAR"
    ),
    "meta.statements": (
        'source VARCHAR, month DATE, provider VARCHAR, "at" TIMESTAMP WITH TIME ZONE, status VARCHAR, cause VARCHAR, '
        "remedy VARCHAR"
    ),
    "meta.measurements": "claim VARCHAR, definition VARCHAR, as_of DATE, value DOUBLE, n BIGINT, detail VARCHAR",
}


def _raw() -> dict[str, str]:
    found = {}
    for source, table in TABLES.items():
        columns = ", ".join(f"{name} {TYPES[kind]}" for name, kind in {**table.schema, **PROVENANCE}.items())
        found[f"raw.{source}"] = columns
        found[f"raw.{source}_unpartitioned"] = columns
        found[f"raw.{source}_vintages"] = f"{columns}, vintage TIMESTAMP WITH TIME ZONE, is_current BOOLEAN"
    return found


DDL: Mapping[str, str] = {**SEEDS, **_raw()}
"""The columns of every relation that exists before any model is built."""


def models() -> tuple[Model, ...]:
    """Return the models of the product."""
    return load(FOLDER, frozenset(DDL))


def empty_warehouse(relations: Iterable[str], known: Iterable[Model] = ()) -> duckdb.DuckDBPyConnection:
    """Return an in-memory DuckDB with these relations, empty: seeds and raw tables, and models by their documents."""
    documented = {
        model.name: ", ".join(f'"{name}" {column.type}' for name, column in model.doc.columns.items())
        for model in known
    }
    connection = duckdb.connect(":memory:")
    connection.execute("set timezone = 'UTC'")
    for relation in relations:
        connection.execute(f"create schema if not exists {relation.partition('.')[0]}")
        connection.execute(f"create table {relation} ({({**DDL, **documented})[relation]})")
    return connection


def insert(connection: duckdb.DuckDBPyConnection, relation: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows into a relation; a column that a row leaves out is NULL."""
    for row in rows:
        columns = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {relation} ({columns}) values ({marks})", list(row.values()))
