"""What the document of a small table says: meaning, grain, columns, and where its rows come from.

How the rows are made is in `seeds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from fw_pipeline.transform.model_document import Column, Named, Table
from fw_pipeline.transform.yaml_document import List, Text

KINDS: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "VARCHAR": pl.String(),
        "DATE": pl.Date(),
        "DOUBLE": pl.Float64(),
        "BIGINT": pl.Int64(),
        "BOOLEAN": pl.Boolean(),
        "TIMESTAMP WITH TIME ZONE": pl.Datetime("us", "UTC"),
        "VARCHAR[]": pl.List(pl.String),
    }
)
"""The types of columns."""


class SeedColumn(Column):
    """A column of a small table."""

    type: Literal["VARCHAR", "DATE", "DOUBLE", "BIGINT", "BOOLEAN", "TIMESTAMP WITH TIME ZONE", "VARCHAR[]"]
    values: List[Any] | Literal["sources"] | None = None  # type: ignore[assignment]
    """The only values that may occur; `sources`: the names of the sources."""


class SeedDocument(Table):
    """What the document of a small table says."""

    description: Text
    columns: Named[SeedColumn]
    rows_from: Literal["seeds", "recorded", "pipeline"] = "seeds"
    """The CSV file beside the document; the one beside the recorded figures; or the pipeline."""
    unique: List[List[Text]] = ()
    """What else, beside the grain, no two rows may share."""
    may_be_empty: Text | None = None
    """Why the table may have no row at all, if it may."""
