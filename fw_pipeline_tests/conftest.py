"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from playwright.sync_api import sync_playwright

from fw_pipeline_tests.support import cut_off
from fw_pipeline_tests.support.chromium import CHROMIUM, FLAGS
from fw_pipeline_tests.support.cluster_servers import refuse_to_skip
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.duckdb_releases import Releases, shared_folder
from fw_pipeline_tests.support.fake_services.server import FakeServices

LONGEST = (
    *(
        "test_cluster",
        "test_ui_backfills",
        "test_clocks",
        "test_kills",
        "test_hostile_names_live",
        "test_report_browser",
    ),
    *("test_ui_browser", "test_live", "test_claims", "test_forecasts", "test_publishing_under_readers"),
    *("test_page", "test_output", "test_models_on_recorded_figures", "test_publish_assets", "test_asset_checks"),
)
"""Files that take a minute or more as long tests, then those that take longest as quick ones; the longest first."""

RECORDING = "test_run_commands"
"""The file that is started first: it makes `recorded_once`, which takes a minute."""

settings.register_profile(
    "ci", max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile(
    "hard", max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure() -> None:
    """Fail before the first test where one would be skipped for want of a server, if that is not wanted."""
    refuse_to_skip()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files, each of which runs in one process, so that no process waits for the other.

    While one makes the recorded run, the other has files that do not need it. Among either kind the longest come first,
    so that none is left alone with one at the end.
    """
    rank = {name: place for place, name in enumerate(LONGEST)}
    waiting = {item.path for item in items if "recorded_once" in getattr(item, "fixturenames", ())}

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        file = item.path
        return file.stem != RECORDING, file in waiting, rank.get(file.stem, len(rank))

    items.sort(key=place)


@pytest.fixture(scope="session")
def running_services() -> Iterator[FakeServices]:
    """One server for the whole session."""
    with FakeServices() as services:
        yield services


@pytest.fixture
def services(running_services: FakeServices) -> FakeServices:
    """The fake services, with a fresh world, no faults and an empty log."""
    running_services.reset()
    return running_services


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A data folder after one full recorded run, cut off where that can be. Do not change it: take `recorded`."""
    shared = shared_folder(tmp_path_factory, worker_id)
    data = shared / "recorded" / "data"
    with FileLock(shared / "recorded.lock"):
        if not data.exists():
            data.parent.mkdir()
            within = () if cut_off.why_not() else cut_off.prefix(data.parent / "attempts")
            done = fw_pipeline(data, "run", within=within)
            assert done.status == 0, done.err
    return data


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Releases:
    """Other releases of DuckDB."""
    return Releases(shared_folder(tmp_path_factory, worker_id))


@pytest.fixture
def recorded(recorded_once: Path, tmp_path: Path) -> Path:
    """A copy of the data folder after one full recorded run, to do with as you like."""
    data = tmp_path / "data"
    shutil.copytree(recorded_once, data)
    return data


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running browser."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()
