"""One asset a SQL model and one a small table: upstream is what the SQL reads, words and columns are its yml's."""

import json
import time
from collections.abc import Iterable
from typing import Any

import polars as pl
from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from fw_pipeline.contract import Reason
from fw_pipeline.models import MEASUREMENTS, Model, lineage
from fw_pipeline.orchestration.columns import column_lineage, column_schema, relation_key
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.places import SEVERAL, Place
from fw_pipeline.orchestration.raw_assets import failed
from fw_pipeline.orchestration.seeds import Seed
from fw_pipeline.orchestration.tables import build_measurements, build_model
from fw_pipeline.plain import in_markdown
from fw_pipeline.warehouse import Built, Writer

PREVIEW_ROWS = 10

CHARTED = "Its chart, if it has one, is under [Events](?view=events): the latest that is *Observed*."
"""The overview of an asset shows what its materialisation says, and the chart is drawn after that, by the report."""


def model_asset(model: Model, models: tuple[Model, ...], place: Place) -> AssetsDefinition:
    """Return the asset that builds a model; its key is its path."""
    doc = model.doc
    words = {name: (column.type, column.description) for name, column in doc.columns.items()}
    upstream = sorted({tuple(relation_key(relation)) for relation in model.upstream})
    claim = f"\n\n> {doc.claim.quote}" if doc.claim else ""
    charted = f"\n\n{CHARTED}" if model.schema in ("claims", "marts") else ""

    @asset(
        key=[model.schema, model.table],
        deps=[list(parts) for parts in upstream],
        group_name=place.group,
        kinds={"sql", "duckdb"},
        owners=["team:fw_pipeline"],
        tags=place.tags,
        description=f"{doc.description}\n\nOne row for: {', '.join(doc.grain)}.{claim}{charted}",
        metadata={
            "dagster/column_schema": column_schema(words),
            "dagster/table_name": model.name,
            "sql": MetadataValue.md(f"```sql\n{model.sql}\n```"),
        },
    )
    def build(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        began = time.monotonic()
        try:
            with pipeline.writing() as writer:
                built = build_model(writer, model)
                preview = _preview(writer, model.name)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("build", model.name)
        context.log.info("%s: %s rows in %.2f s", model.name, built.rows, time.monotonic() - began)
        return MaterializeResult(
            metadata={
                **_made(built, preview),
                "dagster/column_lineage": column_lineage(lineage(model, models)),
            }
        )

    return build


def seed_asset(seed: Seed, sources: Iterable[str]) -> AssetsDefinition:
    """Return the asset that makes a small table of `meta`; those that a fetch changes hang on every source."""
    relation = f"meta.{seed.name}"

    @asset(
        key=["meta", seed.name],
        deps=[["raw", source] for source in sources] if seed.after_fetch else [],
        group_name="meta",
        kinds={"python", "duckdb"},
        owners=["team:fw_pipeline"],
        tags={"source": SEVERAL} if seed.after_fetch else {},
        description=seed.description,
        metadata={
            "dagster/column_schema": column_schema({n: (str(k), words) for n, (k, words) in seed.columns.items()}),
            "dagster/table_name": relation,
        },
    )
    def build(pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        try:
            with pipeline.writing() as writer:
                built = seed.make(writer, pipeline)
                preview = _preview(writer, relation)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("build", relation)
        return MaterializeResult(metadata=_made(built, preview))

    return build


def measurements_asset(models: tuple[Model, ...], place: Place) -> AssetsDefinition:
    """Return the asset that puts the rows of all claims into one table, so that a new claim needs no other change."""
    claims = [model for model in models if model.doc.claim is not None]

    @asset(
        key=relation_key(MEASUREMENTS),
        deps=[[model.schema, model.table] for model in claims],
        group_name=place.group,
        kinds={"sql", "duckdb"},
        owners=["team:fw_pipeline"],
        tags=place.tags,
        description="Every measurement of every claim, before it is judged.",
        metadata={"dagster/table_name": MEASUREMENTS},
    )
    def build(pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        try:
            with pipeline.writing() as writer:
                built = build_measurements(writer, models)
                preview = _preview(writer, MEASUREMENTS)
        except Reason as reason:
            raise failed([reason]) from None
        pipeline.progress("build", MEASUREMENTS)
        return MaterializeResult(metadata=_made(built, preview))

    return build


def _preview(writer: Writer, relation: str) -> pl.DataFrame:
    return writer.frame(f"from {relation} limit {PREVIEW_ROWS}")


def _made(built: Built, preview: pl.DataFrame) -> dict[str, Any]:
    return {"dagster/row_count": built.rows, "preview": MetadataValue.md(as_markdown(preview))}


def as_markdown(frame: pl.DataFrame) -> str:
    """Return a small frame as a Markdown table whose cells cannot be taken for markup."""

    def cell(value: object) -> str:
        text = "" if value is None else json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
        return in_markdown(text, 120)

    lines = [frame.columns, ["---"] * frame.width, *([cell(value) for value in row] for row in frame.rows())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
