"""The table of docs/requests.md is what the test server counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fw_pipeline_tests.support import hub_live, papers_live
from fw_pipeline_tests.support.fake_services.server import FakeServices

PAGE = (Path(__file__).parents[2] / "docs/requests.md").read_text(encoding="utf-8")


def told(row: str) -> str:
    """Return what the table says of a row, after."""
    (found,) = re.findall(rf"^\| {re.escape(row)} \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize(
    ("row", "first", "last"),
    [
        ("every month", "2022-03", "2023-06"),
        ("2022-03 to 2022-12", "2022-03", "2022-12"),
        ("2022-04 alone", "2022-04", "2022-04"),
        ("2023-06 alone", "2023-06", "2023-06"),
    ],
)
def test_the_hub_costs_what_the_table_says(
    row: str, first: str, last: str, tmp_path: Path, services: FakeServices
) -> None:
    services.world.hub_page_cap = 100
    desk = hub_live.Desk(tmp_path, services)
    assert not desk.run(first, last).failures
    assert told(f"Hub (`api`), {row}") == f"{len(services.of('huggingface'))}"


def test_the_archive_costs_what_the_table_says(tmp_path: Path, services: FakeServices) -> None:
    desk = papers_live.Desk(tmp_path, services, "archive")
    counted = []
    for day in (1, 2):
        services.requests.clear()
        links, papers = map(desk.on_the_hub, ("links-between-paper-and-code", "papers-with-abstracts"))
        assert not desk.run(
            "2022-01", "2023-06", now=datetime(2023, 8, day, tzinfo=UTC), links=links, papers=papers
        ).failures
        counted.append([it.status for it in services.requests])
    first, second = counted
    assert told("archive, every month, for the first time") == f"{len(first)}"
    assert told("archive, every month, once more") == (f"{len(second)}, of which {second.count(304)} download nothing")
