"""clickpy: an answer that is wrong, short, strange, old, or about something else. Good months stay, bad ones heal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.sources.pypi.clickpy import clickpy
from fw_pipeline_tests.support.fake_services.faults import other_question
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.pypi_live import NOW, Desk, edited, lines, statuses

PATH = "/clickpy"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, clickpy(("torch", "tensorflow")))


def broken(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Change some fields of the first row; None as a value takes the field away."""

    def change(body: dict[str, Any]) -> None:
        for name, value in fields.items():
            if value is None:
                del body["data"][0][name]
            else:
                body["data"][0][name] = value

    return change


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (broken(downloads=-5), "no count can be"),
        (broken(downloads=10**15), "no count can be"),
        (broken(downloads="many"), "not a whole number"),
        (broken(downloads=12.5), "not a whole number"),
        (broken(downloads=None), "downloads is missing"),
        (broken(downloads=7), "hold"),
        (broken(days=32), "are not days of"),
        (broken(first_day="2021-12-31"), "are not days of"),
        (lambda body: body["data"].__setitem__(1, body["data"][0]), "twice"),
    ],
    ids=["negative", "absurd", "text", "float", "missing", "other total", "days", "other month", "twice"],
)
def test_a_bad_row_refuses_its_month_alone_and_the_month_is_asked_for_anew(
    desk: Desk, change: Callable[[dict[str, Any]], None], cause: str
) -> None:
    desk.services.faults.add(PATH, edited(change), after=1)
    got = desk.run("2022-01", "2022-03")
    assert statuses(got) == {"2022-01": "refused", "2022-02": "present", "2022-03": "present"}
    assert cause in lines(got)[0]
    assert "pypi (clickpy) 2022-01" in lines(got)[0]
    before = len(desk.asked)
    assert not desk.run("2022-01", "2022-03").failures
    assert len(desk.asked) - before == (2 if cause == "hold" else 1)  # a contradiction puts both answers in doubt
    assert desk.one("2022-01", "torch")["downloads"] == desk.services.world.downloads_in(date(2022, 1, 1), "torch")


def test_an_answer_that_lost_its_end_in_silence_refuses_the_months_that_are_gone(desk: Desk) -> None:
    def shorten(body: dict[str, Any]) -> None:
        del body["data"][3:]
        body["rows"] = 3

    desk.services.faults.add(PATH, edited(shorten), after=1)
    got = desk.run("2022-01", "2022-03")
    assert statuses(got) == {"2022-01": "present", "2022-02": "refused", "2022-03": "refused"}
    assert not desk.run("2022-01", "2022-03").failures


@pytest.mark.parametrize("change", [{"rows": 5}, {"rows_before_limit_at_least": 7}, {"rows": None}, {"data": None}])
def test_an_answer_that_says_of_itself_that_it_is_not_whole_is_no_answer(desk: Desk, change: dict[str, Any]) -> None:
    desk.services.faults.add(PATH, edited(lambda body: body.update(change)), times=-1, after=1)
    assert len(lines(desk.run("2022-01", "2022-03"))) == 1
    assert not desk.months()


@pytest.mark.parametrize("after", [0, 1], ids=["of the days", "of the figures"])
@pytest.mark.parametrize("packages", ["['torch']", "['torch','numpy']", "['torch','tensorflow','numpy']"])
def test_an_answer_about_other_packages_is_not_taken(desk: Desk, packages: str, after: int) -> None:
    desk.services.faults.add(PATH, other_question(param_projects=packages), after=after)
    assert desk.run("2022-01", "2022-02").failures
    assert not desk.months()
    assert not desk.run("2022-01", "2022-02").failures
    assert len(desk.months()) == 2


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"param_end": "2022-07-01"}, []),
        ({"param_end": "2022-02-01"}, ["2022-01"]),
        ({"param_first": "2022-02-01"}, ["2022-02"]),
    ],
)
def test_an_answer_about_other_months_is_not_taken(desk: Desk, asked: dict[str, str], left: list[str]) -> None:
    desk.services.faults.add(PATH, other_question(**asked), after=1)
    assert desk.run("2022-01", "2022-02").failures
    assert desk.months() == left
    assert not desk.run("2022-01", "2022-02").failures
    assert len(desk.months()) == 2


def test_a_strange_field_is_noted_and_does_no_harm(desk: Desk) -> None:
    def add(body: dict[str, Any]) -> None:
        body["data"][0]["mirror"] = "no"
        body["warnings"] = []

    desk.services.faults.add(PATH, edited(add), after=1)
    assert not desk.run("2022-01", "2022-01").failures
    assert any("mirror" in line for line in desk.log)
    assert any("warnings" in line for line in desk.log)


def test_a_kept_list_of_days_that_ends_too_early_is_asked_for_anew(desk: Desk) -> None:
    desk.services.world.today = date(2023, 6, 2)
    desk.services.faults.add(PATH, "error", status=500, times=-1, after=1)
    assert desk.run("2023-05", "2023-05").failures
    desk.services.faults.clear()
    desk.services.world.today = date(2023, 7, 2)
    before = len(desk.asked)
    assert not desk.run("2023-06", "2023-06", now=NOW + timedelta(days=1)).failures
    assert len(desk.asked) - before == 2


def test_a_service_whose_clock_is_far_ahead_is_not_believed(desk: Desk) -> None:
    got = desk.run("2022-01", "2022-02", now=datetime(2022, 4, 1, tzinfo=UTC))
    assert "is yet to come" in lines(got)[0]
    assert not desk.months()
