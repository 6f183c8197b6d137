"""Tables as Dagster shows them: columns and their lineage, some rows, the group, and the tag that names the source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl
from dagster import AssetKey, TableColumn, TableColumnDep, TableColumnLineage, TableSchema

from fw_pipeline.sources import SOURCES
from fw_pipeline.text import in_markdown
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS, Model

SEVERAL = "several"
"""The tag of what holds figures of more than one source."""


def column_schema(columns: Mapping[str, tuple[str, str]]) -> TableSchema:
    """Return the schema shown for a table: type and description by column."""
    return TableSchema([TableColumn(name, kind, description=words) for name, (kind, words) in columns.items()])


def column_lineage(found: Mapping[str, tuple[tuple[str, str], ...]]) -> TableColumnLineage:
    """Return the lineage shown for a table: for each column, the relations and columns that it is made of."""
    return TableColumnLineage(
        {
            column: [
                TableColumnDep(AssetKey(list(parts)), name)
                for parts, name in dict.fromkeys((tuple(relation_key(relation)), name) for relation, name in sources)
            ]
            for column, sources in found.items()
        }
    )


def relation_key(relation: str) -> list[str]:
    """Return the asset that makes a relation.

    With `raw.x` are made `raw.x_vintages`, `raw.x_unpartitioned`, and the listings `detail.x` and `detail.x_...`.
    """
    schema, _, table = relation.partition(".")
    if schema == "raw":
        table = table.removesuffix("_vintages").removesuffix("_unpartitioned")
    elif schema == "detail":
        schema, table = "raw", next((it for it in SOURCES if f"{table}_".startswith(f"{it}_")), table)
    return [schema, table]


def as_markdown(frame: pl.DataFrame) -> str:
    """Return a small frame as a Markdown table whose cells cannot be taken for markup."""

    def cell(value: object) -> str:
        text = "" if value is None else json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
        return in_markdown(text, 120)

    lines = [frame.columns, ["---"] * frame.width, *([cell(value) for value in row] for row in frame.rows())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass(frozen=True, slots=True)
class Place:
    """The group of an asset, and its tags."""

    group: str
    tags: Mapping[str, str]
    sources: frozenset[str]
    """The sources whose figures it holds."""


def places(models: Iterable[Model]) -> dict[str, Place]:
    """Return the place of every model, of the union of the claims, and of the forecasts.

    The group is the schema, so that groups flow from `raw` to `published`, with exceptions that would make them flow in
    a circle: what is read from claims is in `verdicts`, what `meta` says of staged months in `coverage`, of marts in
    `marts`.

    The source is the one that a claim is measured on, or that the table is named for; else that of what it reads.
    """
    by_name = {model.name: model for model in models}
    reads = {model.name: set(model.upstream) for model in by_name.values()}
    reads[MEASUREMENTS] = {model.name for model in by_name.values() if model.doc.claim}
    reads[FORECASTS] = {FORECAST_SERIES}
    schemas: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}

    def above(relation: str) -> set[str]:
        """Return the schemas of everything that a relation depends on."""
        if relation not in schemas:
            direct = reads.get(relation, set())
            schemas[relation] = {_schema(read) for read in direct}.union(*(above(read) for read in direct))
        return schemas[relation]

    def held(relation: str) -> set[str]:
        """Return the sources whose figures a relation holds."""
        if relation not in sources:
            model = by_name.get(relation)
            if model is not None and model.doc.claim:
                sources[relation] = {source for source in model.doc.claim.sources if source in SOURCES}
            elif (named := _named_for(relation)) is not None:
                sources[relation] = {named}
            else:
                sources[relation] = set().union(*(held(read) for read in reads.get(relation, ())))
        return sources[relation]

    return {
        relation: Place(_group(relation, above(relation)), _tags(held(relation)), frozenset(held(relation)))
        for relation in reads
    }


def _schema(relation: str) -> str:
    return relation.partition(".")[0]


def _named_for(relation: str) -> str | None:
    schema, table = relation_key(relation)
    if schema == "meta":
        return None
    return next((source for source in SOURCES if f"{table}_".startswith(f"{source}_")), None)


def _group(relation: str, above: set[str]) -> str:
    if "claims" in above:
        return "verdicts"
    if _schema(relation) == "meta" and "staging" in above:
        return "marts" if "marts" in above else "coverage"
    return _schema(relation)


def _tags(sources: set[str]) -> Mapping[str, str]:
    if not sources:
        return {}
    return {"source": min(sources) if len(sources) == 1 else SEVERAL}
