"""Evidence and raw vintages on disk: the only things that cannot be made anew.

Everything else, the DuckDB files included, is derived from what lies here.
"""

from fw_pipeline.raw.evidence import EvidenceStore
from fw_pipeline.raw.vintages import Statement, Vintage, VintageStore

__all__ = ["EvidenceStore", "Statement", "Vintage", "VintageStore"]
