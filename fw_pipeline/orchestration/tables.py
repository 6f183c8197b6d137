"""The tables that are made of other tables: what each reads, and how it is made; in an order that works.

The assets make them one by one; publishing makes again those that are older than what they read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from fw_pipeline.claims import measurement_columns, measurements_sql
from fw_pipeline.models import FORECAST_SERIES, FORECASTS, MEASUREMENTS, Model
from fw_pipeline.orchestration.columns import relation_key
from fw_pipeline.orchestration.forecasting import make_forecasts
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.seeds import SEEDS
from fw_pipeline.warehouse import Built, Writer


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is made of others."""

    relation: str
    reads: tuple[str, ...]
    """The relations whose later build makes this one old."""
    make: Callable[[Writer, Pipeline], Built]


def tables(pipeline: Pipeline) -> tuple[Table, ...]:
    """Return every table that a fetch or another table changes, each after what it reads."""
    raw = tuple(f"raw.{source}" for source in pipeline.sources)
    seeds = [Table(f"meta.{seed.name}", raw, seed.make) for seed in SEEDS if seed.after_fetch]
    models = [_table(model) for model in pipeline.models]
    claims = tuple(model.name for model in pipeline.models if model.doc.claim)
    union = Table(MEASUREMENTS, claims, lambda writer, _: build_measurements(writer, pipeline.models))
    forecasts = Table(FORECASTS, (FORECAST_SERIES,), lambda writer, _: make_forecasts(writer))
    by_name = {table.relation: table for table in (*seeds, *models, union, forecasts)}
    order = TopologicalSorter({name: table.reads for name, table in by_name.items()}).static_order()
    return tuple(by_name[name] for name in order if name in by_name)


def _table(model: Model) -> Table:
    reads = tuple(sorted({".".join(relation_key(relation)) for relation in model.upstream}))
    return Table(model.name, reads, lambda writer, _: build_model(writer, model))


def build_model(writer: Writer, model: Model) -> Built:
    """Make the table of a model."""
    description = f"{model.doc.description} One row for: {', '.join(model.doc.grain)}."
    words = {name: column.comment for name, column in model.doc.columns.items()}
    return writer.build(model.name, model.sql, description=description, columns=words)


def build_measurements(writer: Writer, models: Sequence[Model]) -> Built:
    """Put the rows of all claims into one table, so that a new claim needs no other change."""
    words = {name: column.comment for name, column in measurement_columns(models).items()}
    sql = measurements_sql(models)
    return writer.build(MEASUREMENTS, sql, description="Every measurement of every claim.", columns=words)
