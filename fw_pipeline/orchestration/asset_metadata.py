"""Tables as Dagster shows them: types and meanings of columns, where each comes from, and some rows."""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl
from dagster import AssetKey, TableColumn, TableColumnDep, TableColumnLineage, TableSchema

from fw_pipeline.sources import SOURCES
from fw_pipeline.text import in_markdown


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
