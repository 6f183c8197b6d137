"""A listing that leads astray, or rows that cannot be read: no wrong figure, and the good months are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fw_pipeline_tests.support.fake_services.faults import Answer, Fault, other_question
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import (
    LISTING,
    Desk,
    Row,
    edited,
    heals,
    lines,
    statuses,
    without_link,
)

QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


# --- The listing leads astray


def test_a_model_that_comes_twice_is_counted_once(desk: Desk) -> None:
    last: list[Row] = []

    def repeated(page: list[Row]) -> list[Row]:
        with_last, last[:] = [*last[-7:], page[0], *page], page
        return with_last

    desk.services.faults.add(LISTING, edited(repeated), times=-1)
    assert lines(desk.run("2022-10", "2022-12")) == []
    assert desk.counts() == desk.expected(*QUARTER)


def test_a_page_that_comes_twice_is_counted_once(desk: Desk) -> None:
    bodies: list[bytes] = []

    def again(request: Request, answer: Answer) -> Response:
        true = answer(request)
        bodies.append(true.body)
        return replace(true, body=bodies[max(0, len(bodies) - 2)])

    desk.services.faults.add(LISTING, again, times=-1)
    assert lines(desk.run("2022-10", "2022-12")) == []
    assert desk.counts() == desk.expected(*QUARTER)


def _swapped(desk: Desk, first: int, second: int) -> Fault:
    """Give the rows of one page under the address of another, and the other way round."""
    models, cap = desk.services.world.models(), desk.services.world.hub_page_cap
    numbers = iter(range(1, 1000))

    def change(_page: list[Row]) -> list[Row]:
        number = {first: second, second: first}.get(number := next(numbers), number)
        return list(models[(number - 1) * cap : number * cap])

    return edited(change)


@pytest.mark.parametrize("first", range(7, 12))
def test_neighbouring_pages_that_are_swapped_lose_nothing(desk: Desk, first: int) -> None:
    desk.services.faults.add(LISTING, _swapped(desk, first, first + 1), times=-1)
    assert lines(desk.run("2022-08", "2022-12")) == []
    assert desk.counts() == desk.expected("2022-08", "2022-09", *QUARTER)


def test_pages_in_disorder_end_the_fetch(desk: Desk) -> None:
    desk.services.faults.add(LISTING, _swapped(desk, 5, 12), times=-1)
    got = desk.run("2022-08", "2023-06")
    assert "the listing stands still at 2022-" in lines(got)[0]
    assert len(desk.asked()) == 8
    assert 0 < len(desk.counts()) < 5
    assert desk.counts() == desk.expected(*desk.counts())
    missing = desk.least_pages("2022-08") - 3
    heals(desk, "2022-08", "2023-06", tuple(statuses(got)), missing=missing)


def _to_itself(request: Request, answer: Answer) -> Response:
    link = f'<{request.base_url}/api/models?{urlencode(request.query)}>; rel="next"'
    true = answer(request)
    return replace(true, headers={**true.headers, "Link": link})


def _ever_new() -> Fault:
    cursors = iter(range(10**6))
    first: list[bytes] = []

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(replace(request, query=tuple(pair for pair in request.query if pair[0] != "cursor")))
        first[:] = first or [true.body]
        link = f'<{request.base_url}/api/models?sort=createdAt&cursor={next(cursors)}>; rel="next"'
        return replace(true, body=first[0], headers={**true.headers, "Link": link})

    return fault


@pytest.mark.parametrize(
    ("fault", "cause", "most"),
    [
        (_to_itself, "the next page is one that was there already", 1),
        (_ever_new(), "the listing stands still at 2023-06-", 4),
        (edited(lambda _page: []), "the listing stands still at its beginning", 3),
    ],
)
def test_a_listing_without_end_is_left(desk: Desk, fault: Fault, cause: str, most: int) -> None:
    desk.services.faults.add(LISTING, fault, times=-1)
    got = desk.run("2022-10", "2022-12")
    assert cause in lines(got)[0]
    assert len(desk.asked()) == most
    assert desk.rows().is_empty()


def test_a_listing_that_ends_early_is_not_taken_for_the_whole(desk: Desk) -> None:
    desk.services.faults.add(LISTING, without_link, after=9)
    got = desk.run("2022-10", "2022-12")
    assert "although the Hub has models of 2022-03-02" in lines(got)[0]
    assert len(desk.asked()) == 10
    missing = desk.least_pages("2022-10") - 8  # the last two pages are not believed
    heals(desk, "2022-10", "2022-12", QUARTER, missing=missing)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (other_question(sort="likes"), "the listing is not sorted by creation"),
        (other_question(sort="trendingScore"), "the listing is not sorted by creation"),
        (edited(lambda page: page[::-1]), "the listing is not sorted by creation"),
        (other_question(filter="tf"), "one of another listing: filter=tf was not asked for"),
    ],
)
def test_the_answer_to_another_question_is_refused(desk: Desk, fault: Fault, cause: str) -> None:
    desk.services.faults.add(LISTING, fault, times=-1)
    got = desk.run("2022-10", "2022-12")
    assert cause in lines(got)[0]
    assert desk.rows().is_empty()
    heals(desk, "2022-10", "2022-12", QUARTER, missing=desk.least_pages("2022-10"))


def test_a_month_that_the_listing_leaps_over_is_refused(desk: Desk) -> None:
    def leap(page: list[Row]) -> list[Row]:
        return [row for row in page if not row["createdAt"].startswith("2022-11")]

    desk.services.faults.add(LISTING, edited(leap), times=-1)
    got = desk.run("2022-10", "2022-12")
    assert lines(got)[0].startswith("huggingface (api) 2022-11: no model was created in this month")
    assert desk.counts() == desk.expected("2022-10", "2022-12")
    desk.asked()
    desk.services.faults.clear()
    got = desk.run("2022-10", "2022-12")
    assert lines(got) == []
    assert 2 <= len(desk.asked()) <= 4


# --- Rows


def _first_of_november(change: Callable[[Row], Any]) -> Fault:
    def changed(page: list[Row]) -> None:
        for row in page:
            if row["createdAt"].startswith("2022-11-15"):
                change(row)

    return edited(changed)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda row: row.update(downloads=-3), "field downloads is -3, which no count can be"),
        (lambda row: row.update(downloads=10**15), "which no count can be"),
        (lambda row: row.update(likes=2.5), "field likes is 2.5, not a whole number"),
        (lambda row: row.update(tags="pytorch"), "field tags is 'pytorch', not a list of texts"),
        (lambda row: row.update(tags=["pytorch", 7]), "not a list of texts"),
        (lambda row: row.update(library_name=7), "field library_name is 7, not a text"),
        (lambda row: row.pop("_id"), "field _id is missing"),
        (lambda row: row.update(private="no"), "field private is 'no', neither true nor false"),
    ],
)
def test_a_row_that_cannot_be_read_refuses_its_month_alone(
    desk: Desk, change: Callable[[Row], Any], cause: str
) -> None:
    desk.services.faults.add(LISTING, _first_of_november(change), times=-1)
    got = desk.run("2022-10", "2022-12")
    (line,) = lines(got)
    assert line.startswith("huggingface (api) 2022-11: model ")
    assert cause in line
    assert desk.counts() == desk.expected("2022-10", "2022-12")
    heals(desk, "2022-10", "2022-12", QUARTER, missing=1)


@pytest.mark.parametrize("value", ["yesterday", 3.5, "0001-01-01T00:00:00Z", None])
def test_a_row_without_a_date_refuses_the_months_it_may_belong_to(desk: Desk, value: object) -> None:
    desk.services.faults.add(LISTING, _first_of_november(lambda row: row.update(createdAt=value)), times=-1)
    got = desk.run("2022-10", "2022-12")
    assert statuses(got)["2022-11"] == "refused"
    assert desk.counts() == desk.expected(*desk.counts())
    heals(desk, "2022-10", "2022-12", QUARTER, missing=1)


def test_a_field_that_is_gone_everywhere_is_found_on_the_first_page(desk: Desk) -> None:
    desk.services.faults.add(LISTING, edited(lambda page: [row.pop("createdAt") for row in page] and None), times=-1)
    got = desk.run("2022-10", "2022-12")
    assert "no model of the page can be read; model 1 of the page, " in lines(got)[0]
    assert "field createdAt is missing" in lines(got)[0]
    assert len(desk.asked()) == 1
