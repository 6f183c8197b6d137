"""pypistats: one request per package for both mirror series; what is not there is no zero; half months say so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.ingestion.providers import asking, choose, out_of_reach
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.pypi.monthly_downloads import PACKAGE_NAMES, PYPI_DAILY
from fw_pipeline.sources.pypi.pypistats import PROVIDER, pypistats
from fw_pipeline_tests.support.fake_services.faults import instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.pypi_live import NOW, REAL, Desk, LossyWorld, edited, lines, statuses

THREE = ("torch", "tensorflow", "keras")
TORCH = "/pypistats/packages/torch"
REAL_DATA = pytest.mark.skipif(not REAL.is_dir(), reason="needs the recorded answers")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, pypistats(THREE))


def test_every_package_takes_one_request_and_both_series_are_kept_apart(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, services, PROVIDER)
    got = desk.run("2023-02", "2023-06")
    assert not got.failures
    rows = desk.rows()
    found = {(r["month"], r["package"], r["installers"]): r["downloads"] for r in rows.iter_rows(named=True)}
    truth = {
        (month, package, installers): services.world.downloads_in(month, package, mirrors=mirrors)
        for month in Window.of(date(2023, 2, 1), date(2023, 6, 1)).months()
        for package in PACKAGE_NAMES
        for installers, mirrors in (("all", True), ("without mirrors", False))
    }
    assert found == truth
    assert set(rows["origin"]) == {"pypistats"}
    assert rows.filter(pl.col("window_start") != pl.col("month")).is_empty()
    assert set(rows.filter(pl.col("month") == date(2023, 2, 1))["days_covered"]) == {28}
    assert [request.path for request in desk.asked] == [f"/pypistats/packages/{it}/overall" for it in PACKAGE_NAMES]
    assert not any(request.query for request in desk.asked)
    assert any(f"{len(PACKAGE_NAMES)} requests" in line for line in desk.log)


def test_the_daily_listing_is_kept_and_adds_up_to_the_counts(desk: Desk) -> None:
    desk.run("2023-05", "2023-06")
    detail = desk.detail()
    assert detail.schema == PYPI_DAILY.schema
    assert detail.height == 61 * 3 * 2
    summed = detail.group_by(pl.col("day").dt.truncate("1mo").alias("month"), "package", "installers").agg(
        pl.col("downloads").sum()
    )
    counted = desk.rows().select("month", "package", "installers", "downloads")
    assert summed.sort(pl.all()).equals(counted.sort(pl.all()))


def test_the_month_in_which_the_180_days_begin_is_partial_and_says_since_when(desk: Desk) -> None:
    assert not desk.run("2023-01", "2023-06").failures
    january = desk.one("2023-01", "torch", "without mirrors")
    assert (january["window_start"], january["days_covered"]) == (date(2023, 1, 6), 26)
    days = (date(2023, 1, day) for day in range(6, 32))
    assert january["downloads"] == sum(desk.services.world.downloads("torch", day, mirrors=False) or 0 for day in days)


def test_what_lies_before_the_180_days_is_out_of_reach_and_asks_nothing(tmp_path: Path, desk: Desk) -> None:
    settings = read({"FW_DATA_DIR": str(tmp_path), "FW_PROVIDERS": "pypi=pypistats"}, dotenv=Path("none"))
    chosen = choose(SOURCES["pypi"], settings)
    window = Window.of(date(2022, 11, 1), date(2023, 7, 1))
    said = [str(reason) for reason in out_of_reach(chosen, window, settings, now=NOW)]
    assert "2022-11 to 2022-12: pypistats keeps 180 days, now from 2023-01-06 on; choose pypi=clickpy" in said[0]
    assert "2023-06 is the last month that has ended" in said[1]
    fetch, _ = asking(chosen, window, settings, now=NOW)
    assert chosen.provider.plan(fetch).requests == len(PACKAGE_NAMES)
    assert not desk.asked
    assert statuses(desk.run("2022-12", "2022-12")) == {"2022-12": "out of reach"}
    assert not desk.asked


def test_a_month_that_the_service_keeps_no_day_of_any_more_is_a_gap(desk: Desk) -> None:
    desk.services.world.today = date(2023, 7, 31)
    got = desk.run("2023-01", "2023-02", now=datetime(2023, 7, 30, 23, tzinfo=UTC))
    assert statuses(got) == {"2023-01": "gap", "2023-02": "present"}
    assert "begins on 2023-02-01" in str(got.outcomes[0].cause)


def test_days_missing_in_the_middle_make_the_month_partial(desk: Desk) -> None:
    desk.services.world.missing_days = frozenset({date(2023, 4, 10), date(2023, 4, 11), date(2023, 4, 12)})
    assert not desk.run("2023-04", "2023-05").failures
    for installers in ("all", "without mirrors"):
        april = desk.one("2023-04", "torch", installers)
        assert (april["window_start"], april["days_covered"]) == (date(2023, 4, 1), 27)
        assert desk.one("2023-05", "torch", installers)["days_covered"] == 31


def test_days_that_one_busy_package_lost_make_that_package_partial(desk: Desk) -> None:
    def lose(body: dict[str, Any]) -> None:
        body["data"] = [row for row in body["data"] if row["date"] != "2023-05-20"]

    desk.services.faults.add(TORCH, edited(lose))
    assert not desk.run("2023-05", "2023-05").failures
    assert desk.one("2023-05", "torch")["days_covered"] == 30
    assert desk.one("2023-05", "keras")["days_covered"] == 31


def test_a_day_of_zeros_for_every_package_is_lost_and_not_covered(desk: Desk) -> None:
    desk.services.reset(LossyWorld())
    assert not desk.run("2023-04", "2023-05").failures
    for installers in ("all", "without mirrors"):
        april = desk.one("2023-04", "torch", installers)
        assert april["days_covered"] == 28
        assert april["downloads"] == desk.services.world.downloads_in(
            date(2023, 4, 1), "torch", mirrors=installers == "all"
        )
    assert desk.detail().filter(pl.col("downloads") == 0).is_empty()
    assert any(line.endswith("2023-04-10 is lost: the service has zeros for every package") for line in desk.log)


def test_a_last_day_of_zeros_refuses_its_month_and_is_asked_for_again(desk: Desk) -> None:
    desk.services.reset(LossyWorld(today=date(2023, 5, 1)))
    early = datetime(2023, 5, 1, 0, 20, tzinfo=UTC)
    got = desk.run("2023-03", "2023-04", now=early)
    assert statuses(got) == {"2023-03": "present", "2023-04": "refused"}
    assert "newest day of pypistats is 2023-04-29" in lines(got)[0]
    desk.services.world = World(today=date(2023, 5, 1))
    assert not desk.run("2023-03", "2023-04", now=early + timedelta(hours=6)).failures
    assert desk.one("2023-04", "torch")["days_covered"] == 30


class RareWorld(World):
    """A world in which keras is downloaded on every other day, thrice."""

    def downloads(self, package: str, day: date, *, mirrors: bool = True) -> int | None:
        rare = None if package == "keras" and day.day % 2 == 0 else 3
        return rare if package == "keras" else super().downloads(package, day, mirrors=mirrors)


def test_a_day_without_downloads_of_a_rare_package_is_covered(desk: Desk) -> None:
    desk.services.reset(RareWorld())
    assert not desk.run("2023-05", "2023-05").failures
    rare = desk.one("2023-05", "keras")
    assert (rare["downloads"], rare["days_covered"], rare["window_start"]) == (48, 31, date(2023, 5, 1))


def test_a_last_day_that_is_not_there_yet_refuses_its_month_and_is_asked_for_again(desk: Desk) -> None:
    desk.services.world.today = date(2023, 6, 30)
    early = datetime(2023, 7, 1, 0, 20, tzinfo=UTC)
    got = desk.run("2023-05", "2023-06", now=early)
    assert statuses(got) == {"2023-05": "present", "2023-06": "refused"}
    assert "newest day of pypistats is 2023-06-29" in lines(got)[0]
    desk.services.world.today = date(2023, 7, 1)
    assert not desk.run("2023-05", "2023-06", now=early + timedelta(hours=6)).failures
    assert desk.one("2023-06", "torch")["days_covered"] == 30
    assert len(desk.asked) == 6


@pytest.mark.parametrize("status", [200, 404])
def test_an_unknown_package_has_no_row_whichever_way_the_service_says_it(
    tmp_path: Path, services: FakeServices, status: int
) -> None:
    desk = Desk(tmp_path, services, pypistats(("torch", "no-such-package")))
    if status == 200:
        nothing = {"data": [], "package": "no-such-package", "type": "overall_downloads"}
        path = "/pypistats/packages/no-such-package"
        services.faults.add(path, instead(200, json.dumps(nothing), "application/json"))
    assert not desk.run("2023-05", "2023-06").failures
    assert set(desk.rows()["package"]) == {"torch"}
    assert any("no figure of no-such-package" in line for line in desk.log)
    assert len(desk.asked) == 2


def test_a_service_that_knows_no_package_at_all_is_a_failure_and_heals(desk: Desk) -> None:
    desk.services.faults.add("/pypistats", instead(404, "404", "text/html"), times=3)
    assert "no day of any of the packages" in lines(desk.run("2023-05", "2023-06"))[0]
    assert not desk.months()
    assert not desk.run("2023-05", "2023-06").failures
    assert len(desk.asked) == 6


def test_a_page_of_a_gateway_with_status_404_says_nothing_of_the_package(desk: Desk) -> None:
    desk.services.faults.add(TORCH, instead(404, "<html><h1>Not Found</h1><p>nginx</p></html>", "text/html"))
    assert "HTTP 404 for torch: Not Found nginx" in lines(desk.run("2023-05", "2023-06"))[0]
    assert not desk.months()


def test_a_rate_limit_reached_in_the_middle_keeps_the_answers_that_came_before(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, services, PROVIDER)
    services.world.pypistats_quota = 20
    got = desk.run("2023-05", "2023-06")
    assert "429 RATE LIMIT EXCEEDED" in lines(got)[0]
    assert not desk.months()
    services.world.pypistats_quota = 1000
    before = len(desk.asked)
    assert not desk.run("2023-05", "2023-06").failures
    assert len(desk.asked) - before == len(PACKAGE_NAMES) - 20
    assert set(desk.rows()["package"]) == set(PACKAGE_NAMES)


def test_names_are_asked_for_in_their_normalised_form() -> None:
    assert all(name == name.lower() and not set(name) & set("._") for name in PACKAGE_NAMES)
    assert len(set(PACKAGE_NAMES)) == len(PACKAGE_NAMES)
