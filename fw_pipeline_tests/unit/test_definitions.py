"""The code location as Dagster loads it: groups, tags, policies; built when it is asked for, and once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dagster import (
    AssetKey,
    BackfillPolicy,
    Definitions,
)

from fw_pipeline.definitions import defs
from fw_pipeline.orchestration.raw_assets import beta
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import environment


@pytest.fixture(scope="module")
def location() -> Definitions:
    """The code location, as Dagster loads it."""
    return defs()


def test_every_source_has_the_policy_by_which_any_range_of_its_months_is_one_run(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    policies = {graph.get(AssetKey(["raw", source])).backfill_policy for source in SOURCES}
    assert policies == {beta(BackfillPolicy.single_run)()}


def test_loading_the_code_location_builds_it_once_and_imports_no_library_that_only_runs_need(tmp_path: Path) -> None:
    heavy = {"great_expectations", "pandas", "pyarrow", "numpy", "altair", "statsmodels", "sqlalchemy", "alembic"}
    code = (
        "import sys; from fw_pipeline import definitions as it; print(it._models.cache_info().misses); it.defs(); "
        f"print(it._models.cache_info().misses); print(*sorted({heavy} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.splitlines() == ["0", "1", ""], done.stderr
