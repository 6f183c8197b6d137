"""Whose figures they are: every origin with its licence and what was taken from it.

An origin that is not listed here is shown with the terms of its source. A test holds the list against the recorded
figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from fw_pipeline.report.formatting import SOURCES, in_month


@dataclass(frozen=True, slots=True)
class Credit:
    """Who published figures, where, under which licence."""

    where: str
    licence: str
    what: str


NONE_STATED = "none stated; counts are facts"

CREDITS: Mapping[str, Credit] = MappingProxyType(
    {
        "nschloe/stackoverflow-trends": Credit(
            "nschloe/stackoverflow-trends", "CC BY", "published curves, read point by point"
        ),
        "StarScout": Credit(
            "hehao98/StarScout", "Apache-2.0", "calendar months of all installers, from the public BigQuery table"
        ),
        "top-pypi-packages (BigQuery)": Credit("hugovk/top-pypi-packages", NONE_STATED, "published 30-day files"),
        "top-pypi-packages (ClickHouse)": Credit(
            "hugovk/top-pypi-packages", NONE_STATED, "published files of calendar months"
        ),
        "dashdown-pypi-stats": Credit(
            "DirendAI/dashdown-pypi-stats", NONE_STATED, "daily figures of ClickPy, added up"
        ),
        "pankaj90382/END-1.0": Credit(
            "pankaj90382/END-1.0", "CC BY-SA 4.0", "questions tagged pytorch that were left on 2021-08-05"
        ),
        "madelinezec/PLS-NLP-Stackoverflow": Credit(
            "madelinezec/PLS-NLP-Stackoverflow", "CC BY-SA 4.0", "questions of 2018, from the dump of 2018-12-02"
        ),
        "Chillee/pytorch-vs-tensorflow": Credit(
            "Chillee/pytorch-vs-tensorflow", NONE_STATED, "Horace He's search of the papers of nine conferences"
        ),
        "Papers with Code links dump": Credit(
            "rockett-m/grimrepor", "CC BY-SA 4.0", "a sample of the links between papers and repositories, aggregated"
        ),
        "TheExGenesis/hugingface-data": Credit(
            "TheExGenesis/hugingface-data", NONE_STATED, "the models on top of the download ranking, aggregated"
        ),
        "686f6c61/radar-huggingface-dataset": Credit(
            "686f6c61/radar-huggingface-dataset", "CC BY 4.0", "a curated selection of models, aggregated"
        ),
        "hamidahoderinwale/model_metadata_analyses": Credit(
            "hamidahoderinwale/model_metadata_analyses", NONE_STATED, "models of the whole Hub by library"
        ),
        "M. Lemay": Credit("Towards Data Science, 2022", "an article; two counts", "what the filter of the Hub showed"),
    }
)
"""Origins, by what their name begins with."""

TERMS: Mapping[str, str] = MappingProxyType(
    {
        "stackoverflow": "CC BY-SA; counts are facts",
        "huggingface": "metadata of public models",
        "papers": "Papers with Code: CC BY-SA 4.0; arXiv: metadata are free to use",
        "pypi": "public download statistics; counts are facts",
    }
)
"""Terms of the sources themselves."""


def credited(rows: pl.DataFrame) -> list[dict[str, str]]:
    """Return a row of the table of origins for every origin in use."""
    return [
        {
            "source": SOURCES.get(row["source"], row["source"]),
            "origin": row["origin"] or "not named",
            "where": credit.where if credit else "",
            "what": credit.what if credit else "fetched by this pipeline",
            "licence": credit.licence if credit else TERMS.get(row["source"], ""),
            "figures": f"{row['figures']:,}",
            "months": f"{in_month(row['first_month'])} to {in_month(row['last_month'])}"
            if row["first_month"]
            else "without months",
        }
        for row in rows.iter_rows(named=True)
        for credit in [_credit(row["origin"])]
    ]


def credit_line(rows: pl.DataFrame, *sources: str) -> str:
    """Return who published the figures of these sources, as a line below a chart."""
    origins = rows.filter(pl.col("source").is_in(sources))["origin"].drop_nulls().unique(maintain_order=True)
    named = []
    for origin in origins:
        credit = _credit(origin)
        named.append(f"{origin}, {credit.licence}" if credit and credit.licence != NONE_STATED else origin)
    return f"Figures: {'; '.join(named)}" if named else "Figures: none"


def _credit(origin: str | None) -> Credit | None:
    return next((credit for start, credit in CREDITS.items() if origin and origin.startswith(start)), None)
