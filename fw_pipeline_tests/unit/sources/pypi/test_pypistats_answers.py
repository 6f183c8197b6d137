"""pypistats: real answers and pages, and answers that are wrong, strange, or about something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.sources.pypi.pypistats import pypistats
from fw_pipeline_tests.support.fake_services.faults import instead, other_question
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.pypi_live import REAL, Desk, edited, lines, statuses

TORCH = "/pypistats/packages/torch"
REAL_DATA = pytest.mark.skipif(not REAL.is_dir(), reason="needs the recorded answers")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, pypistats(("torch", "tensorflow", "keras")))


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
