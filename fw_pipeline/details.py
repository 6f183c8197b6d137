"""The row-level tables of schema `detail`: what was listed, from which the counts of a raw table are made.

Live providers fill them; with recorded figures they are there and empty, so that a model or a user may read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

Kind = pl.DataType | type[pl.DataType]


@dataclass(frozen=True, slots=True)
class DetailTable:
    """A table of schema `detail`: its name, what a row is, and the type and meaning of each column."""

    name: str
    description: str
    columns: Mapping[str, tuple[Kind, str]]

    @property
    def schema(self) -> pl.Schema:
        """The columns that a provider lists, in order."""
        return pl.Schema({name: kind for name, (kind, _) in self.columns.items()})

    @property
    def words(self) -> dict[str, str]:
        """What each column means."""
        return {name: words for name, (_, words) in self.columns.items()}


HUGGINGFACE_MODELS = DetailTable(
    "huggingface_models",
    "Models of the Hugging Face Hub, one row per model and provider; empty without a live provider.",
    MappingProxyType(
        {
            "model_id": (pl.String, "The Hub's own identifier, which a change of name does not change."),
            "id": (pl.String, "The model's name: owner/name."),
            "created_at": (pl.Datetime("us", "UTC"), "When it was created (UTC); 2022-03-02 for every older model."),
            "library": (pl.String, "The library named by the model card; NULL where none is."),
            "formats": (pl.List(pl.String), "Sorted set of framework and format tags; empty = none."),
            "gated": (pl.String, "Whether its files must be asked for: no, auto or manual; NULL where not known."),
            "downloads_30d": (pl.Int64, "Downloads in the 30 days before observation; NULL where not known."),
            "likes": (pl.Int64, "Likes at observation; NULL where not known."),
            "month": (pl.Date, "First day of the UTC month of creation."),
            "observed_on": (pl.Date, "Day on which the Hub was looked at."),
        }
    ),
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

PYPI_DAILY = DetailTable(
    "pypi_daily",
    "Downloads from the Python Package Index, one row per day, package and kind of installers; empty without a "
    "provider that counts by day.",
    MappingProxyType(
        {
            "day": (pl.Date, "Day (UTC)."),
            "package": (pl.String, "Normalised name of the package."),
            "installers": (pl.String, "Whose downloads: `all` or `without mirrors`."),
            "downloads": (pl.Int64, "Downloads of the day."),
        }
    ),
)

STACKOVERFLOW_QUESTIONS = DetailTable(
    "stackoverflow_questions",
    "Questions on Stack Overflow that carry a tag of the catalogue, one row per question; empty without the provider "
    "`api`. What the service did not say is NULL.",
    MappingProxyType(
        {
            "id": (pl.Int64, "The question's number: stackoverflow.com/q/<id>."),
            "created": (pl.Datetime("us", "UTC"), "When it was asked (UTC)."),
            "tags": (pl.List(pl.String), "Sorted set of all its tags, as they stood at observation."),
            "score": (pl.Int64, "Votes for it less votes against it."),
            "views": (pl.Int64, "How often it had been viewed."),
            "answers": (pl.Int64, "Answers that it had."),
            "answered": (pl.Boolean, "Whether one of them was accepted or voted for."),
            "closed": (pl.Datetime("us", "UTC"), "When it was closed (UTC); NULL while it is open."),
        }
    ),
)

DETAIL_TABLES: Mapping[str, DetailTable] = MappingProxyType(
    {table.name: table for table in (HUGGINGFACE_MODELS, PAPERS, PYPI_DAILY, STACKOVERFLOW_QUESTIONS)}
)
"""All of them, by name."""
