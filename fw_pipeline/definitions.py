"""The composition root: sources and SQL models to one Dagster code location. Nothing else wires parts together."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dagster import Definitions, definitions, in_process_executor

from fw_pipeline import quality
from fw_pipeline import settings as environment
from fw_pipeline import transform as sql_models
from fw_pipeline.contract import Source
from fw_pipeline.orchestration import instance
from fw_pipeline.orchestration.asset_checks import freshness_check, raw_checks
from fw_pipeline.orchestration.build_plan import all_tables
from fw_pipeline.orchestration.build_step import build_step
from fw_pipeline.orchestration.jobs import jobs_and_schedules
from fw_pipeline.orchestration.pipeline import Pipeline, registered
from fw_pipeline.orchestration.publish_assets import publish_asset, report_asset
from fw_pipeline.orchestration.raw_assets import raw_asset
from fw_pipeline.orchestration.runs import held_by_runs
from fw_pipeline.orchestration.sensors import sensors
from fw_pipeline.paths import SHIPPED_DIR
from fw_pipeline.settings import Settings
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import Model


def load_models(sources: Mapping[str, Source] = SOURCES) -> tuple[Model, ...]:
    """Return the SQL models of the project, as they were when this process first read them."""
    return _models(registered(sources))


@functools.cache
def _models(known: frozenset[str]) -> tuple[Model, ...]:
    return sql_models.load(SHIPPED_DIR / "dbt_like_sql", known)


def build_defs(
    *,
    sources: Mapping[str, Source] = SOURCES,
    models: tuple[Model, ...] | None = None,
    resources: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
) -> Definitions:
    """Return the code location.

    Args:
        sources: the registry of sources.
        models: the SQL models; None reads those of the project.
        resources: Dagster resources that replace the usual ones, by name.
        settings: say which provider each source has, and so which months; None reads the environment.

    Raises:
        PipelineError: a model, its document or a rule in it is wrong; the line says which and how to mend it.
        SettingError: a setting is wrong.
    """
    models = load_models(sources) if models is None else models
    settings, now = settings or environment.read(), datetime.now(UTC)
    tables = all_tables(sources, models)
    raw = {f"raw.{name}": quality.for_raw(each.table, provider=("provider",)) for name, each in sources.items()}
    own = Definitions(
        assets=[
            *(raw_asset(source, settings, now=now) for source in sources.values()),
            build_step(tables),
            publish_asset({**raw, **{table.relation: table.rules for table in tables}}, tables),
            report_asset(),
        ],
        asset_checks=[raw_checks(raw), *(freshness_check(source) for source in sources.values())],
        sensors=sensors(sources),
        resources={"pipeline": held_by_runs(Pipeline(sources, models)), **(resources or {})},
        executor=in_process_executor,
    )
    return Definitions.merge(own, jobs_and_schedules(sources, settings))


@definitions
def defs() -> Definitions:
    """Return the code location as Dagster loads it; whoever only imports this module builds nothing."""
    instance.warn_if_temporary()
    return build_defs()
