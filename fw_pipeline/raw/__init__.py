"""Evidence and raw vintages, on disk or in an object store: the only data that cannot be recreated.

Everything else, including the DuckDB files, is derived from them.
"""

from fw_pipeline.raw.evidence import EvidenceStore
from fw_pipeline.raw.statements import Statement
from fw_pipeline.raw.storage import bucket_of, object_file_system, object_refusal, storage_of
from fw_pipeline.raw.vintages import UnreadableVintageError, Vintage, VintageStore

__all__ = [
    "EvidenceStore",
    "Statement",
    "UnreadableVintageError",
    "Vintage",
    "VintageStore",
    "bucket_of",
    "object_file_system",
    "object_refusal",
    "storage_of",
]
