"""The registry of sources: one line each. A provider is added in its source's folder, not here."""

from collections.abc import Mapping
from types import MappingProxyType

from fw_pipeline.contract import Source
from fw_pipeline.sources import huggingface, papers, pypi, stackoverflow

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        stackoverflow.SOURCE.name: stackoverflow.SOURCE,
        huggingface.SOURCE.name: huggingface.SOURCE,
        papers.SOURCE.name: papers.SOURCE,
        pypi.SOURCE.name: pypi.SOURCE,
    }
)
"""Every source, by name."""
