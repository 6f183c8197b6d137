"""The tables that the build makes: what each reads, how it is made, and which rules it keeps; in dependency order.

The build makes them in this order, but keeps those that would come out the same; so does publishing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from graphlib import TopologicalSorter

from fw_pipeline import quality
from fw_pipeline.orchestration.asset_metadata import SEVERAL, Place, places, relation_key
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.quality import Expectation
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS, Column, Model, forecasts, lineage
from fw_pipeline.transform.claims import measurement_columns, measurements_sql
from fw_pipeline.transform.seeds import Seed, seeds
from fw_pipeline.warehouse import Built, Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that the build makes."""

    relation: str
    reads: tuple[str, ...]
    """The assets that it is made from."""
    inputs: tuple[str, ...]
    """The relations whose rows decide its own."""
    make: Callable[[Writer, Pipeline], Built]
    rules: tuple[Expectation, ...]
    description: str
    """What the UI says it is."""
    columns: Mapping[str, tuple[str, str]]
    """Type and meaning by column."""
    place: Place
    sql: str | None = None
    """The SQL that makes it; None where Python does."""
    lineage: Callable[[], Mapping[str, tuple[tuple[str, str], ...]]] = dict
    """Finds the relations and columns that each column is made from; nothing where that is not known."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """Comment by column, where it says more than the meaning."""
    is_small: bool = False
    """Whether making it costs less than finding out whether it would come out the same: it is always made."""

    def renew(self, writer: Writer, pipeline: Pipeline) -> Built | None:
        """Make it, unless it was made from exactly what it would be made from now; return None where it was.

        Raises:
            PipelineError: it cannot be made; the line says why.
        """
        said = (self.relation, self.sql, self.description, dict(self.columns), dict(self.comments))
        mark = writer.mark(json.dumps(said), self.inputs)
        if not self.is_small and writer.made_from(self.relation) == mark:
            return None
        built = self.make(writer, pipeline)
        writer.note_made_from(self.relation, mark)
        return built


def all_tables(sources: Mapping[str, object], models: tuple[Model, ...]) -> tuple[Table, ...]:
    """Return every table that the build makes, each after what it reads."""
    place = places(models)
    raw = tuple(f"raw.{source}" for source in sources)
    found = [
        *(_seed(seed, raw) for seed in seeds()),
        *(_model(model, models, place[model.name]) for model in models),
        _measurements(models, place[MEASUREMENTS]),
        _forecasts(place[FORECASTS]),
    ]
    by_name = {table.relation: table for table in found}
    order = TopologicalSorter({name: table.reads for name, table in by_name.items()}).static_order()
    return tuple(by_name[name] for name in order if name in by_name)


CHARTED = "Its chart, if it has one, is under [Events](?view=events): the latest that is *Observed*."
"""The overview of an asset shows what its materialisation says, and the chart is drawn after that, by the report."""


def _seed(seed: Seed, raw: tuple[str, ...]) -> Table:
    """Return a small table of `meta`; those that a fetch changes are read from every source."""
    rules = () if seed.may_be_empty else quality.implied((), tuple(seed.columns), nullable=tuple(seed.columns))
    return Table(
        relation=f"meta.{seed.name}",
        reads=raw if seed.after_fetch else (),
        inputs=(),
        is_small=True,
        make=seed.make,
        rules=rules,
        description=seed.description,
        columns={name: (str(kind), words) for name, (kind, words) in seed.columns.items()},
        place=Place("meta", {"source": SEVERAL} if seed.after_fetch else {}, frozenset()),
    )


def _model(model: Model, models: tuple[Model, ...], place: Place) -> Table:
    doc = model.doc
    claim = f"\n\n> {doc.claim.quote}" if doc.claim else ""
    charted = f"\n\n{CHARTED}" if model.schema in ("claims", "marts") else ""
    return Table(
        relation=model.name,
        reads=tuple(sorted({".".join(relation_key(relation)) for relation in model.upstream})),
        inputs=model.upstream,
        make=lambda writer, _: _build_model(writer, model),
        rules=_rules_of(model),
        description=f"{doc.description}\n\nOne row for: {', '.join(doc.grain)}.{claim}{charted}",
        columns={name: (column.type, column.description) for name, column in doc.columns.items()},
        place=place,
        comments=_comments(model.doc.columns),
        sql=model.sql,
        lineage=partial(lineage, model, models),
    )


def _rules_of(model: Model) -> tuple[Expectation, ...]:
    """Return the rules that a model's document implies, and those that it declares."""
    doc = model.doc
    implied = quality.implied(
        doc.grain,
        tuple(doc.columns),
        nullable=[name for name, column in doc.columns.items() if column.nullable],
        types={name: column.type for name, column in doc.columns.items()},
        values={name: column.values for name, column in doc.columns.items() if column.values is not None},
        may_be_empty=doc.may_be_empty is not None,
    )
    found = (*implied, *quality.declared(doc.expectations, columns=tuple(doc.columns), subject=model.name))
    return tuple(replace(rule, holds_on_none=doc.may_be_empty is not None) for rule in found)


def _build_model(writer: Writer, model: Model) -> Built:
    description = f"{model.doc.description} One row for: {', '.join(model.doc.grain)}."
    return writer.build(model.name, model.sql, description=description, columns=_comments(model.doc.columns))


def _comments(columns: Mapping[str, Column]) -> dict[str, str]:
    return {name: column.comment for name, column in columns.items()}


def _measurements(models: tuple[Model, ...], place: Place) -> Table:
    """Return the table with the rows of all claims, so that a new claim needs no other change."""
    sql, columns = measurements_sql(models), measurement_columns(models)
    words = _comments(columns)
    description = "Every measurement of every claim"
    read = tuple(model.name for model in models if model.doc.claim)
    return Table(
        relation=MEASUREMENTS,
        reads=read,
        inputs=read,
        make=lambda writer, _: writer.build(MEASUREMENTS, sql, description=f"{description}.", columns=words),
        rules=(),
        description=f"{description}, before it is judged.",
        columns={name: (column.type, column.description) for name, column in columns.items()},
        comments=words,
        place=place,
        sql=sql,
    )


FORECAST = "Forecasts of the series of C8, C20 and C25, as of each quarter, made with nothing later."
NULLABLE = ("horizon", "forecast", "low", "high", "errors_known", "reason")


def _forecasts(place: Place) -> Table:
    """Return the one table between two models that SQL cannot make."""
    kinds = dict.fromkeys(("forecast", "low", "high"), "DOUBLE")
    grain = (*forecasts.KEY, "made_as_of", "horizon")
    return Table(
        relation=FORECASTS,
        reads=(FORECAST_SERIES,),
        inputs=(FORECAST_SERIES,),
        make=lambda writer, _: _forecast(writer),
        rules=quality.implied(grain, tuple(forecasts.COLUMNS), nullable=NULLABLE, types=kinds),
        description=f"{FORECAST}\n\nBy exponential smoothing with a damped trend, on logarithms (statsmodels).",
        columns={name: (str(kind), words) for name, (kind, words) in forecasts.COLUMNS.items()},
        place=place,
    )


def _forecast(writer: Writer) -> Built:
    series = writer.frame(f"from {FORECAST_SERIES} order by all")
    words = {name: meaning for name, (_, meaning) in forecasts.COLUMNS.items()}
    return writer.seed(FORECASTS, forecasts.forecasts(series), description=FORECAST, columns=words)
