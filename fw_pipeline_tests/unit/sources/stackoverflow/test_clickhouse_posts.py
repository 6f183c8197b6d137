"""ClickHouse's copy of the data dump: one query on a real engine, and no figure from an answer that is not whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.months import parse_month
from fw_pipeline.sources.stackoverflow.clickhouse_posts import PROVIDER, clickhouse
from fw_pipeline_tests.support.fake_services.faults import Fault, appended, instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import Desk, edited, lines, statuses

PATH = "/clickpy"
EVERYTHING = ("*", *(tag.tagged for tag in TAGS))


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path / "data", PROVIDER, services)


def truth(desk: Desk, *months: str) -> dict[tuple[str, str], int]:
    return {(month, it): desk.world.questions_in(parse_month(month), it) for month in months for it in EVERYTHING}


def asked(desk: Desk) -> int:
    assert desk.services is not None
    return len(desk.services.of("clickpy"))


@pytest.mark.parametrize("kind", ["DateTime64(3, 'UTC')", "DateTime", "DateTime64(3)"])
def test_one_query_answers_every_month_tag_and_pair_and_the_whole_site(desk: Desk, kind: str) -> None:
    desk.world.posts_kind = kind
    got = desk.run("2022-11", "2023-06", force="")
    assert not got.failures
    months = ["2022-11", "2022-12", *(f"2023-{month:02d}" for month in range(1, 7))]
    assert desk.figures() == truth(desk, *months)
    assert asked(desk) == 1
    assert any("1 request for all months, tags and pairs together" in line for line in desk.log)
    said = desk.rows().select("method", "observed_on", "provider").unique().row(0)
    assert said == ("counted", date(2023, 6, 30), "clickhouse")
    assert "April 2024" in desk.rows()["origin"].unique().item()


@pytest.mark.parametrize(
    ("until", "reached"),
    [
        (datetime(2023, 6, 15, 12, tzinfo=UTC), "2023-05"),
        (datetime(2023, 6, 1, 1, tzinfo=UTC), "2023-05"),
        (datetime(2023, 5, 31, 22, tzinfo=UTC), "2023-04"),
        (datetime(2023, 5, 31, 23, 59, 50, tzinfo=UTC), "2023-05"),
    ],
)
def test_the_month_in_which_the_copy_ends_is_no_figure(desk: Desk, until: datetime, reached: str) -> None:
    desk.world.posts_until = int(until.timestamp())
    got = desk.run("2023-04", "2023-06")
    months = [f"2023-{month:02d}" for month in range(4, int(reached[-2:]) + 1)]
    assert {month for month, _ in desk.figures()} == set(months)
    assert re.search(r"the last question in the copy is of 2023-0\d-\d\d .* UTC; take the provider api", lines(got)[0])
    assert [month for month, status in statuses(got).items() if status == "failed"] == [
        month for month in ("2023-04", "2023-05", "2023-06") if month > reached
    ]


def test_a_table_that_is_gone_names_the_other_ways(desk: Desk) -> None:
    desk.world.posts_gone = True
    (said,) = lines(desk.run("2023-04", "2023-06"))
    assert "ClickHouse error 60" in said
    for way in ("stackoverflow=clickhouse:FILES", "stackoverflow=dump:PATH", "stackoverflow=api"):
        assert way in said
    assert not desk.figures()
    desk.world.posts_gone = False
    assert not desk.run("2023-04", "2023-06").failures


def _without(it: dict[str, Any], wanted: Callable[[dict[str, Any]], bool]) -> None:
    it["data"] = [row for row in it["data"] if not wanted(row)]
    it["rows"] = len(it["data"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (edited(lambda it: it["data"].pop()), "the result says that it has"),
        (edited(lambda it: it.update(rows_before_limit_at_least=9999)), "cut off after"),
        (edited(lambda it: it["data"].append(it["data"][-1]) or it.update(rows=it["rows"] + 1)), "is there twice"),
        (edited(lambda it: it["data"][0].pop("tagged")), "field tagged is missing"),
        (edited(lambda it: it["data"][0].update(questions=-4)), "field questions is -4"),
        (edited(lambda it: _without(it, bool)), "the table holds no question"),
        (edited(lambda it: _without(it, lambda row: row["tagged"] != "*")), "none of the tags occurs in the copy"),
        (instead(404, "Code: 60. DB::Exception: Table stackoverflow.posts does not exist."), "error 60"),
        (instead(200, "<html>welcome</html>", "text/html"), "answered text/html instead of JSON"),
    ],
)
def test_an_answer_that_is_not_whole_is_one_line_and_no_figure(desk: Desk, fault: Fault, said: str) -> None:
    desk.faults.add(PATH, fault)
    assert said in lines(desk.run("2023-04", "2023-06"))[0]
    assert not desk.figures()
    assert not desk.run("2023-04", "2023-06").failures
    assert desk.figures() == truth(desk, "2023-04", "2023-05", "2023-06")


def test_a_month_that_is_lacking_in_the_middle_is_refused_alone(desk: Desk) -> None:
    desk.faults.add(PATH, edited(lambda it: _without(it, lambda row: row["month"] == "2023-05-01")))
    got = desk.run("2023-04", "2023-06")
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert "2023-05: the copy holds no question of this month" in lines(got)[0]


def test_what_passes_is_asked_again(desk: Desk) -> None:
    desk.faults.add(PATH, appended("Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)"))
    assert not desk.run("2023-06", "2023-06").failures
    assert asked(desk) == 2


def test_a_copy_that_is_too_small_or_of_another_site_is_refused_by_name(desk: Desk) -> None:
    desk.faults.add(PATH, edited(lambda it: [row.update(questions=row["questions"] // 300) for row in it["data"]]))
    (said,) = lines(desk.run("2022-04", "2022-06", force=""))
    assert re.search(
        r"the copy holds \d+ questions of 2022-\d\d, where Stack Overflow had 1[\d,]+: it is of another site, or not",
        said,
    )
    assert "FW_FORCE=1" in said
    assert not desk.figures()


def test_a_tag_that_occurs_nowhere_has_no_figure_and_a_pair_that_never_does_has_zeros(
    tmp_path: Path, services: FakeServices
) -> None:
    tags = (
        Tag("jax", "jax", "core"),
        Tag("jax;rust", "jax", "language"),
        Tag("flux", None, "core"),
        Tag("flux;java", None, "core"),
    )
    desk = Desk(tmp_path, clickhouse(tags), services)
    assert not desk.run("2023-06", "2023-06").failures
    assert {tagged for _, tagged in desk.figures()} == {"*", "jax", "jax;rust"}
    assert desk.figures()["2023-06", "jax;rust"] == desk.world.questions_in(date(2023, 6, 1), "jax;rust")
    assert any("no figure for tags that occur nowhere in the copy: flux" in line for line in desk.log)
