"""The DuckDB files: load raw vintages, build models, publish. The only importer of duckdb.

The working file has one writer at a time. Users open the published file, which is replaced as a whole. Both are
derived: nothing is lost if they are deleted. Nothing here knows Dagster, HTTP, or what the figures mean.
"""

from fw_pipeline.warehouse.database_files import Warehouse
from fw_pipeline.warehouse.lake import Lake
from fw_pipeline.warehouse.metadata_tables import BOOKS
from fw_pipeline.warehouse.published_copies import (
    CopiedTable,
    DescribedColumn,
    DescribedTable,
    Form,
    copy_tables,
    described,
    observed_later,
    replayed,
)
from fw_pipeline.warehouse.published_object import latest
from fw_pipeline.warehouse.queries import query, reading, scan
from fw_pipeline.warehouse.sql_text import WarehouseError
from fw_pipeline.warehouse.tables import Built
from fw_pipeline.warehouse.writer import Writer

__all__ = [
    "BOOKS",
    "Built",
    "CopiedTable",
    "DescribedColumn",
    "DescribedTable",
    "Form",
    "Lake",
    "Warehouse",
    "WarehouseError",
    "Writer",
    "copy_tables",
    "described",
    "latest",
    "observed_later",
    "query",
    "reading",
    "replayed",
    "scan",
]
