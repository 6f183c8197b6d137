"""The code location, and a history that is forgotten, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, Definitions

from fw_pipeline.definitions import defs
from fw_pipeline.orchestration.instance import INSTANCE, write_quickly


@pytest.fixture(scope="session")
def location() -> Definitions:
    """The code location, as Dagster loads it."""
    return defs()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DagsterInstance]:
    """A history on disk with a queue, as it is set up on first use."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
    (tmp_path / "dagster.yaml").write_text(INSTANCE, encoding="utf-8")
    write_quickly()
    with DagsterInstance.get() as made:
        yield made
