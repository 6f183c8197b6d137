"""The Hub is listed from the end that is nearer, oldest first where it does so; either way the figures are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import LISTING, Desk, Row, edited, heals, lines, statuses, without_link

SPRING = ("2022-03", "2022-04", "2022-05")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


def _directions(desk: Desk) -> list[str]:
    return [dict(request.query).get("direction", "") for request in desk.asked()]


# --- From the nearer end


@pytest.mark.parametrize(("first", "last"), [("2022-05", "2022-06"), ("2022-08", "2022-11"), ("2022-03", "2023-06")])
def test_the_first_months_and_all_of_them_are_listed_from_the_oldest_on(desk: Desk, first: str, last: str) -> None:
    got = desk.run(first, last)
    assert lines(got) == []
    assert desk.counts() == desk.expected(*statuses(got))
    assert _directions(desk) == ["1"] * desk.least_pages_up_to(last)
    assert desk.least_pages_up_to(last) <= desk.least_pages(first)
    assert any("one listing of all models, oldest first" in line for line in desk.log)


@pytest.mark.parametrize(("first", "last"), [("2023-05", "2023-06"), ("2023-01", "2023-01")])
def test_the_last_months_are_listed_from_the_newest_on(desk: Desk, first: str, last: str) -> None:
    got = desk.run(first, last)
    assert lines(got) == []
    assert desk.counts() == desk.expected(*statuses(got))
    assert _directions(desk) == [""] * desk.least_pages(first)
    assert any("one listing of all models, newest first" in line for line in desk.log)


def _begins_later(page: list[Row]) -> list[Row]:
    return [row for row in page if row["createdAt"] > "2022-03-03"]


@pytest.mark.parametrize(
    ("direction", "fault", "why"),
    [
        ("refused", None, "HTTP 400: {"),
        ("ignored", None, "it answers in another order"),
        ("honoured", edited(_begins_later), "its first page begins on 2022-03-0"),
    ],
)
def test_where_the_hub_has_no_such_order_it_is_listed_newest_first(
    desk: Desk, direction: str, fault: Fault | None, why: str
) -> None:
    desk.services.world.hub_direction, desk.services.world.hub_page_cap = direction, 500
    if fault is not None:
        desk.services.faults.add(LISTING, fault)
    assert lines(desk.run("2022-03", "2022-05")) == []
    assert desk.counts() == desk.expected(*SPRING)
    assert _directions(desk) == ["1", *[""] * desk.least_pages("2022-03")]
    (said,) = [line for line in desk.log if "does not list the oldest first" in line]
    assert why in said
    assert "newest first instead, about " in said


def test_a_hub_that_is_unwell_is_not_taken_for_one_of_another_order(desk: Desk) -> None:
    desk.services.faults.add(LISTING, "error", status=502, times=-1)
    (line,) = lines(desk.run("2022-03", "2022-05"))
    assert "HTTP 502" in line
    assert set(_directions(desk)) == {"1"}


def test_models_of_the_first_seconds_may_come_in_any_order(desk: Desk) -> None:
    def shuffled(page: list[Row]) -> None:
        for number, row in enumerate(page):
            if row["createdAt"].startswith("2022-03-02T23:29:0"):
                row["createdAt"] = f"2022-03-02T23:29:0{5 - number % 2}.000Z"

    desk.services.faults.add(LISTING, edited(shuffled), times=-1)
    assert lines(desk.run("2022-03", "2022-05")) == []
    assert desk.counts() == desk.expected(*SPRING)
    assert len(desk.asked()) == desk.least_pages_up_to("2022-05")


# --- Going on, and what is not whole


@pytest.mark.parametrize("fault", ["reset_mid_body", "html_200"])
def test_a_broken_listing_keeps_its_months_and_goes_on_from_its_cursor(desk: Desk, fault: str) -> None:
    desk.services.faults.add(LISTING, fault, after=8, times=-1)
    got = desk.run("2022-03", "2023-06")
    kept = tuple(month for month, status in statuses(got).items() if status == "present")
    assert kept[:2] == ("2022-03", "2022-04")
    assert "2022-12" not in kept
    assert desk.counts() == desk.expected(*kept)
    heals(desk, "2022-03", "2023-06", tuple(statuses(got)), missing=desk.least_pages_up_to("2023-06") - 8)


def test_a_listing_that_ends_early_is_not_taken_for_the_whole(desk: Desk) -> None:
    desk.services.faults.add(LISTING, without_link, after=8)
    got = desk.run("2022-03", "2023-06")
    assert "what was seen of the Hub ends on 2022-" in lines(got)[0]
    kept = [month for month, status in statuses(got).items() if status == "present"]
    assert kept[-1] < "2022-12"
    assert desk.counts() == desk.expected(*kept)
    heals(desk, "2022-03", "2023-06", tuple(statuses(got)), missing=desk.least_pages_up_to("2023-06") - 8)


def test_the_last_page_that_was_kept_is_asked_for_anew_once_a_later_month_is_over(desk: Desk) -> None:
    desk.services.world.hub_page_cap = 1000

    def in_june(request: Request, answer: Answer) -> Response:
        true = edited(lambda page: [row for row in page if row["createdAt"] < "2023-06-29"])(request, answer)
        return replace(true, headers={**true.headers, "Date": "Thu, 29 Jun 2023 10:00:00 GMT"})

    def unfit_march(request: Request, answer: Answer) -> Response:
        return edited(lambda page: page[400].update(likes=-1))(request, answer)

    desk.services.faults.add(LISTING, unfit_march)
    desk.services.faults.add(LISTING, in_june, times=-1)
    got = desk.run("2022-03", "2023-05", now=datetime(2023, 6, 29, 10, tzinfo=UTC))
    assert [status for status in statuses(got).values() if status != "present"] == ["refused"]
    heals(desk, "2022-03", "2023-06", (*statuses(got), "2023-06"), missing=2)


def _swapped(desk: Desk, first: int, second: int) -> Fault:
    models, cap = desk.services.world.models()[::-1], desk.services.world.hub_page_cap
    numbers = iter(range(1, 1000))

    def change(_page: list[Row]) -> list[Row]:
        number = {first: second, second: first}.get(number := next(numbers), number)
        return list(models[(number - 1) * cap : number * cap])

    return edited(change)


@pytest.mark.parametrize("first", [3, 5])
def test_neighbouring_pages_that_are_swapped_lose_nothing(desk: Desk, first: int) -> None:
    desk.services.faults.add(LISTING, _swapped(desk, first, first + 1), times=-1)
    assert lines(desk.run("2022-03", "2022-06")) == []
    assert desk.counts() == desk.expected(*SPRING, "2022-06")


def _again(request: Request, answer: Answer) -> Response:
    true = answer(request)
    old = answer(replace(request, query=tuple(pair for pair in request.query if pair[0] != "cursor")))
    return replace(true, body=old.body)


def _other_direction(request: Request, answer: Answer) -> Response:
    true = answer(request)
    return replace(true, headers={**true.headers, "Link": true.headers["Link"].replace("direction=1", "direction=-1")})


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (_again, ": 3 pages brought nothing newer"),
        (_other_direction, "one of another listing: direction=-1 was not asked for"),
        (edited(lambda page: page[::-1]), "the listing is not sorted by creation"),
        (edited(lambda page: page[0].pop("_id") and None), "field _id is missing"),
    ],
)
def test_a_listing_that_leads_astray_gives_no_wrong_figure_and_heals(
    desk: Desk, fault: Fault | Callable[[Request, Answer], Response], cause: str
) -> None:
    desk.services.faults.add(LISTING, fault, after=3, times=-1)
    got = desk.run("2022-03", "2022-08")
    assert any(cause in line for line in lines(got)), lines(got)
    assert desk.counts() == desk.expected(*desk.counts()) if desk.rows().height else True
    desk.services.faults.clear()
    assert lines(desk.run("2022-03", "2022-08")) == []
    assert desk.counts() == desk.expected(*SPRING, "2022-06", "2022-07", "2022-08")
