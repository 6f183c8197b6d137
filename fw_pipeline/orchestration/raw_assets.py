"""One asset per source, partitioned by closed UTC months, which fetches months, adds vintages and loads them.

Every job fetches by it; partitions and the policy of backfills are said here, once for everything.
"""

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, ParamSpec, TypeVar

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    BetaWarning,
    MetadataValue,
    MonthlyPartitionsDefinition,
    OpExecutionContext,
    ResourceParam,
    multi_asset,
)

from fw_pipeline.contract import PROVENANCE, SHARED_COLUMNS, Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.committer import MonthOutcome
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import asking, choose, offered, shared_out
from fw_pipeline.months import Window, last_closed_month, parse_month
from fw_pipeline.orchestration.asset_metadata import column_schema
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import Settings
from fw_pipeline.text import one_line

P = ParamSpec("P")
R = TypeVar("R")

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Tags of a run that covers a range of months."""

FETCH = "fetch_"
"""How the names of jobs begin that fetch months of one source."""

BACKFILL = "dagster/backfill"
"""The tag of a run that belongs to a backfill."""


def beta(call: Callable[P, R]) -> Callable[P, R]:
    """Call a part of Dagster that is in beta without its warning: the version is pinned, and tests hold the rest."""

    @functools.wraps(call)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BetaWarning)
            return call(*args, **kwargs)

    return quiet


def policy(settings: Settings) -> BackfillPolicy:
    """Return how a backfill is divided: one run per source for any range, or one for so many months."""
    months = settings.months_per_run
    return beta(BackfillPolicy.multi_run)(months) if months else beta(BackfillPolicy.single_run)()


def pool(source: Source, settings: Settings) -> str | None:
    """Return the pool of which every run that asks a service takes a place, where several machines launch runs."""
    return f"api_{source.name}" if settings.lock_server else None


def months_of(source: Source, settings: Settings, *, now: datetime) -> MonthlyPartitionsDefinition:
    """Return the partitions of a source: the months that its provider can answer.

    Keys are ISO dates of the first day. A month is offered once it has ended; the months end where the provider's do,
    as recorded figures and archives do, and grow with the calendar otherwise.
    """
    window = offered(source, settings, now=now)
    has_ended = window.end <= last_closed_month(now)
    return MonthlyPartitionsDefinition(
        start_date=window.start.isoformat(), end_date=window.end.isoformat() if has_ended else None, timezone="UTC"
    )


def key(month: date) -> str:
    """Return the partition key of a month."""
    return month.isoformat()


def range_tags(window: Window) -> dict[str, str]:
    """Return the tags of a run that covers a window."""
    months = window.months()
    return {RANGE_START: key(months[0]), RANGE_END: key(months[-1])}


def windows(context: AssetExecutionContext) -> list[Window]:
    """Return the months that a run covers, as contiguous windows: one month, a range, or a set with holes."""
    return Window.spans(parse_month(text) for text in context.partition_keys)


GAPS = "every_month_has_a_figure"
"""The check that warns of months that were asked for and are known to have no figure."""

MONTHS = (
    "A month is green once it has been answered. Where it is known that there is no figure, the answer has 0 rows, "
    f"and the check `{GAPS}` warns and says why. A month that failed is red."
)


def raw_asset(source: Source, settings: Settings, *, now: datetime) -> AssetsDefinition:
    """Return the asset `raw/<source>`: one partition per month that the source can have, one run for any range.

    A month turns green when its vintage is written, or its gap noted, not when the run ends. That is why the asset is
    `skippable` and yields no result of its own: Dagster would mark the whole range once more at the end. Whatever
    reads the asset is therefore skipped in the same run, and left to the build that follows.
    """
    table, asset_key = source.table, AssetKey(["raw", source.name])
    words = {**SHARED_COLUMNS, **table.columns}
    schema = {**table.schema, **PROVENANCE}

    @beta(multi_asset)(
        name=f"raw__{source.name}",
        specs=[
            AssetSpec(
                asset_key,
                skippable=True,
                group_name="raw",
                kinds={"python", "parquet"},
                owners=["team:fw_pipeline"],
                tags={"source": source.name},
                description="\n\n".join(
                    [table.description, f"Source: {source.title} ({source.url}). Licence: {source.licence}.", MONTHS]
                ),
                metadata={
                    "dagster/column_schema": column_schema({n: (str(k), words[n]) for n, k in schema.items()}),
                    "dagster/table_name": f"raw.{source.name}",
                    "providers": MetadataValue.md(
                        "\n".join(f"* `{p.name}`: {p.answers}. Needs {p.needs}." for p in source.providers.values())
                    ),
                },
            )
        ],
        check_specs=[
            AssetCheckSpec(
                GAPS,
                asset=asset_key,
                description="Every month that was answered has a figure. A known gap is a warning, and blocks nothing.",
            )
        ],
        partitions_def=months_of(source, settings, now=now),
        backfill_policy=policy(settings),
        pool=pool(source, settings),
    )
    @plain_failures
    def raw(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> Iterator[AssetCheckResult]:
        failures = fetch_months(context, source, pipeline, windows(context))
        try:
            yield known_gaps(source, pipeline)
        except PipelineError as reason:
            failures.append(reason)
        if failures:
            raise ExceptionGroup(f"{source.name}: months that failed", failures)

    return raw


def fetch_months(
    context: AssetExecutionContext | OpExecutionContext, source: Source, pipeline: Pipeline, asked: Sequence[Window]
) -> list[PipelineError]:
    """Fetch windows of months of a source, mark each month that was answered as materialised, and load them.

    Returns:
        Everything that failed; what came in before stands.
    """
    failures: list[PipelineError] = []

    def done(outcome: MonthOutcome) -> None:
        pipeline.progress("fetch", f"{source.name} {outcome.month or 'unpartitioned'} {outcome.status}")
        if event := _event(source, outcome):
            context.log_event(event)

    def say(text: str) -> None:
        context.log.info(text)
        pipeline.progress("say", text)

    def waits(text: str) -> None:
        context.log.info(text)
        pipeline.progress("wait", text)

    try:
        chosen = choose(source, pipeline.settings)
        for window in asked:
            parts = shared_out(chosen, window, pipeline.settings, now=pipeline.clock())
            for one, months in parts[1:]:  # so that the whole cost is said before the first request
                plan = one.provider.plan(asking(one, months, pipeline.settings, now=pipeline.clock())[0])
                say(f"{source.name} {months} will come from {one.provider.name}: {plan.text}")
            for one, months in parts:
                got = ingest(
                    one,
                    months,
                    pipeline.settings,
                    run_id=context.run.run_id,
                    now=pipeline.clock(),
                    log=context.log.info,
                    done=done,
                    say=say,
                    waits=waits,
                    again=pipeline.again,
                )
                failures += got.failures
        with pipeline.warehouse.writing() as writer:
            writer.load_raw(source.name)
        for lost in writer.lost:
            say(lost)
    except PipelineError as reason:
        failures.append(reason)
    return failures


def _event(source: Source, outcome: MonthOutcome) -> AssetMaterialization | AssetObservation | None:
    """Return what Dagster is told of a month: it was answered, with figures or without, or it was not."""
    if outcome.month is None:
        return None
    where, month = ["raw", source.name], key(outcome.month)
    metadata: dict[str, Any]
    if outcome.status in ("present", "unchanged", "here already"):
        vintage = outcome.path.name if outcome.path else "unchanged since the last one"
        metadata = {"dagster/partition_row_count": outcome.rows, "vintage": vintage, "evidence": list(outcome.evidence)}
        return AssetMaterialization(where, partition=month, metadata=metadata)
    reason = outcome.cause or "not said"
    if outcome.status == "gap":
        metadata = {"dagster/partition_row_count": 0, "no figure": reason, "evidence": list(outcome.evidence)}
        return AssetMaterialization(where, f"no figure: {reason}", partition=month, metadata=metadata)
    metadata = {"status": outcome.status, "reason": reason}
    return AssetObservation(where, f"{outcome.status}: {reason}", partition=month, metadata=metadata)


def known_gaps(source: Source, pipeline: Pipeline) -> AssetCheckResult:
    """Return the check that names the months without a figure, and why each has none.

    Raises:
        StorageError: a statement on disk is damaged.
    """
    store = pipeline.vintages
    filled = {vintage.month for vintage in store.vintages(source.name)} - {None}
    last = {said.month: said for said in store.statements(source.name)}
    gaps = {month: said.cause for month, said in sorted(last.items()) if said.status == "gap" and month not in filled}
    months, have = ", ".join(f"{month:%Y-%m}" for month in gaps), "has" if len(gaps) == 1 else "have"
    answered = len(filled | set(gaps))
    text = f"{len(gaps)} of {answered} months {have} no figure, and it is known why: {months}"
    return AssetCheckResult(
        asset_key=["raw", source.name],
        check_name=GAPS,
        passed=not gaps,
        severity=AssetCheckSeverity.WARN,
        description=text if gaps else None,
        metadata={
            "months answered": answered,
            "months without a figure": len(gaps),
            **{f"{month:%Y-%m}": one_line(cause, 500) for month, cause in gaps.items()},
        },
    )
