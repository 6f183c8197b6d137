"""The SQL models: what each table is called, what it reads, what it means, and where its columns come from.

The modules beside these turn them into rows and tables: seeds, claims, forecasts.
"""

from fw_pipeline.transform.lineage import lineage
from fw_pipeline.transform.model_document import ClaimDoc, Column, Definition, Doc, Example
from fw_pipeline.transform.project import (
    FORECAST_SERIES,
    FORECASTS,
    MEASUREMENTS,
    Model,
    ancestors,
    load,
    relations_read,
)

__all__ = [
    "FORECASTS",
    "FORECAST_SERIES",
    "MEASUREMENTS",
    "ClaimDoc",
    "Column",
    "Definition",
    "Doc",
    "Example",
    "Model",
    "ancestors",
    "lineage",
    "load",
    "relations_read",
]
