"""Fixtures that several test modules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fw_pipeline_tests.fake_services.server import FakeServices


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
