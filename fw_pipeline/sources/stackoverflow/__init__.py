"""Stack Overflow: how many questions are asked about each framework."""

from types import MappingProxyType

from fw_pipeline.contract import TABLES, Source
from fw_pipeline.sources.recorded import recorded
from fw_pipeline.sources.stackoverflow import clickhouse_posts, posts_dump, stackexchange_api

_TABLE = TABLES["stackoverflow"]
_PROVIDERS = (
    recorded("stackoverflow", _TABLE),
    clickhouse_posts.PROVIDER,
    stackexchange_api.PROVIDER,
    posts_dump.PROVIDER,
)

SOURCE = Source(
    name="stackoverflow",
    title="Stack Overflow questions",
    url="https://stackoverflow.com",
    licence="CC BY-SA; counts are facts",
    table=_TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="clickhouse+api",
)
