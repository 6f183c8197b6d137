"""PyPI: how often the packages of each framework are downloaded."""

from types import MappingProxyType

from fw_pipeline.contract import TABLES, Source
from fw_pipeline.sources.pypi import clickpy, pypistats
from fw_pipeline.sources.recorded import recorded

_TABLE = TABLES["pypi"]
_PROVIDERS = (recorded("pypi", _TABLE), clickpy.PROVIDER, pypistats.PROVIDER)

SOURCE = Source(
    name="pypi",
    title="PyPI downloads",
    url="https://clickpy.clickhouse.com",
    licence="Public download statistics; counts are facts",
    table=_TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="clickpy",
    due_days=8,  # loading of the public server has been seen to stall for days
)
