"""What the charts of this room are drawn from: the small published warehouse, which none of them changes."""

from __future__ import annotations

import pytest

from fw_pipeline_tests.support import report_warehouse


@pytest.fixture(scope="session")
def read() -> report_warehouse.Read:
    return report_warehouse.reader(report_warehouse.small())
