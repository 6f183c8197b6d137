"""The DuckDB files: load raw vintages, build models, publish. The only importer of duckdb.

The working file has one writer at a time; users open the published file, which is replaced as a whole. Both are
derived: nothing is lost when they are deleted. Nothing here knows Dagster, HTTP, or what the figures mean.
"""

from fw_pipeline.warehouse.exporting import DescribedColumn, DescribedTable, Form, copy_tables, described
from fw_pipeline.warehouse.reading import query, scan
from fw_pipeline.warehouse.replaying import observed_later, replayed
from fw_pipeline.warehouse.wording import WarehouseFailed
from fw_pipeline.warehouse.working import Warehouse
from fw_pipeline.warehouse.writer import Built, Writer

__all__ = [
    "Built",
    "DescribedColumn",
    "DescribedTable",
    "Form",
    "Warehouse",
    "WarehouseFailed",
    "Writer",
    "copy_tables",
    "described",
    "observed_later",
    "query",
    "replayed",
    "scan",
]
