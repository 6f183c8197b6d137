"""clickpy: two requests for any range, on a real ClickHouse engine; a month is whole, partial, a hole, or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.ingestion.providers import asking, choose, out_of_reach
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.pypi.clickpy import PROVIDER, clickpy
from fw_pipeline.sources.pypi.monthly_downloads import PACKAGE_NAMES
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.pypi_live import NOW, Desk, LossyWorld, edited, lines, statuses

TWO = ("torch", "tensorflow")
PATH = "/clickpy"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, clickpy(TWO))


def figures_of(desk: Desk) -> dict[tuple[date, str], int]:
    rows = desk.rows()
    return dict(zip(rows.select("month", "package").iter_rows(), rows["downloads"], strict=True))


def test_a_year_and_a_half_of_every_package_takes_two_requests_and_no_figure_is_lost(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, services, PROVIDER)
    got = desk.run("2022-01", "2023-06")
    assert not got.failures
    months = Window.of(date(2022, 1, 1), date(2023, 6, 1)).months()
    truth = {
        (month, package): services.world.downloads_in(month, package) for month in months for package in PACKAGE_NAMES
    }
    assert figures_of(desk) == truth
    rows = desk.rows()
    assert set(rows["origin"]) == {"clickpy"}
    assert set(rows["installers"]) == {"all"}
    assert set(rows["observed_on"]) == {NOW.date()}
    assert rows.filter(rows["window_start"] != rows["month"]).is_empty()
    assert set(rows.filter(rows["month"] == date(2022, 2, 1))["days_covered"]) == {28}
    assert len(desk.asked) == 2
    assert any("2 requests" in line for line in desk.log)


def test_a_day_of_a_package_lies_in_several_rows_of_the_table_so_that_only_a_sum_is_right(desk: Desk) -> None:
    sql = "SELECT count() AS n FROM pypi.pypi_downloads_per_day WHERE project = 'torch' AND date = '2022-03-01'"
    counted: list[int] = []

    def count(body: dict[str, Any]) -> None:
        counted.append(body["data"][0]["n"])
        body |= {"data": [], "rows": 0}

    desk.services.faults.add(PATH, lambda request, answer: edited(count)(replace(request, body=sql.encode()), answer))
    assert "no day of any" in lines(desk.run("2022-03", "2022-03"))[0]
    assert counted[0] > 1
    desk.run("2022-03", "2022-03")
    assert desk.one("2022-03", "torch")["downloads"] == desk.services.world.downloads_in(date(2022, 3, 1), "torch")


def test_every_request_asks_for_an_error_instead_of_a_silently_shortened_result(desk: Desk) -> None:
    desk.run("2022-01", "2022-02")
    for request in desk.asked:
        query = dict(request.query)
        assert query["read_overflow_mode"] == query["result_overflow_mode"] == "throw"
        assert query["wait_end_of_query"] == "1"
        assert query["user"] == "demo"
        assert query["param_projects"] == "['torch','tensorflow']"
        assert b"torch" not in request.body  # values are parameters, never part of the SQL
        assert "max_result_rows" not in query  # raising a limit is refused by the server


def test_integers_written_as_strings_are_the_same_figures(desk: Desk) -> None:
    desk.services.world.quoted_integers = True
    assert not desk.run("2022-01", "2022-03").failures
    quoted = figures_of(desk)
    assert quoted[date(2022, 1, 1), "torch"] == desk.services.world.downloads_in(date(2022, 1, 1), "torch")
    assert len(quoted) == 6


def test_an_answer_never_needs_more_rows_than_the_server_gives(tmp_path: Path, services: FakeServices) -> None:
    services.world.clickpy_rows = 20
    desk = Desk(tmp_path, services, clickpy(TWO, most_rows=11))
    assert not desk.run("2022-01", "2022-12").failures
    spans = [(q["param_first"], q["param_end"]) for q in (dict(it.query) for it in desk.asked[1:])]
    assert spans == [("2022-01-01", "2022-06-01"), ("2022-06-01", "2022-11-01"), ("2022-11-01", "2023-01-01")]
    assert len(desk.months()) == 12
    assert any("4 requests" in line for line in desk.log)


def test_a_run_that_broke_between_two_parts_keeps_the_first_and_asks_only_for_the_second(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, services, clickpy(TWO, most_rows=4))
    services.faults.add(PATH, "error", status=500, times=-1, after=2)
    got = desk.run("2022-01", "2022-04")
    assert desk.months() == ["2022-01", "2022-02"]
    assert "HTTP 500" in lines(got)[0]
    services.faults.clear()
    before = len(desk.asked)
    assert not desk.run("2022-01", "2022-04").failures
    assert len(desk.asked) == before + 1
    assert desk.months() == ["2022-01", "2022-02", "2022-03", "2022-04"]


def test_more_rows_than_allowed_is_an_error_that_says_what_to_do_and_no_row(desk: Desk) -> None:
    desk.services.world.clickpy_rows = 5
    got = desk.run("2022-01", "2022-03")
    assert "ClickHouse error 396" in lines(got)[0]
    assert "shorter range" in lines(got)[0]
    assert not desk.months()


def test_a_month_that_the_server_has_not_finished_is_refused_and_filled_once_it_has(desk: Desk) -> None:
    desk.services.world.today = date(2023, 6, 29)
    got = desk.run("2023-05", "2023-06")
    assert statuses(got) == {"2023-05": "present", "2023-06": "refused"}
    assert "newest day of clickpy is 2023-06-28" in lines(got)[0]
    desk.services.world.today = date(2023, 7, 5)
    again = desk.run("2023-05", "2023-06")
    assert not again.failures
    assert desk.one("2023-06", "torch")["days_covered"] == 30


def test_a_month_is_closed_as_soon_as_its_last_day_is_there_and_says_that_this_day_may_grow(desk: Desk) -> None:
    desk.services.world.today = date(2023, 7, 1)
    assert not desk.run("2023-06", "2023-06").failures
    assert any("may still grow" in line for line in desk.log)


def test_a_stalled_server_without_any_day_of_the_month_refuses_it_instead_of_calling_it_empty(desk: Desk) -> None:
    desk.services.world.today = date(2023, 4, 20)
    got = desk.run("2023-06", "2023-06")
    assert statuses(got) == {"2023-06": "refused"}
    assert not desk.months()


def test_days_that_are_missing_make_the_month_partial(desk: Desk) -> None:
    desk.services.world.missing_days = frozenset({date(2022, 5, 10), date(2022, 5, 11)})
    assert not desk.run("2022-05", "2022-06").failures
    may = desk.one("2022-05", "torch")
    assert (may["window_start"], may["days_covered"]) == (date(2022, 5, 1), 29)
    assert desk.one("2022-06", "torch")["days_covered"] == 30


def test_a_day_of_zeros_for_every_package_is_lost_and_not_covered(desk: Desk) -> None:
    desk.services.reset(LossyWorld())
    assert not desk.run("2023-04", "2023-05").failures
    april = desk.one("2023-04", "torch")
    assert (april["window_start"], april["days_covered"]) == (date(2023, 4, 1), 28)
    assert april["downloads"] == desk.services.world.downloads_in(date(2023, 4, 1), "torch")


def test_a_month_that_begins_late_says_on_which_day(desk: Desk) -> None:
    desk.services.world.missing_days = frozenset(date(2022, 1, day) for day in range(1, 22))
    desk.run("2022-01", "2022-01")
    january = desk.one("2022-01", "torch")
    assert (january["window_start"], january["days_covered"]) == (date(2022, 1, 22), 10)


def test_a_month_without_any_day_is_a_gap_and_never_a_zero(desk: Desk) -> None:
    desk.services.world.missing_days = frozenset(date(2022, 4, day) for day in range(1, 31))
    got = desk.run("2022-03", "2022-05")
    assert not got.failures
    assert statuses(got) == {"2022-03": "present", "2022-04": "gap", "2022-05": "present"}
    assert "no day of this month" in str(next(it.cause for it in got.outcomes if it.status == "gap"))


def test_months_before_the_first_record_are_gaps_that_name_it(desk: Desk) -> None:
    got = desk.run("2021-11", "2022-01")
    assert not got.failures
    assert statuses(got) == {"2021-11": "gap", "2021-12": "gap", "2022-01": "present"}
    assert got.outcomes[0].cause == "the records of clickpy begin on 2022-01-01"


def test_nothing_is_asked_of_months_that_it_can_never_answer(tmp_path: Path) -> None:
    settings = read({"FW_DATA_DIR": str(tmp_path), "FW_PROVIDERS": "pypi=clickpy"}, dotenv=Path("none"))
    chosen = choose(SOURCES["pypi"], settings)
    window = Window.of(date(2015, 11, 1), date(2023, 7, 1))
    said = [str(reason) for reason in out_of_reach(chosen, window, settings, now=NOW)]
    assert len(said) == 1, "nobody has the months before the records begin, so they are no failure"
    assert "2023-07: 2023-06 is the last month that has ended" in said[0]


def test_ten_years_are_planned_as_two_requests_and_what_is_beyond_as_a_third(tmp_path: Path) -> None:
    settings = read({"FW_DATA_DIR": str(tmp_path), "FW_MODE": "live"}, dotenv=Path("none"))
    chosen = choose(SOURCES["pypi"], settings)
    assert chosen.provider is PROVIDER
    window = Window.of(date(2016, 1, 1), date(2026, 10, 1))
    fetch, _ = asking(chosen, window, settings, now=datetime(2026, 11, 22, tzinfo=UTC))
    assert chosen.provider.plan(fetch).requests == 3
    ten_years = replace(fetch, window=Window.of(date(2016, 1, 1), date(2025, 12, 1)))
    assert chosen.provider.plan(ten_years).requests == 2


def test_a_package_that_the_server_does_not_know_has_no_row_and_is_named(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, services, clickpy(("torch", "no-such-package")))
    assert not desk.run("2022-01", "2022-02").failures
    assert set(desk.rows()["package"]) == {"torch"}
    assert any("no figure of no-such-package" in line for line in desk.log)


def test_an_empty_set_is_a_failure_not_1970(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, services, clickpy(("no-such-package",)))
    assert "no day of any of the packages" in lines(desk.run("2022-01", "2022-02"))[0]
    epoch = {"month": "1970-01-01", "downloads": 0, "days": 0, "first_day": "1970-01-01", "last_day": "1970-01-01"}
    services.faults.add(PATH, edited(lambda body: body.update(data=[epoch], rows=1)), times=-1)
    assert "1970-01-01" in lines(desk.run("2022-01", "2022-02"))[0]
    assert not desk.months()


class RareWorld(World):
    """A world in which jax is downloaded on every other day, thrice; and torch comes out on 2022-02-15."""

    def downloads(self, package: str, day: date, *, mirrors: bool = True) -> int | None:
        if package == "jax":
            return 3 if day.day % 2 else None
        if package == "torch" and day < date(2022, 2, 15):
            return None
        return super().downloads(package, day, mirrors=mirrors)


def test_a_day_without_downloads_is_a_zero_for_a_rare_package_and_a_hole_for_a_busy_one(
    tmp_path: Path, services: FakeServices
) -> None:
    services.reset(RareWorld(missing_days=frozenset({date(2022, 2, 20)})))
    desk = Desk(tmp_path, services, clickpy(("jax", "torch", "tensorflow")))
    assert not desk.run("2022-02", "2022-02").failures
    rare, new = desk.one("2022-02", "jax"), desk.one("2022-02", "torch")
    assert (rare["downloads"], rare["days_covered"], rare["window_start"]) == (42, 27, date(2022, 2, 1))
    assert (new["days_covered"], new["window_start"]) == (13, date(2022, 2, 15))
