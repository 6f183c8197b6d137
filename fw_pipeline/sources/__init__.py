"""The registry of sources: one entry each. All that is said of a source is said in its folder, not here."""

from collections.abc import Mapping
from types import MappingProxyType

from fw_pipeline.contract import DetailTable, Setting, Source
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

DETAIL_TABLES: Mapping[str, DetailTable] = MappingProxyType(
    {
        provider.detail.name: provider.detail
        for source in SOURCES.values()
        for provider in source.providers.values()
        if provider.detail
    }
)
"""The row-level tables that their providers fill, by name."""

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        setting.name: setting
        for source in SOURCES.values()
        for provider in source.providers.values()
        for setting in provider.settings
    }
)
"""The addresses and secrets that their providers read, by name."""
