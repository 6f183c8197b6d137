"""The row-level listing behind the counts of papers, the same for every provider: table `detail.papers`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

DETAIL_NAME = "papers"

DETAIL_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = MappingProxyType(
    {
        "population": pl.String,
        "paper_url": pl.String,
        "arxiv_id": pl.String,
        "title": pl.String,
        "date": pl.Date,
        "frameworks": pl.List(pl.String),
        "official": pl.Boolean,
        "authors": pl.List(pl.String),
        "repositories": pl.List(
            pl.Struct({"repository": pl.String, "framework": pl.String, "official": pl.Boolean}),
        ),
    }
)
"""A row for each paper of a population: the frameworks that it names or its repositories use, whether one of these is
the authors' own, its authors in order, and its repositories. What a provider does not know is NULL."""
