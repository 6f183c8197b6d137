"""The composition root: sources and SQL models to one Dagster code location. Nothing is decided elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dagster import Definitions, in_process_executor

from fw_pipeline import models as sql_models
from fw_pipeline import settings as environment
from fw_pipeline.contract import Source
from fw_pipeline.models import FORECASTS, MEASUREMENTS, Model
from fw_pipeline.orchestration import checks, history, jobs
from fw_pipeline.orchestration.alerting import tell_of_failures
from fw_pipeline.orchestration.building import build_what_changed
from fw_pipeline.orchestration.columns import relation_key
from fw_pipeline.orchestration.forecasting import forecasts_asset, rules_for_forecasts
from fw_pipeline.orchestration.liveness import held_by_runs, mark_killed_runs
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.places import places
from fw_pipeline.orchestration.publishing import publish_asset, report_asset
from fw_pipeline.orchestration.raw_assets import raw_asset
from fw_pipeline.orchestration.retention import tidy_history
from fw_pipeline.orchestration.seeds import SEEDS
from fw_pipeline.orchestration.transforms import measurements_asset, model_asset, seed_asset
from fw_pipeline.orchestration.watching import freshness_check, watch_freshness
from fw_pipeline.settings import SHIPPED_DIR, Settings
from fw_pipeline.sources import SOURCES


def registered(sources: Mapping[str, Source]) -> frozenset[str]:
    """Return the relations that exist before any model is built, and that models may read."""
    raw = {f"raw.{name}{suffix}" for name in sources for suffix in ("", "_vintages", "_unpartitioned")}
    providers = [provider for source in sources.values() for provider in source.providers.values()]
    detail = {f"detail.{provider.detail.name}" for provider in providers if provider.detail}
    return frozenset(raw | detail | {f"meta.{seed.name}" for seed in SEEDS} | {MEASUREMENTS, FORECASTS})


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
        Reason: a model, its document or a rule in it is wrong; the line says which and how to mend it.
        SettingError: a setting is wrong.
    """
    history.write_quickly()
    models = load_models(sources) if models is None else models
    settings, now = settings or environment.read(), datetime.now(UTC)
    rules = {
        **{f"raw.{source.name}": checks.rules_for_source(source) for source in sources.values()},
        **{f"meta.{seed.name}": checks.rules_for_seed(seed) for seed in SEEDS},
        **{model.name: checks.rules_for_model(model) for model in models},
        FORECASTS: rules_for_forecasts(),
    }
    rules = {relation: found for relation, found in rules.items() if found}
    built = [["meta", seed.name] for seed in SEEDS] + [[model.schema, model.table] for model in models]
    made = [relation_key(MEASUREMENTS), relation_key(FORECASTS)]
    place = places(models)
    return Definitions(
        assets=[
            *(raw_asset(source, settings, now=now) for source in sources.values()),
            *(seed_asset(seed, sources) for seed in SEEDS),
            *(model_asset(model, models, place[model.name]) for model in models),
            measurements_asset(models, place[MEASUREMENTS]),
            forecasts_asset(place[FORECASTS]),
            publish_asset(rules, [*(["raw", name] for name in sources), *built, *made]),
            report_asset(),
        ],
        asset_checks=[
            *(checks.table_checks(relation, found) for relation, found in rules.items()),
            *(freshness_check(source) for source in sources.values()),
        ],
        jobs=jobs.jobs(sources),
        schedules=jobs.schedules(),
        sensors=[
            build_what_changed(),
            mark_killed_runs(),
            tell_of_failures(),
            watch_freshness(sources),
            tidy_history(),
        ],
        resources={"pipeline": held_by_runs(Pipeline(sources, models)), **(resources or {})},
        executor=in_process_executor,
    )


history.warn_if_temporary()
defs = build_defs()
