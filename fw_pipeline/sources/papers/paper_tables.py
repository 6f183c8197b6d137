"""The raw table of papers, and the table of the papers themselves.

Column names, types and meanings are the contract with every reader.
"""

from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import FRAMEWORKS, POPULATIONS
from fw_pipeline.contract import WHOLE_SITE, DetailTable, Table

TABLE = Table(
    key={
        "month": pl.Date,
        "population": pl.String,
        "venue": pl.String,
        "frameworks": pl.List(pl.String),
        "official": pl.Boolean,
    },
    measures={"papers": pl.Int64, "repositories": pl.Int64},
    required=("papers",),
    nullable=("official",),
    largest={
        "papers": (1_000_000, "The whole archive of Papers with Code has 300,161 links from papers to repositories."),
        "repositories": (1_000_000, "The whole archive of Papers with Code has 300,161 links to repositories."),
    },
    known={
        "population": frozenset(it.name for it in POPULATIONS if it.source == "papers"),
        "frameworks": frozenset(it.name for it in FRAMEWORKS) | {WHOLE_SITE},
    },
    description="Papers by month and by the set of frameworks that they or their repositories use.",
    columns={
        "population": "Which papers were looked at: `papers with code`, `nine venues`, `arxiv abstracts`, ...",
        "venue": "The conference, where the population is split by it; `*` otherwise.",
        "frameworks": "Sorted set of frameworks; empty = none named; `*` alone = every paper.",
        "official": "Whether the repository is the authors' own; NULL where it does not apply.",
        "papers": "Distinct papers.",
        "repositories": "Repositories; NULL where the population has none.",
    },
)

PAPERS = DetailTable(
    "papers",
    "Papers, one row per paper and population; empty without a live provider. What a provider does not know is NULL.",
    MappingProxyType(
        {
            "population": (pl.String, "Which papers were looked at: `papers with code` or `arxiv abstracts`."),
            "paper_url": (pl.String, "The paper's address at the provider."),
            "arxiv_id": (pl.String, "Identifier at arXiv; NULL where the paper is not there."),
            "title": (pl.String, "Title of the paper."),
            "date": (pl.Date, "Day of the paper, as the provider dates it."),
            "frameworks": (pl.List(pl.String), "Sorted set of frameworks that it names or its repositories use."),
            "official": (pl.Boolean, "Whether one of its repositories is the authors' own."),
            "authors": (pl.List(pl.String), "Authors in the paper's order, as spelled there."),
            "repositories": (
                pl.List(pl.Struct({"repository": pl.String, "framework": pl.String, "official": pl.Boolean})),
                "Its repositories: address, framework, and whether it is the authors' own.",
            ),
        }
    ),
)
