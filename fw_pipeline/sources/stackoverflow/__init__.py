"""Stack Overflow: how many questions are asked about each framework."""

from types import MappingProxyType

from fw_pipeline.contract import Credit, Series, Source
from fw_pipeline.sources.recorded import recorded
from fw_pipeline.sources.stackoverflow import clickhouse_posts, posts_dump, stackexchange_api
from fw_pipeline.sources.stackoverflow.monthly_questions import TABLE

_PROVIDERS = (
    recorded("stackoverflow", TABLE),
    clickhouse_posts.PROVIDER,
    stackexchange_api.PROVIDER,
    posts_dump.PROVIDER,
)

_SERIES = {
    "recorded": Series(
        "Stack Overflow, as published by N. Schlömer",
        "The curves behind the article's own figure. Up to March 2020 they were counted in one go.",
    ),
    "api": Series("Stack Overflow, as its own API counts today", "What is left of each month now."),
    "clickhouse": Series(
        "Stack Overflow, ClickHouse's copy of the archive", "Every question that was left in April 2024."
    ),
    "dump": Series("Stack Overflow, the quarterly archive", "Every question that was left when it was made."),
}

_CREDITS = {
    "nschloe/stackoverflow-trends": Credit(
        "nschloe/stackoverflow-trends", "CC BY", "published curves, read point by point"
    ),
    "pankaj90382/END-1.0": Credit(
        "pankaj90382/END-1.0", "CC BY-SA 4.0", "questions tagged pytorch that were left on 2021-08-05"
    ),
    "madelinezec/PLS-NLP-Stackoverflow": Credit(
        "madelinezec/PLS-NLP-Stackoverflow", "CC BY-SA 4.0", "questions of 2018, from the dump of 2018-12-02"
    ),
}

SOURCE = Source(
    name="stackoverflow",
    title="Stack Overflow questions",
    short_title="Stack Overflow",
    url="https://stackoverflow.com",
    licence="CC BY-SA; counts are facts",
    counts="New questions a month that carry a framework's tag, as a number and as a share of all questions.",
    cannot_see="People who ask elsewhere, or ask a chatbot. A question that was deleted is missing from later counts.",
    table=TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="clickhouse+api",
    series=MappingProxyType(_SERIES),
    credits=MappingProxyType(_CREDITS),
)
