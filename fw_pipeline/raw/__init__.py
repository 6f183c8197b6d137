"""Evidence and raw vintages on disk: the only data that cannot be recreated.

Everything else, including the DuckDB files, is derived from them.
"""

from fw_pipeline.raw.evidence import EvidenceStore
from fw_pipeline.raw.statements import Statement
from fw_pipeline.raw.vintages import Vintage, VintageStore, provider_of

__all__ = ["EvidenceStore", "Statement", "Vintage", "VintageStore", "provider_of"]
