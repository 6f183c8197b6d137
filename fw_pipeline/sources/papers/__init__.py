"""Papers: which frameworks research names and publishes code for."""

from types import MappingProxyType

from fw_pipeline.contract import NO_LICENCE, Credit, Series, Source
from fw_pipeline.sources.papers import arxiv_api, pwc_archive
from fw_pipeline.sources.papers.paper_tables import TABLE
from fw_pipeline.sources.recorded import recorded

_PROVIDERS = (recorded("papers", TABLE), pwc_archive.PROVIDER, arxiv_api.PROVIDER)

_SERIES = {
    "nine venues": Series(
        "Papers at nine conferences, as searched by Horace He",
        "Papers that name PyTorch or TensorFlow and not both, a year at a time.",
    ),
    "papers with code": Series("Papers with Code, the whole archive", "It ended in July 2025."),
    "papers with code sample": Series("Papers with Code, a sample", "Some of its links: decides nothing."),
    "arxiv abstracts": Series("arXiv, titles and abstracts", "Most papers name no framework there."),
}

_CREDITS = {
    "Chillee/pytorch-vs-tensorflow": Credit(
        "Chillee/pytorch-vs-tensorflow", NO_LICENCE, "Horace He's search of the papers of nine conferences"
    ),
    "Papers with Code links dump": Credit(
        "rockett-m/grimrepor", "CC BY-SA 4.0", "a sample of the links between papers and repositories, aggregated"
    ),
}

SOURCE = Source(
    name="papers",
    title="Papers and their code",
    short_title="Papers",
    url="https://huggingface.co/pwc-archive",
    licence="Papers with Code: CC BY-SA 4.0; arXiv: thank you to arXiv for use of its open access interoperability",
    counts="Research papers that name a framework, or whose code uses one.",
    cannot_see="Papers without code and without the name, and everything outside research.",
    table=TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="archive",
    series=MappingProxyType(_SERIES),
    credits=MappingProxyType(_CREDITS),
)
