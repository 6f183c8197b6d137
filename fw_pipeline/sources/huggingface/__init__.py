"""Hugging Face Hub: which frameworks the published models can be used with."""

from types import MappingProxyType

from fw_pipeline.contract import NO_LICENCE, Credit, Series, Source
from fw_pipeline.sources.huggingface import hub_api, hub_counts, hub_parquet
from fw_pipeline.sources.huggingface.hub_counts import TABLE
from fw_pipeline.sources.recorded import recorded

_PROVIDERS = (
    recorded("huggingface", TABLE, begins=(hub_counts.FIRST_MONTH, "creation dates begin on 2022-03-02")),
    hub_api.PROVIDER,
    hub_parquet.PROVIDER,
)

_SERIES = {
    "hub": Series("Hugging Face, all public models", "Every public model that still exists, by month."),
    "hub, by tag": Series(
        "Hugging Face, all public models by tag", "The Hub's own totals at one time; a model may carry several tags."
    ),
    "hub, by library_name": Series(
        "Hugging Face, all public models by library", "The same models, by the one library that each names."
    ),
    "1000 most downloaded": Series("Hugging Face, the 1,000 most downloaded models", "A sample: decides nothing."),
    "recent and trending, open licence": Series(
        "Hugging Face, a selection of recent open models", "A sample: decides nothing."
    ),
}

_CREDITS = {
    "TheExGenesis/hugingface-data": Credit(
        "TheExGenesis/hugingface-data", NO_LICENCE, "the models on top of the download ranking, aggregated"
    ),
    "686f6c61/radar-huggingface-dataset": Credit(
        "686f6c61/radar-huggingface-dataset", "CC BY 4.0", "a curated selection of models, aggregated"
    ),
    "hamidahoderinwale/model_metadata_analyses": Credit(
        "hamidahoderinwale/model_metadata_analyses", NO_LICENCE, "models of the whole Hub by library"
    ),
    "M. Lemay": Credit("Towards Data Science, 2022", "an article; two counts", "what the filter of the Hub showed"),
}

SOURCE = Source(
    name="huggingface",
    title="Hugging Face Hub models",
    short_title="Hugging Face",
    url="https://huggingface.co/models",
    licence="Metadata of public models; each model has its own licence",
    counts="Public models by the framework that their files or tags name.",
    cannot_see="Private models, use inside companies, and when a model was made if that was before March 2022.",
    table=TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="api",
    series=MappingProxyType(_SERIES),
    credits=MappingProxyType(_CREDITS),
)
