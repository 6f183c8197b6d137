"""The one step that builds: every table in order, each with its checks at once, through one open working file."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    multi_asset,
)

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.asset_checks import broken, check_specs, prove, results, selected
from fw_pipeline.orchestration.asset_metadata import as_markdown, column_lineage, column_schema, relation_key
from fw_pipeline.orchestration.build_plan import Table
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.quality import Expectation
from fw_pipeline.warehouse import Writer

PREVIEW_ROWS = 10

PUBLISH = AssetKey("publish")
UNCHANGED = "unchanged until publish runs"
KEPT = "earlier: nothing has changed that it is made from"

Told = MaterializeResult[Any] | AssetCheckResult


def build_step(tables: Sequence[Table]) -> AssetsDefinition:
    """Return the step that makes the tables: an asset each, whose key is its name, with its checks.

    A table that would come out the same, since nothing has changed that it is made from, is kept as it is.
    A table that cannot be made, or that breaks a critical rule, keeps what reads it from being built; the rest is
    built, and the step ends as failed. Any of the tables, and any of the checks, may be chosen alone.
    """

    @multi_asset(
        name="build",
        specs=[_spec(table) for table in tables],
        check_specs=[spec for table in tables for spec in check_specs(table.relation, table.rules)],
        can_subset=True,
    )
    @plain_failures
    def build(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> Iterator[Told]:
        wanted = {".".join(key.path) for key in context.selected_asset_keys}
        launched = context.run.asset_selection
        note = {"published file": UNCHANGED} if launched and PUBLISH not in launched else {}
        failed: set[str] = set()
        not_built: set[str] = set()
        failures: list[PipelineError] = []
        try:
            with pipeline.building(wanted) as transaction:
                for table in tables:
                    rules = selected(table.relation, table.rules, context.selected_asset_check_keys)
                    if not rules and table.relation not in wanted:
                        continue
                    if why := _in_the_way(table, failed, not_built):
                        context.log.warning("%s is not built: %s", table.relation, why)
                        not_built.add(table.relation)
                        continue
                    told, against = _turn(
                        table, rules, pipeline, transaction, is_wanted=table.relation in wanted, note=note
                    )
                    yield from told
                    if against:
                        failed.add(table.relation)
                        failures += against
        except PipelineError as reason:  # the file cannot be opened, or nothing more can be written to it
            failures.append(reason)
        if failures:
            raise ExceptionGroup("tables that could not be built", failures)

    return build


def _in_the_way(table: Table, failed: Collection[str], not_built: Collection[str]) -> str:
    """Return what keeps a table from being built; nothing if all that it reads is sound."""
    causes = [f"{name} failed" for name in table.reads if name in failed]
    causes += [f"it reads {name}, which was not built" for name in table.reads if name in not_built]
    return "; ".join(causes)


def _turn(
    table: Table,
    rules: Sequence[Expectation],
    pipeline: Pipeline,
    transaction: Callable[[], AbstractContextManager[Writer]],
    *,
    is_wanted: bool,
    note: Mapping[str, str],
) -> tuple[list[Told], list[PipelineError]]:
    """Make a table where it is wanted, and check it, in one transaction; return what Dagster is told, and what failed.

    Raises:
        StorageError: the disk refuses.
    """
    told: list[Told] = []
    try:
        with transaction() as writer:
            if is_wanted:
                metadata = {**_make(table, writer, pipeline), **note}
                told.append(MaterializeResult(asset_key=relation_key(table.relation), metadata=metadata))
            outcomes = prove(writer, pipeline, table.relation, rules)
    except StorageError:
        raise
    except PipelineError as reason:
        return [], [reason]
    return [*told, *results(table.relation, rules, outcomes)], broken(table.relation, outcomes)


def _spec(table: Table) -> AssetSpec:
    return AssetSpec(
        relation_key(table.relation),
        deps=[relation_key(relation) for relation in table.reads],
        skippable=True,
        group_name=table.place.group,
        kinds={"sql" if table.sql else "python", "duckdb"},
        owners=["team:fw_pipeline"],
        tags=table.place.tags,
        description=table.description,
        metadata={
            "dagster/column_schema": column_schema(table.columns),
            "dagster/table_name": table.relation,
            **({"sql": MetadataValue.md(f"```sql\n{table.sql}\n```")} if table.sql else {}),
        },
    )


def _make(table: Table, writer: Writer, pipeline: Pipeline) -> dict[str, Any]:
    """Make a table unless it would come out the same, and return what its materialisation says."""
    began = time.monotonic()
    built = table.renew(writer, pipeline)
    rows = built.rows if built else int(writer.frame(f"from {table.relation} select count(*)").item())
    preview = writer.frame(f"from {table.relation} limit {PREVIEW_ROWS}")
    pipeline.progress("build" if built else "keep", table.relation)
    origins = table.lineage()
    return {
        "dagster/row_count": rows,
        "preview": MetadataValue.md(as_markdown(preview)),
        "seconds": time.monotonic() - began,
        "made": "anew" if built else KEPT,
        **({"dagster/column_lineage": column_lineage(origins)} if origins else {}),
    }
