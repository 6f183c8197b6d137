"""One partitioned asset a source: it fetches months, adds vintages, and loads them. The only Dagster code that does."""

import time
from collections.abc import Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetObservation,
    AssetsDefinition,
    Failure,
    MaterializeResult,
    MetadataValue,
    OpExecutionContext,
    ResourceParam,
    asset,
)
from dagster._core.definitions.source_asset import (
    SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as EVENTS_ARE_LOGGED,
)

from fw_pipeline.contract import PROVENANCE, SHARED_COLUMNS, Reason, Source, Window
from fw_pipeline.orchestration.choosing import choose
from fw_pipeline.orchestration.columns import column_schema
from fw_pipeline.orchestration.ingest import MonthOutcome, ingest
from fw_pipeline.orchestration.partitions import MONTHS, ONE_RUN, beta, key, windows
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.plain import in_markdown

GREY = (
    "A month that stays grey has no figure: click it under *Partitions*, then *View all historical events*, which says "
    "why. A backfill that meets one ends as *Failure*; every other month of it stands."
)


def raw_asset(source: Source) -> AssetsDefinition:
    """Return the asset `raw/<source>`: one partition a month, one run for any range.

    A month turns green when its vintage is written, not when the run ends. A month without a figure stays grey: it is
    no success and no zero; an observation of the month and `meta.coverage` say why. Dagster would mark the whole range
    at the end, which is why each month's event is logged here and the closing result is told that they are there.
    """
    table = source.table
    words = {**SHARED_COLUMNS, **table.columns}
    schema = {**table.schema, **PROVENANCE}

    @beta(asset)(
        key=["raw", source.name],
        partitions_def=MONTHS,
        backfill_policy=ONE_RUN,
        group_name="raw",
        kinds={"python", "parquet"},
        owners=["team:fw_pipeline"],
        tags={"source": source.name},
        description="\n\n".join(
            [table.description, f"Source: {source.title} ({source.url}). Licence: {source.licence}.", GREY]
        ),
        metadata={
            "dagster/column_schema": column_schema({n: (str(k), words[n]) for n, k in schema.items()}),
            "dagster/table_name": f"raw.{source.name}",
            "providers": MetadataValue.md(
                "\n".join(f"* `{p.name}`: {p.answers}. Needs {p.needs}." for p in source.providers.values())
            ),
        },
    )
    def raw(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        began = time.monotonic()
        rows = fetch_months(context, source, pipeline, windows(context))
        return MaterializeResult(
            metadata={
                EVENTS_ARE_LOGGED: True,
                "dagster/row_count": rows,
                "seconds": round(time.monotonic() - began, 2),
            }
        )

    return raw


def fetch_months(
    context: AssetExecutionContext | OpExecutionContext, source: Source, pipeline: Pipeline, asked: Sequence[Window]
) -> int:
    """Fetch windows of months of a source, mark each month that came as materialised, load them; return the rows.

    Raises:
        Failure: something failed, each on its line; what came before stands.
    """
    failures: list[Reason] = []
    rows = 0

    def done(outcome: MonthOutcome) -> None:
        pipeline.progress("fetch", f"{source.name} {outcome.month or 'unpartitioned'} {outcome.status}")
        if outcome.month and outcome.status in ("present", "unchanged", "here already"):
            context.log_event(
                AssetMaterialization(
                    ["raw", source.name],
                    partition=key(outcome.month),
                    metadata={
                        "dagster/partition_row_count": outcome.rows,
                        "vintage": outcome.path.name if outcome.path else "unchanged since the last one",
                        "evidence": list(outcome.evidence),
                    },
                )
            )
        elif outcome.month:
            context.log_event(
                AssetObservation(
                    ["raw", source.name],
                    partition=key(outcome.month),
                    description=f"{outcome.status}: {outcome.cause}",
                    metadata={"status": outcome.status, "reason": outcome.cause or "not said"},
                )
            )

    def say(text: str) -> None:
        context.log.info(text)
        pipeline.progress("say", text)

    def waits(text: str) -> None:
        context.log.info(text)
        pipeline.progress("wait", text)

    try:
        chosen = choose(source, pipeline.settings)
        for window in asked:
            got = ingest(
                chosen,
                window,
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
            rows = writer.load_raw(source.name)
    except Reason as reason:
        failures.append(reason)
    if failures:
        raise failed(failures)
    return rows


def failed(reasons: list[Reason]) -> Failure:
    """Return the failure that shows every reason as one line, first in the UI and then on the command line."""
    lines = list(dict.fromkeys(str(reason) for reason in reasons))
    return Failure(
        description="\n".join(lines),
        metadata={"reasons": MetadataValue.md("\n".join(f"* {in_markdown(line, 2000)}" for line in lines))},
        allow_retries=False,
    )
