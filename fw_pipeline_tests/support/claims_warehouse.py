"""The recorded figures in an in-memory DuckDB, and the claims measured on them as often as a test wants.

Fetched by the real provider and built by the real models; without vintages, orchestration and rules, which have tests
of their own.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import polars as pl

from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS, Model
from fw_pipeline.transform.claims import measurements_sql
from fw_pipeline.transform.forecasts import forecasts
from fw_pipeline.transform.seeds import seeds
from fw_pipeline_tests.support.recorded_files import NOW, Bench
from fw_pipeline_tests.support.relations import DDL, models


@functools.cache
def before_models() -> Mapping[str, pl.DataFrame]:
    """Return the rows of every relation that exists before any model is built: raw figures and small tables.

    They are read once: that takes three seconds.
    """
    with tempfile.TemporaryDirectory() as place:
        return _read(Path(place))


def _read(place: Path) -> Mapping[str, pl.DataFrame]:
    bench = Bench.at(place)
    found = {}
    for source in SOURCES:
        answer = bench.ask(source)
        assert answer.failed is None
        for name, undated in ((f"raw.{source}", False), (f"raw.{source}_unpartitioned", True)):
            parts = [batch.rows for batch in answer.batches if (batch.month is None) is undated]
            found[name] = pl.concat([SOURCES[source].table.schema.to_frame(eager=True), *parts]).with_columns(
                provider=pl.lit("recorded"), observed_at=pl.lit(NOW), evidence=pl.lit("evidence"), run_id=pl.lit("run")
            )
        found[f"raw.{source}_vintages"] = found[f"raw.{source}"].with_columns(
            vintage=pl.lit(NOW), is_current=pl.lit(value=True)
        )
        for provider in SOURCES[source].providers.values():
            if provider.detail:
                found[f"detail.{provider.detail.name}"] = pl.DataFrame(schema=provider.detail.schema)
    settings = read({"FW_DATA_DIR": str(place / "data")}, dotenv=Path("none"))
    pipeline = Pipeline(SOURCES, models(), given=settings, clock=lambda: NOW)
    return {**found, **{f"meta.{seed.name}": seed.frame(pipeline) for seed in seeds()}}


def in_memory(relations: Mapping[str, pl.DataFrame]) -> duckdb.DuckDBPyConnection:
    """Return a database with these relations, for a test to change."""
    connection = duckdb.connect(":memory:")
    connection.execute("set timezone = 'UTC'")
    for relation, rows in relations.items():
        connection.register("rows", rows)
        connection.execute(f"create schema if not exists {relation.partition('.')[0]}")
        connection.execute(f"create table {relation} ({DDL[relation]})")
        connection.execute(f"insert into {relation} by name select * from rows")
        connection.unregister("rows")
    return connection


def build(connection: duckdb.DuckDBPyConnection, known: Iterable[Model], tables: Iterable[str]) -> None:
    """Build these tables, and the models that they read."""
    models = {model.name: model for model in known}
    claims = _claims(models.values())
    wanted: set[str] = set()
    waiting = [*tables]
    while waiting:
        name = waiting.pop()
        if name == MEASUREMENTS:
            waiting += claims
        elif name == FORECASTS:
            waiting.append(FORECAST_SERIES)
        elif name in models and name not in wanted:
            wanted.add(name)
            waiting += models[name].upstream
    judged = foretold = False
    for name in (name for name in models if name in wanted):
        connection.execute(f"create schema if not exists {name.partition('.')[0]}")
        if MEASUREMENTS in models[name].upstream and not judged:
            connection.execute(f"create or replace table {MEASUREMENTS} as {measurements_sql(tuple(models.values()))}")
            judged = True
        if FORECASTS in models[name].upstream and not foretold:
            made = forecasts(connection.sql(f"from {FORECAST_SERIES}").pl())  # noqa: F841 - DuckDB finds it by its name
            connection.execute(f"create or replace table {FORECASTS} ({DDL[FORECASTS]})")
            connection.execute(f"insert into {FORECASTS} by name select * from made")
            foretold = True
        connection.execute(f"create or replace table {name} as {models[name].sql}")


def measure(connection: duckdb.DuckDBPyConnection, known: Iterable[Model], also: Iterable[str] = ()) -> pl.DataFrame:
    """Build the claims, what they read and what `also` names; return every measurement with its claim."""
    known = tuple(known)
    claims = _claims(known)
    build(connection, known, [*claims, *also])
    return measurements(connection, known)


def measurements(connection: duckdb.DuckDBPyConnection, known: Iterable[Model]) -> pl.DataFrame:
    """Return every measurement of the claims that are built, with its claim."""
    sql = measurements_sql(tuple(known))
    measured: pl.DataFrame = connection.sql(
        f"select concat_ws(', ', formula, series) as definition, * from ({sql}) order by claim, definition, as_of"
    ).pl()
    return measured


def _claims(known: Iterable[Model]) -> list[str]:
    return [model.name for model in known if model.doc.claim]
