"""A run that is killed loses nothing: every file opens, no month is half there, and the next run completes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from fw_pipeline.warehouse import query
from fw_pipeline_tests.command import fw_pipeline, start


def whole(data: Path) -> None:
    """Every vintage can be read, and so can the published file."""
    for path in (data / "raw").rglob("[0-9]*.parquet"):
        assert pl.read_parquet(path).height > 0
    if (data / "warehouse.duckdb").exists():
        assert query(data / "warehouse.duckdb", "select count(*) from marts.verdicts").item() > 0


def leftovers(data: Path) -> list[Path]:
    return [*data.rglob(".writing-*"), *data.glob(".publishing-*")]


def test_kills_at_every_stage_lose_nothing_and_the_next_run_gives_the_same(recorded_once: Path, tmp_path: Path) -> None:
    """The stages are told apart by what is on disk."""
    data = tmp_path / "data"
    stages: dict[str, Callable[[], bool]] = {
        "fetching": lambda: len(list((data / "raw").rglob("*.parquet"))) > 40,
        "building": lambda: (data / ".work" / "warehouse.duckdb").exists() and len(list((data / "raw").glob("*"))) == 4,
        "publishing": lambda: bool(list(data.glob(".publishing-*"))) or (data / "warehouse.duckdb").exists(),
    }
    for name, reached in stages.items():
        process = start(data, ["run"])
        deadline = time.monotonic() + 200
        while process.poll() is None and not reached() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert reached(), f"{name}: the run ended before"
        whole(data)
    done = fw_pipeline(data, "run")
    assert done.status == 0, done.err
    whole(data)
    assert leftovers(data) == []
    for table in ("raw.pypi", "raw.stackoverflow", "raw.papers", "raw.huggingface", "marts.verdicts", "meta.coverage"):
        sql = "select columns(lambda c: c not in ('observed_at', 'run_id', 'evidence')) "
        sql += f"from {table} order by all"
        one, other = query(recorded_once / "warehouse.duckdb", sql), query(data / "warehouse.duckdb", sql)
        assert one.equals(other), table
