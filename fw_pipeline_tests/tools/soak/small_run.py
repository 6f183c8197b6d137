"""The pipeline on a few months and models, by the jobs that people launch: small enough to run hundreds of times.

Importing this imports everything that a run needs, so that a fork of this process begins at once.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import altair as alt  # noqa: F401 - imported before the fork
import great_expectations  # noqa: F401
import pandas as pd  # noqa: F401
from dagster import AssetKey, DagsterInstance

from fw_pipeline.definitions import build_defs, load_models
from fw_pipeline.months import Window
from fw_pipeline.orchestration.instance import told
from fw_pipeline.orchestration.jobs import REBUILD, fetch
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import Ran, run_job
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import Model

MONTHS = Window.of(date(2022, 12, 1), date(2023, 5, 1))
"""Every source has recorded figures in one of these."""

WANTED = (
    "marts.framework_metrics", "meta.coverage", "claims.c02_twice_the_questions", "marts.verdicts",
    "marts.forecast_series",
)  # fmt: skip
"""These, and what they read, are built: all four sources, every layer, a claim, and what the forecasts read."""


def closure(models: Iterable[Model], wanted: Iterable[str]) -> tuple[Model, ...]:
    """Return the wanted models and all that they read, in the order of building."""
    by_name = {model.name: model for model in models}
    kept: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in kept:
            kept.add(name)
            waiting += by_name[name].upstream
    return tuple(model for name, model in by_name.items() if name in kept)


class SmallRun:
    """The code location with a few models, made once; each run works on the data folder that it is given."""

    def __init__(self) -> None:
        """Read the models and resolve the jobs; nothing is opened."""
        models = closure(load_models(), WANTED)
        self._pipeline = Pipeline(SOURCES, models)
        self._definitions = build_defs(models=models, resources={"pipeline": self._pipeline})
        self._keys = self._definitions.resolve_asset_graph().executable_asset_keys
        for job in (*map(fetch, SOURCES), REBUILD):
            self._definitions.resolve_job_def(job)

    def __call__(self, data: Path, *, home: Path, progress: Callable[[str, str], None], only: str = "") -> Ran:
        """Fetch every source and build all but the page, or build the asset `only`. Once a process."""
        os.environ["DAGSTER_HOME"] = str(home)
        settings = read({"FW_DATA_DIR": str(data)}, dotenv=data / "none")
        self._pipeline.given, self._pipeline.progress = settings, progress
        skip = [AssetKey(["report"])] if not only else [key for key in self._keys if key != AssetKey([only])]
        fetched = [] if only else list(map(fetch, SOURCES))
        with told(), DagsterInstance.get() as instance:
            ran = [run_job(self._definitions, job, instance=instance, window=MONTHS) for job in fetched]
            ran.append(run_job(self._definitions, REBUILD, instance=instance, skip=skip))
        failures = tuple(line for one in ran for line in one.failures)
        return Ran(all(one.succeeded for one in ran), failures, ran[-1].run_id)


def recorded_figures(data: Path) -> None:
    """Give a data folder recorded figures of its own: those of `MONTHS`, and those of no month."""
    shipped, own = PROJECT_DIR / "data" / "recorded", data / "recorded"
    own.mkdir(parents=True)
    for path in shipped.glob("*.csv"):
        if path.stem not in SOURCES:
            shutil.copyfile(path, own / path.name)
            continue
        with path.open(encoding="utf-8", newline="") as stream, (own / path.name).open("w", newline="") as out:
            lines = csv.DictReader(stream)
            writer = csv.DictWriter(out, lines.fieldnames or ())
            writer.writeheader()
            writer.writerows(line for line in lines if _wanted(line["month"]))


def _wanted(month: str) -> bool:
    return not month or f"{MONTHS.start:%Y-%m}" <= month[:7] < f"{MONTHS.end:%Y-%m}"
