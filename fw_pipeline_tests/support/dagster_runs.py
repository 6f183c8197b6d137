"""Jobs of the code location, run in this process over a data folder; and a month that comes in by another way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from dagster import (
    DagsterInstance,
    ExecuteInProcessResult,
)

from fw_pipeline.definitions import build_defs, load_models
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import held_by_runs
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES


def pipeline_of(data: Path) -> Pipeline:
    """Return what the runs over a data folder work with."""
    return Pipeline(SOURCES, load_models(), given=read({"FW_DATA_DIR": str(data)}, dotenv=data / "none"))


def execute(data: Path, instance: DagsterInstance, job: str, **options: Any) -> ExecuteInProcessResult:
    """Run a job to its end, whatever fails."""
    pipeline = pipeline_of(data)
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline)}, settings=pipeline.settings)
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False, **options)


def add_month(data: Path, month: date = date(2024, 1, 1), questions: int = 321) -> None:
    """Let a month come in that the recorded figures do not have."""
    rows = [{"month": month, "tagged": tag, "questions": questions} for tag in ("tensorflow", "pytorch", "keras")]
    pipeline_of(data).vintages.add(
        "stackoverflow",
        month,
        pl.DataFrame(
            [{**row, "method": "counted", "origin": "test"} for row in rows], SOURCES["stackoverflow"].table.schema
        ),
        provider="api",
        observed_at=datetime(2024, 2, 3, tzinfo=UTC),
        evidence=(),
        run_id="test",
    )
