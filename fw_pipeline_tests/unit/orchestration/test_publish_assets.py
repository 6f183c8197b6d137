"""The published file: of one state of the figures, and with an overview of what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster import (
    AssetKey,
    DagsterInstance,
    ExecuteInProcessResult,
)

from fw_pipeline.orchestration.publish_assets import contents
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.dagster_runs import add_month, execute


def publish(data: Path, instance: DagsterInstance) -> ExecuteInProcessResult:
    return execute(data, instance, "rebuild", asset_selection=[AssetKey("publish")])


def made_again(done: ExecuteInProcessResult) -> Any:
    metadata = done.asset_materializations_for_node("publish")[0].metadata
    assert {"published", "path", "answer", "months of pypi"} <= set(metadata)
    return metadata["made again"].value


def test_months_that_come_in_while_tables_are_built_are_in_every_table_that_is_published(
    recorded: Path, instance: DagsterInstance
) -> None:
    sql = "select count(*) from {} where month = date '2024-01-01'"
    tables = ("raw.stackoverflow", "staging.stackoverflow", "marts.stackoverflow_comparison")
    before = [query(recorded / "warehouse.duckdb", sql.format(table)).item() for table in tables]
    add_month(recorded)
    done = publish(recorded, instance)
    assert done.success
    published = query(recorded / "warehouse.duckdb", " union all by name ".join(sql.format(it) for it in tables))
    assert all(now > then for now, then in zip(published.to_series(), before, strict=True)), (before, published)
    again = made_again(done)
    assert "marts.stackoverflow_comparison" in again
    assert "staging.author_cohorts" not in again
    assert made_again(publish(recorded, instance)) == []


def test_the_overview_of_the_published_file_has_the_answer_the_verdicts_and_the_months(recorded_once: Path) -> None:
    file = recorded_once / "warehouse.duckdb"
    said = contents(file)
    assert "PyTorch passed TensorFlow in downloads in January 2024" in said["answer"]
    months = query(file, "select source, months, strftime(last_month, '%b %Y') as last from meta.sources").rows()
    for source, count, last in months:
        assert said[f"months of {source}"].startswith(f"{count} months with figures, ")
        assert f" to {last}; last fetched 20" in said[f"months of {source}"]
    [(as_of, claims)] = query(
        file, "select strftime(max(as_of), '%b %Y'), count(distinct claim) from marts.headline_verdicts"
    ).rows()
    assert sum(int(part.split()[0]) for part in said[f"verdicts as of {as_of}"].split(", ")) == claims
