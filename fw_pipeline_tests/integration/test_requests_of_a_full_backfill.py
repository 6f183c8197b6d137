"""What a full backfill asks for is counted at the test server, and is what docs/requests.md says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fw_pipeline.contract import Batch
from fw_pipeline.sources.stackoverflow import clickhouse_posts, stackexchange_api
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.questions_live import Desk

PAGE = (Path(__file__).parents[2] / "docs" / "requests.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)


def told(row: str) -> int:
    """The last column of a row of the page."""
    (found,) = re.findall(rf"^\| {re.escape(row)} \|.*\| ([\d,]+) \|$", PAGE, re.MULTILINE)
    return int(found.replace(",", ""))


def test_the_copy_of_the_dump_is_one_request_for_all_its_months(tmp_path: Path, services: FakeServices) -> None:
    services.reset(World(first_question=date(2024, 2, 1), last_question=date(2024, 3, 1), today=date(2026, 11, 1)))
    desk = Desk(tmp_path, clickhouse_posts.PROVIDER, services)
    fetch = desk.fetch("2015-11", "2024-03", now=NOW)
    found = [it for it in clickhouse_posts.PROVIDER.fetch(fetch) if isinstance(it, Batch)]
    assert [it.month for it in found] == [date(2024, 2, 1), date(2024, 3, 1)]
    assert clickhouse_posts.PROVIDER.plan(fetch).requests == 1
    assert len(services.requests) == 1 == told("Stack Overflow, 2015-11 to 2024-03, from `clickhouse`")


@pytest.mark.long
def test_the_questions_since_are_listed_within_the_quota_of_a_day_without_a_key(
    tmp_path: Path, services: FakeServices
) -> None:
    world = World(first_question=date(2024, 4, 1), last_question=date(2026, 10, 1), today=date(2026, 11, 28))
    world.questions_a_month, world.keyless_quota = 600, 300
    services.reset(world)
    desk = Desk(tmp_path, stackexchange_api.PROVIDER, services)
    fetch = desk.fetch("2024-04", "2026-10", now=NOW)
    said = re.search(r"at most about (\d+) requests", stackexchange_api.PROVIDER.plan(fetch).text)
    assert said is not None
    assert not services.requests
    found = list(stackexchange_api.PROVIDER.fetch(fetch))
    assert len([it for it in found if isinstance(it, Batch)]) == 31
    assert len(services.requests) <= int(said[1]) <= 300
    assert len(services.requests) == told("Stack Overflow, 2024-04 to 2026-10, from `api`")
