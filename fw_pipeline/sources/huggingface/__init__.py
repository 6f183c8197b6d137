"""Hugging Face Hub: which frameworks the published models can be used with."""

from types import MappingProxyType

from fw_pipeline.contract import TABLES, Source
from fw_pipeline.sources.huggingface import hub_api, hub_parquet
from fw_pipeline.sources.recorded import recorded

_TABLE = TABLES["huggingface"]
_PROVIDERS = (recorded("huggingface", _TABLE), hub_api.PROVIDER, hub_parquet.PROVIDER)

SOURCE = Source(
    name="huggingface",
    title="Hugging Face Hub models",
    url="https://huggingface.co/models",
    licence="Metadata of public models; each model has its own licence",
    table=_TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="api",
)
