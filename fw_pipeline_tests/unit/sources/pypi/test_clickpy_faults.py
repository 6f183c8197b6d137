"""How ClickHouse says no, wherever it does; and how the network breaks. Never a wrong row, always a line."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.pypi.clickpy import clickpy
from fw_pipeline_tests.support.fake_services.faults import Fault, appended, changed, instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.pypi_live import REAL, Desk, lines

PATH = "/clickpy"
CODE = "X-ClickHouse-Exception-Code"
QUOTA = (
    "Code: 201. DB::Exception: Quota for user `demo` for 3600s has been exceeded: queries = 61/60. "
    "Interval will end at {end}. Name of quota template: `demo`. (QUOTA_EXPIRED)"
)
MEMORY = "Code: 241. DB::Exception: Memory limit (for query) exceeded. (MEMORY_LIMIT_EXCEEDED)"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, clickpy(("torch", "tensorflow")))


@pytest.mark.parametrize("status", [200, 403, 429, 500, 503])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_spent_quota_stops_the_fetch_says_when_to_go_on_and_goes_on_there(desk: Desk, status: int, form: str) -> None:
    end = datetime.now(UTC) + timedelta(minutes=50)
    text = QUOTA.format(end=f"{end:%Y-%m-%d %H:%M:%S}")
    body, kind = (text, "text/plain") if form == "text" else (f'{{"exception":"{text}"}}', "application/json")
    desk.services.faults.add(PATH, instead(status, body, kind, {CODE: "201"}), after=1)
    said = lines(desk.run("2022-01", "2022-03"))[0]
    assert "ClickHouse error 201: Quota for user" in said
    until = re.search(r"run again after (\d{4}-\d\d-\d\d \d\d:\d\d) UTC", said)
    assert until is not None
    assert end <= datetime.strptime(f"{until[1]}Z", "%Y-%m-%d %H:%MZ").replace(tzinfo=UTC) + timedelta(minutes=1)
    assert not desk.months()
    assert len(desk.asked) == 2
    assert not desk.run("2022-01", "2022-03").failures
    assert len(desk.asked) == 3  # the list of days was kept


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the recorded answers")
def test_the_real_answers_of_a_spent_quota_and_of_too_many_rows_are_understood(desk: Desk) -> None:
    past = (REAL / "quota_expired_play_2026-08-26.txt").read_text()
    desk.services.faults.add(PATH, instead(500, past))  # its interval has ended: it is asked again at once
    assert not desk.run("2022-01", "2022-02").failures
    assert len(desk.asked) == 3
    too_many = (REAL / "too_many_rows_158_json.txt").read_text()
    for status in (200, 500):
        desk.services.faults.add(PATH, instead(status, too_many, "application/json"))
        said = lines(desk.run("2022-03", "2022-03"))[0]
        assert "ClickHouse error 158" in said
        assert "shorter range" in said
    assert desk.months() == ["2022-01", "2022-02"]


@pytest.mark.parametrize("fault", [appended(MEMORY), changed(headers={CODE: "241"}), instead(200, MEMORY)])
def test_an_exception_in_an_answer_with_status_200_is_no_result_and_is_asked_again(desk: Desk, fault: Fault) -> None:
    desk.services.faults.add(PATH, fault, after=1)
    assert not desk.run("2022-01", "2022-02").failures
    assert len(desk.asked) == 3
    assert len(desk.months()) == 2


def test_the_engine_itself_refuses_what_the_public_user_may_not_do(desk: Desk) -> None:
    asked = {"user": "demo", "default_format": "JSON"}
    import requests  # noqa: PLC0415

    def said(sql: str, **more: str) -> Any:
        return requests.post(f"{desk.services.url}{PATH}/", params={**asked, **more}, data=sql, timeout=30)

    assert said("SELECT 1 FROM pypi.no_such_table").headers[CODE] == "60"
    assert "exception" in said("SELECT 1 FROM pypi.no_such_table").json()
    assert said("SELECT 1", max_result_rows="1000000").headers[CODE] == "452"
    assert said("DROP TABLE pypi.pypi_downloads_per_day").headers[CODE] == "164"
    assert said("SELECT 1", user="root").headers[CODE] == "516"
    assert said("SELECT 1 AS one").json()["rows"] == 1


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("html_200", {}),
        ("error", {"status": 500}),
        ("error", {"status": 502}),
        ("error", {"status": 504}),
        ("error", {"status": 403}),
        ("throttled", {"hint": "none"}),
        ("throttled", {"status": 503, "hint": "seconds", "seconds": 4000}),
        ("reset_mid_body", {}),
        ("short_body", {}),
        ("truncated_gzip", {}),
        ("truncated_body", {}),
        ("wrong_content_type", {}),
        ("invalid_utf8", {}),
        ("redirect_to_page", {}),
        ("redirect_elsewhere", {}),
        ("redirect_loop", {}),
        ("bomb", {"megabytes": 80}),
        ("huge_claimed", {}),
    ],
)
@pytest.mark.parametrize("after", [0, 1], ids=["first request", "second request"])
def test_a_broken_network_leaves_one_line_and_no_row_and_heals(
    desk: Desk, fault: str, options: dict[str, Any], after: int
) -> None:
    desk.services.faults.add(PATH, fault, times=-1, after=after, **options)
    said = lines(desk.run("2022-01", "2022-02"))
    assert len(said) == 1
    assert said[0].startswith("pypi (clickpy) 2022-01 to 2022-02: ")
    assert not desk.months()
    desk.services.faults.clear()
    before = len(desk.asked)
    assert not desk.run("2022-01", "2022-02").failures
    assert len(desk.asked) - before == 2 - after
    truth = desk.services.world.downloads_in(date(2022, 2, 1), "torch")
    assert desk.one("2022-02", "torch")["downloads"] == truth


def test_a_server_that_is_down_is_one_line_and_no_row(desk: Desk) -> None:
    with desk.services.down():
        assert "refuses the connection" in lines(desk.run("2022-01", "2022-02"))[0]
    assert not desk.run("2022-01", "2022-02").failures


def test_reach_and_plan_ask_nothing(desk: Desk, tmp_path: Path) -> None:
    settings = read({"FW_DATA_DIR": str(tmp_path), "FW_PROVIDERS": "pypi=clickpy"}, dotenv=Path("none"))
    chosen = choose(SOURCES["pypi"], settings)
    fetch, _ = asking(chosen, Window.of(date(2022, 1, 1), date(2022, 2, 1)), settings, now=datetime.now(UTC))
    chosen.provider.reach(fetch)
    chosen.provider.plan(fetch)
    assert not desk.asked
