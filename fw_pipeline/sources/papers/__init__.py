"""Papers: which frameworks research names and publishes code for."""

from types import MappingProxyType

from fw_pipeline.contract import TABLES, Source
from fw_pipeline.sources.papers import arxiv_api, pwc_archive
from fw_pipeline.sources.recorded import recorded

_TABLE = TABLES["papers"]
_PROVIDERS = (recorded("papers", _TABLE), pwc_archive.PROVIDER, arxiv_api.PROVIDER)

SOURCE = Source(
    name="papers",
    title="Papers and their code",
    url="https://huggingface.co/pwc-archive",
    licence="Papers with Code: CC BY-SA 4.0; arXiv: thank you to arXiv for use of its open access interoperability",
    table=_TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="archive",
)
