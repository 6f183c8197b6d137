"""The code location, and a history that is forgotten, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dagster import (
    DagsterInstance,
    Definitions,
)

from fw_pipeline.definitions import defs


@pytest.fixture(scope="session")
def location() -> Definitions:
    """The code location, as Dagster loads it."""
    return defs()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made
