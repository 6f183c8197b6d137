"""What pytest is told while mutants are tried: what a test reaches, how long it takes, what stands in for a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import coverage
import pytest

JUDGED = ("marts.verdicts", "marts.headline_verdicts", "marts.drift_rates")


class Timed:
    """How long each test took, with what it set up; and whether all of them passed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


class Contexts:
    """Which test reached which line. What is set up for a whole file is noted for the file, as `file`."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measured.switch_context(item.nodeid)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: pytest.FixtureRequest) -> Iterator[None]:
        if fixturedef.scope == "function":
            return (yield)
        node = request._pyfuncitem.nodeid  # the test for which it is set up first
        self._measured.switch_context(node.partition("::")[0])
        made = yield
        self._measured.switch_context(node)
        return made


class Recorded:
    """What stands in for `recorded_once`, whose own making would take a whole run."""

    def __init__(self, make: Callable[[Path], None]) -> None:
        self._make = make

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: pytest.FixtureRequest) -> Path | None:
        if fixturedef.argname != "recorded_once":
            return None
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        data = factory.mktemp("stand-in") / "data"
        self._make(data)
        fixturedef.cached_result = (data, fixturedef.cache_key(request), None)
        return data


def judged(data: Path) -> None:
    """Make a published file with the verdicts of this SQL on the recorded figures, and nothing else."""
    bench = import_module("fw_pipeline_tests.support.claims_warehouse")
    known = import_module("fw_pipeline_tests.support.relations").models()
    data.mkdir()
    with bench.in_memory(bench.before_models()) as connection:
        bench.measure(connection, known, also=JUDGED)
        connection.execute(f"attach '{data / 'warehouse.duckdb'}' as published")
        connection.execute("create schema published.marts")
        for table in JUDGED:
            connection.execute(f"create table published.{table} as from memory.{table}")
