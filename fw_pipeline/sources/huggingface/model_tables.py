"""The raw table of the Hub's models, and the table of the models themselves.

Column names, types and meanings are the contract with every reader.
"""

from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import HUB_NAMES, POPULATIONS
from fw_pipeline.contract import DetailTable, Table

TABLE = Table(
    key={"month": pl.Date, "population": pl.String, "library": pl.String, "formats": pl.List(pl.String)},
    measures={"models": pl.Int64, "downloads_30d": pl.Int64, "likes": pl.Int64},
    required=("models",),
    nullable=("library", "formats"),
    largest={
        "models": (10_000_000, "The whole Hub held three million models in September 2026."),
        "downloads_30d": (
            100_000_000_000,
            "Some four hundred times the busiest group of models on record, 257 million.",
        ),
        "likes": (100_000_000, "Thousands of times the best liked group of models on record, 29,337."),
    },
    known={
        "population": frozenset(it.name for it in POPULATIONS if it.source == "huggingface"),
        "formats": frozenset(it.name for it in HUB_NAMES if it.kind == "tag"),
    },
    counted_again=True,
    description="Models on the Hugging Face Hub by month of creation, library and set of format tags.",
    columns={
        "population": "Which models were looked at: `hub` (all), or the named sample.",
        "library": "The library named by the model card; NULL where none is.",
        "formats": "Sorted set of framework and format tags; empty = none; NULL = not known.",
        "models": "Models.",
        "downloads_30d": "Downloads of these models in the 30 days before observation.",
        "likes": "Likes of these models at observation.",
    },
)

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
