"""pypistats: one request a package for both mirror series; what is not there is no zero; half months say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.contract import Window
from fw_pipeline.orchestration.ingest import asking, choose, out_of_reach
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.pypi.figures import PACKAGE_NAMES
from fw_pipeline.sources.pypi.pypistats import DETAIL, PROVIDER, pypistats
from fw_pipeline_tests.fake_services.faults import instead, other_question
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.fake_services.world import World
from fw_pipeline_tests.pypi_live import NOW, REAL, Desk, edited, lines, statuses

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
    assert detail.schema == DETAIL
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


def test_a_service_that_knows_no_package_at_all_is_a_failure(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, services, pypistats(("no-such-package", "nor-this-one")))
    assert "no day of any of the packages" in lines(desk.run("2023-05", "2023-06"))[0]
    assert not desk.months()


def test_a_page_of_a_gateway_with_status_404_says_nothing_of_the_package(desk: Desk) -> None:
    desk.services.faults.add(TORCH, instead(404, "<html><h1>Not Found</h1><p>nginx</p></html>", "text/html"))
    assert "HTTP 404 for torch: Not Found nginx" in lines(desk.run("2023-05", "2023-06"))[0]
    assert not desk.months()


@REAL_DATA
@pytest.mark.parametrize(("status", "file"), [(429, "429.html"), (503, "503.html"), (404, "404.html")])
def test_the_real_error_pages_are_no_figures(desk: Desk, status: int, file: str) -> None:
    page = instead(status, (REAL / file).read_bytes(), "text/html; charset=utf-8")
    desk.services.faults.add("/pypistats/packages/keras", page, times=-1)
    got = desk.run("2023-05", "2023-06")
    if status == 404:
        assert set(desk.rows()["package"]) == {"torch", "tensorflow"}
        return
    assert f"HTTP {status}" in lines(got)[0]
    assert not desk.months()
    desk.services.faults.clear()
    before = len(desk.asked)
    assert not desk.run("2023-05", "2023-06").failures
    assert [request.path for request in desk.asked[before:]] == ["/pypistats/packages/keras/overall"]
    assert desk.one("2023-06", "keras")["downloads"] == desk.services.world.downloads_in(date(2023, 6, 1), "keras")


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


@REAL_DATA
def test_a_real_answer_is_read(tmp_path: Path, services: FakeServices) -> None:
    real = json.loads((REAL / "hugovk_L49_overall_downloads_pip.json").read_text())
    last = {"category": "with_mirrors", "date": "2020-05-31", "downloads": 1}
    desk = Desk(tmp_path, services, pypistats(("pip",)))
    path = "/pypistats/packages/pip"
    services.faults.add(path, instead(200, json.dumps(real), "application/json"))
    now = datetime(2020, 6, 2, tzinfo=UTC)
    assert "newest day of pypistats is 2020-05-02" in lines(desk.run("2020-05", "2020-05", now=now))[0]
    real["data"].append(last)
    services.faults.add(path, instead(200, json.dumps(real), "application/json"))
    assert not desk.run("2020-05", "2020-05", now=now).failures
    assert desk.one("2020-05", "pip")["downloads"] == 2100139 + 1487218 + 1
    assert desk.one("2020-05", "pip")["days_covered"] == 3
    assert desk.one("2020-05", "pip", "without mirrors")["downloads"] == 2083472 + 1475979


@REAL_DATA
@pytest.mark.parametrize("file", sorted(REAL.glob("*recent*.json")) + sorted(REAL.glob("*python*.json")))
def test_a_real_answer_to_another_question_is_refused(desk: Desk, file: Path) -> None:
    desk.services.faults.add(TORCH, instead(200, file.read_bytes(), "application/json"))
    assert "not of torch" in lines(desk.run("2023-05", "2023-06"))[0]
    assert not desk.months()
    assert not desk.run("2023-05", "2023-06").failures


def test_an_answer_about_another_package_is_refused(desk: Desk) -> None:
    desk.services.faults.add(TORCH, edited(lambda body: body.update(package="torchvision")))
    assert "of torchvision, not of torch" in lines(desk.run("2023-05", "2023-06"))[0]
    desk.services.faults.add(TORCH, edited(lambda body: body.update(package="Torch")))
    assert not desk.run("2023-05", "2023-06").failures


def test_one_series_alone_is_not_taken_for_the_other(desk: Desk) -> None:
    desk.services.faults.add(TORCH, other_question(mirrors="false"))
    assert not desk.run("2023-05", "2023-05").failures
    torch = desk.rows().filter(pl.col("package") == "torch")
    assert torch["installers"].to_list() == ["without mirrors"]


@pytest.mark.parametrize("value", ["as text", "of an unknown field", "of an unknown category"])
def test_strange_but_harmless_things_are_taken_and_noted(desk: Desk, value: str) -> None:
    def change(body: dict[str, Any]) -> None:
        if value == "as text":
            body["data"] = [{**row, "downloads": str(row["downloads"])} for row in body["data"]]
        elif value == "of an unknown field":
            body["data"][0]["country"] = "all"
        else:
            body["data"].append({"category": "null", "date": "2023-05-05", "downloads": 7})

    desk.services.faults.add(TORCH, edited(change))
    assert not desk.run("2023-05", "2023-05").failures
    truth = desk.services.world.downloads_in(date(2023, 5, 1), "torch")
    assert desk.one("2023-05", "torch")["downloads"] == truth
    if value != "as text":
        word = {"of an unknown field": "country", "of an unknown category": "category null"}[value]
        assert any(word in line for line in desk.log)


def spoil(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Change a field of a row of May."""

    def change(body: dict[str, Any]) -> None:
        row = next(row for row in body["data"] if row["date"] == "2023-05-07")
        row[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (spoil("downloads", -1), "torch: field downloads is -1"),
        (spoil("downloads", None), "torch: field downloads is null"),
        (spoil("downloads", 1e300), "torch: field downloads is 1e+300"),
        (spoil("downloads", value=True), "torch: field downloads is True"),
        (spoil("date", "2023-05-08"), "torch: 2023-05-08 is there twice"),
    ],
)
def test_a_bad_row_refuses_its_month_alone_and_its_package_is_asked_for_anew(
    desk: Desk, change: Callable[[dict[str, Any]], None], cause: str
) -> None:
    desk.services.faults.add(TORCH, edited(change))
    got = desk.run("2023-04", "2023-06")
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert f"pypi (pypistats) 2023-05: {cause}" in lines(got)[0]
    before = len(desk.asked)
    assert not desk.run("2023-04", "2023-06").failures
    assert [request.path for request in desk.asked[before:]] == [f"{TORCH}/overall"]
    assert desk.one("2023-05", "torch")["days_covered"] == 31


def test_a_bad_row_of_a_month_that_was_not_asked_for_does_no_harm(desk: Desk) -> None:
    desk.services.faults.add(TORCH, edited(spoil("downloads", -1)))
    assert not desk.run("2023-06", "2023-06").failures


@pytest.mark.parametrize(
    "change",
    [
        spoil("date", "yesterday"),
        spoil("date", "2023-09-01"),
        spoil("category", None),
        lambda body: body.pop("package"),
        lambda body: body.update(type=5),
        lambda body: body.update(data={"last_day": 5}),
        lambda body: body.update(data=[5]),
        lambda body: body.pop("data"),
    ],
)
def test_an_answer_whose_months_cannot_be_told_is_one_line_and_no_row(
    desk: Desk, change: Callable[[dict[str, Any]], None]
) -> None:
    desk.services.faults.add(TORCH, edited(change))
    assert len(lines(desk.run("2023-05", "2023-06"))) == 1
    assert not desk.months()
    before = len(desk.asked)
    assert not desk.run("2023-05", "2023-06").failures
    assert len(desk.asked) - before == 3


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("html_200", {}),
        ("error", {"status": 500}),
        ("error", {"status": 504}),
        ("throttled", {"status": 503, "hint": "seconds", "seconds": 4000}),
        ("reset_mid_body", {}),
        ("truncated_gzip", {}),
        ("truncated_body", {}),
        ("invalid_utf8", {}),
        ("redirect_to_page", {}),
        ("redirect_loop", {}),
    ],
)
def test_a_broken_network_leaves_one_line_and_no_row_and_only_the_rest_is_asked_later(
    desk: Desk, fault: str, options: dict[str, Any]
) -> None:
    desk.services.faults.add("/pypistats", fault, times=-1, after=1, **options)
    said = lines(desk.run("2023-05", "2023-06"))
    assert len(said) == 1
    assert said[0].startswith("pypi (pypistats) 2023-05 to 2023-06: ")
    assert not desk.months()
    desk.services.faults.clear()
    before = len(desk.asked)
    assert not desk.run("2023-05", "2023-06").failures
    assert len(desk.asked) - before == 2


def test_names_are_asked_for_in_their_normalised_form() -> None:
    assert all(name == name.lower() and not set(name) & set("._") for name in PACKAGE_NAMES)
    assert len(set(PACKAGE_NAMES)) == len(PACKAGE_NAMES)
