"""The raw table of Stack Overflow's questions, and the table of the questions themselves.

Column names, types and meanings are the contract with every reader.
"""

from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import TAGS
from fw_pipeline.contract import WHOLE_SITE, DetailTable, Table

TABLE = Table(
    key={"month": pl.Date, "tagged": pl.String},
    measures={"questions": pl.Int64},
    required=("questions",),
    largest={
        "questions": (
            1_000_000,
            "In its busiest year the whole site averaged 256,000 questions a month; a total of all years is larger.",
        )
    },
    known={"tagged": frozenset(it.tagged for it in TAGS) | {WHOLE_SITE}},
    description="Questions asked on Stack Overflow in a month, by tag.",
    columns={
        "tagged": "The tag; `a;b` means both tags; `*` the whole site.",
        "questions": "Questions created in the month, as counted at the time of observation.",
    },
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
