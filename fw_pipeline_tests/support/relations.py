"""The column types of every relation that a model may read, and a DuckDB that holds them empty.

Raw types come from the contract, those of listings from their providers, those of the small tables from their seeds,
those of models from their documents.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fw_pipeline.contract import PROVENANCE
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import FORECASTS, MEASUREMENTS, Model, load
from fw_pipeline.transform.forecasts import COLUMNS as FORECAST_COLUMNS
from fw_pipeline.transform.model_document import read_shared
from fw_pipeline.transform.seeds import seeds

FOLDER = Path(__file__).parents[2] / "dbt_like_sql"

TYPES = {
    pl.Date: "DATE",
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.Int32: "INTEGER",
    pl.Boolean: "BOOLEAN",
    pl.Float64: "DOUBLE",
    pl.List(pl.String): "VARCHAR[]",
    pl.Datetime("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
}


def _columns(schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> str:
    return ", ".join(f'"{name}" {TYPES[kind]}' for name, kind in schema.items())


def _nested_columns(schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> str:
    """Return the columns of a listing, which may hold lists of structs, as DuckDB itself types them."""
    empty = duckdb.from_arrow(pl.DataFrame(schema=schema).to_arrow())
    return ", ".join(f'"{name}" {kind}' for name, kind in zip(empty.columns, empty.types, strict=True))


def _before_models() -> dict[str, str]:
    found = {
        f"meta.{seed.name}": _columns({name: kind for name, (kind, _) in seed.columns.items()}) for seed in seeds()
    }
    shared = read_shared(FOLDER / "claims.yml").columns
    found[MEASUREMENTS] = ", ".join(["claim VARCHAR", *(f"{name} {column.type}" for name, column in shared.items())])
    found[FORECASTS] = _columns({name: kind for name, (kind, _) in FORECAST_COLUMNS.items()})
    for source, described in SOURCES.items():
        columns = _columns({**described.table.schema, **PROVENANCE})
        found[f"raw.{source}"] = columns
        found[f"raw.{source}_unpartitioned"] = columns
        found[f"raw.{source}_vintages"] = f"{columns}, vintage TIMESTAMP WITH TIME ZONE, is_current BOOLEAN"
        for provider in described.providers.values():
            if provider.detail:
                found[f"detail.{provider.detail.name}"] = _nested_columns(provider.detail.schema)
    return found


DDL: Mapping[str, str] = _before_models()
"""The columns of every relation that exists before any model is built."""


@functools.cache
def models() -> tuple[Model, ...]:
    """Return the models of the product, read once: that takes two seconds."""
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
