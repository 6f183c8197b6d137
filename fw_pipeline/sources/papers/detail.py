"""The row-level listing behind the counts of papers, the same for every provider: table `detail.papers`."""

from __future__ import annotations

import polars as pl

DETAIL_NAME = "papers"

DETAIL_SCHEMA = pl.Schema(
    {
        "population": pl.String,
        "paper_url": pl.String,
        "arxiv_id": pl.String,
        "title": pl.String,
        "date": pl.Date,
        "frameworks": pl.List(pl.String),
        "official": pl.Boolean,
        "authors": pl.List(pl.String),
    }
)
"""A row for each paper of a population: the frameworks that it names or its repositories use, whether one of these is
the authors' own (NULL where repositories are not known), and its authors in order (NULL where they are not known)."""
