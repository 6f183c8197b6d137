"""Readers of the published file while it is replaced again and again.

Each generation adds a vintage, loads it, builds a table of each layer in a transaction of its own, and publishes. The
figure of the vintage is the number of the generation, so that a reader can tell whether all layers are of one build.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from fw_pipeline.definitions import load_models
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import environment
from fw_pipeline_tests.tools.benchmarks import bare
from fw_pipeline_tests.tools.soak import reader
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 600.0
"""A hundred publishes take two minutes on an idle machine."""
PUBLISHES = 100
LEAST = 3
"""Publishes when there is no time."""

NOBODY = 65534
OLDER = "1.5.6"
"""A release of DuckDB that reads the storage version of the published file, and is not the one that writes it."""

BUILT = ("staging.stackoverflow", "marts.framework_metrics", "marts.stackoverflow_comparison")
"""What every generation builds anew, in this order."""


@dataclass(slots=True)
class Reader:
    """A process that reads until it is told to stop."""

    name: str
    path: Path
    hold: int = 1
    """Queries before it opens the file anew."""
    user: int | None = None
    python: str = sys.executable
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        """Start it."""
        user = [] if self.user is None else [str(self.user)]
        self.process = subprocess.Popen(
            [self.python, reader.__file__, str(self.path), str(self.hold), *user],
            env=environment(self.path.parent),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        """Wait until it has read once, or stopped."""
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def into(self, tally: Tally) -> None:
        """Stop it and add what it saw."""
        said, _ = self.process.communicate()
        try:
            saw = json.loads(said.splitlines()[-1])
        except (IndexError, ValueError):
            tally.failures.append(f"{self.name} stopped: {' '.join(said.split())[-300:] or 'without a word'}")
            return
        tally.counts.append(
            f"{self.name} (DuckDB {saw['duckdb']}): {saw['reads']:,} reads of {len(saw['seen'])} generations, "
            f"{len(saw['faults'])} faults"
        )
        tally.failures += [f"{self.name}: {fault}" for fault in saw["faults"]]
        if len(saw["seen"]) < 2:
            tally.failures.append(f"{self.name} saw fewer than two generations: nothing was shown")


class Generations:
    """A data folder whose published file is replaced by a build that knows its number."""

    def __init__(self, data: Path, recorded: Path | None = None) -> None:
        """Begin with a copy of a data folder after a recorded run, or with the recorded figures of some months."""
        months = ("--from", "2022-06", "--to", "2023-01")
        if recorded:
            shutil.copytree(recorded, data)
        else:
            subprocess.run([sys.executable, "-m", bare.__name__, *months], check=True, env=environment(data))
        self.pipeline = Pipeline(SOURCES, load_models(), given=read({"FW_DATA_DIR": str(data)}, dotenv=data / "none"))
        self._models = {model.name: model for model in self.pipeline.models}
        self._began = datetime.now(UTC)
        self.number = 0

    def publish(self) -> None:
        """Publish the next generation."""
        self.number += 1
        row = {"month": date(2023, 1, 1), "tagged": "tensorflow", "questions": self.number, "origin": "soak"}
        self.pipeline.vintages.add(
            "stackoverflow",
            date(2023, 1, 1),
            pl.DataFrame([row], schema=SOURCES["stackoverflow"].table.schema),
            provider="soak",
            observed_at=self._began + timedelta(seconds=self.number),
            evidence=(),
            run_id="soak",
        )
        for relation in BUILT:
            with self.pipeline.writing() as writer:
                writer.build(relation, self._models[relation].sql, description="", columns={})
        with self.pipeline.writing() as writer:
            count = "select count(*)::bigint as metrics from marts.framework_metrics"
            writer.build("meta.generation", count, description="", columns={})
            writer.note_checks(BUILT[-1], [("generation", "info", True, self.number, "", "")])
        self.pipeline.warehouse.publish()


def older_duckdb(folder: Path) -> Path | str:
    """Install an older DuckDB in an environment of its own; return its Python, or why there is none."""
    installer = Path(sys.executable).with_name("uv")
    python = folder / "bin" / "python"
    if not installer.exists():
        return "there is no uv in this environment"
    for arguments in (["venv", str(folder)], ["pip", "install", "--python", str(python), f"duckdb=={OLDER}"]):
        done = subprocess.run([str(installer), "-q", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            return f"duckdb {OLDER} cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}"
    return python


def run(
    budget_seconds: float, *, publishes: int = PUBLISHES, older: bool = True, recorded: Path | None = None
) -> Tally:
    """Publish up to a hundred times while processes read, as another user and with an older DuckDB where possible."""
    tally = Tally("publishes")
    deadline = time.monotonic() + budget_seconds
    with tempfile.TemporaryDirectory(prefix="fw soak ") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "a folder with spaces"
        generations = Generations(data, recorded)
        generations.publish()
        path = generations.pipeline.warehouse.published
        readers = [Reader("opened for each read", path), Reader("held open for 20 reads", path, hold=20)]
        if os.geteuid() == 0:
            readers.append(Reader("as another user", path, user=NOBODY))
        else:
            tally.skip("as another user", "only root may become another user")
        if older:
            python = older_duckdb(Path(folder) / "older")
            if isinstance(python, Path):
                readers.append(Reader("by an older release", path, python=str(python)))
            else:
                tally.skip("by an older release", python)
        for each in readers:
            each.wait()
        done = 0
        while done < publishes and (time.monotonic() < deadline or done < LEAST):
            generations.publish()
            done += 1
        tally.count("publishes while they read", done, publishes)
        for each in readers:
            each.into(tally)
        if left := [*data.rglob(".publishing-*"), *data.rglob(".writing-*")]:
            tally.failures.append(f"left behind: {', '.join(path.name for path in left)}")
    return tally
