"""Whatever goes wrong at the Hub: no wrong figure, one line, good months kept, and only what is missing asked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fw_pipeline_tests.fake_services.faults import Answer, Fault, other_question
from fw_pipeline_tests.fake_services.messages import Request, Response
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.hub_live import LISTING, NOW, REAL, Desk, Row, edited, lines, statuses, without_link

QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


def heals(desk: Desk, first: str, last: str, months: tuple[str, ...], *, missing: int) -> None:
    """Run again against the healed Hub: everything is there, and only what was missing was asked for."""
    desk.services.faults.clear()
    desk.asked()
    got = desk.run(first, last)
    assert lines(got) == []
    assert len(desk.asked()) == missing
    assert desk.counts() == desk.expected(*months)


# --- The wire


WIRE: dict[str, tuple[dict[str, Any], str]] = {
    "reset_mid_body": ({}, "the server broke the connection"),
    "short_body": ({}, "the answer broke off"),
    "slow_drip": ({}, "still dripping in after"),
    "truncated_gzip": ({}, "packing of the answer is cut off"),
    "truncated_body": ({}, "the JSON is cut off"),
    "html_200": ({}, "answered text/html instead of application/json"),
    "wrong_content_type": ({}, "answered application/pdf instead of application/json"),
    "error": ({"status": 500}, "HTTP 500"),
    "invalid_utf8": ({}, "is not UTF-8"),
    "appended": ({"text": "Code: 1. Oops"}, "the answer is not JSON"),
    "redirect_elsewhere": ({}, "redirected to another site, localhost"),
    "redirect_to_page": ({}, "answered text/html instead of application/json"),
    "redirect_loop": ({}, "redirected more than 5 times"),
    "huge_claimed": ({}, "the answer is larger than"),
    "huge_streamed": ({}, "the answer is larger than"),
    "bomb": ({"megabytes": 64}, "the answer is larger than"),
    "throttled": ({"seconds": 3000, "hint": "seconds"}, "run again after"),
    "instead": ({"body": '{"error":"Internal Error"}', "kind": "application/json"}, "a JSON dict instead of a list"),
}


@pytest.mark.parametrize("fault", WIRE)
def test_a_broken_listing_keeps_its_months_and_goes_on_from_its_cursor(desk: Desk, fault: str) -> None:
    options, cause = WIRE[fault]
    desk.services.faults.add(LISTING, fault, after=6, times=-1, **options)
    got = desk.run("2022-10", "2023-06", answer_seconds="0.5", answer_bytes="1000000")
    (line,) = lines(got)
    assert line.startswith("huggingface (api) 2022-10 to 2023-06: ")
    assert cause in line
    kept = tuple(month for month, status in statuses(got).items() if status == "present")
    assert kept
    assert desk.counts() == desk.expected(*kept)
    all_months = tuple(statuses(got))
    heals(desk, "2022-10", "2023-06", all_months, missing=desk.least_pages("2022-10") - 6)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_hub_that_is_unwell_for_a_moment_is_asked_again(desk: Desk, status: int) -> None:
    desk.services.faults.add(LISTING, "error", status=status, after=3)
    assert lines(desk.run("2022-10", "2022-12")) == []
    assert len(desk.asked()) == desk.least_pages("2022-10") + 1
    assert desk.counts() == desk.expected(*QUARTER)


def test_a_hub_that_cannot_be_reached_is_no_empty_hub(desk: Desk) -> None:
    with desk.services.down():
        got = desk.run("2022-10", "2022-12")
    assert "the server refuses the connection" in lines(got)[0]
    assert desk.rows().is_empty()
    heals(desk, "2022-10", "2022-12", QUARTER, missing=desk.least_pages("2022-10"))


def test_a_moved_path_is_followed_within_the_hub(desk: Desk) -> None:
    def moved(request: Request, _answer: Answer) -> Response:
        text = b"Temporary Redirect. Redirecting to /api/models"
        target = f"{request.base_url}{request.path}?{urlencode(request.query)}"
        return Response(307, {"Location": target, "Content-Type": "text/plain"}, text)

    desk.services.faults.add(LISTING, moved, after=2)
    assert lines(desk.run("2022-10", "2022-12")) == []
    assert desk.counts() == desk.expected(*QUARTER)


# --- Quotas


def test_a_quota_that_is_used_up_is_waited_for_before_the_hub_refuses(desk: Desk) -> None:
    desk.services.world.hub_quota = desk.least_pages("2022-10") - 1
    desk.services.world.moments["hub window"] = time.monotonic() + 2.0
    assert lines(desk.run("2022-10", "2022-12")) == []
    asked = desk.asked()
    assert {request.status for request in asked} == {200}
    assert asked[-1].at - asked[-2].until > 1.0
    assert desk.counts() == desk.expected(*QUARTER)


def test_a_quota_that_opens_too_late_ends_the_fetch_and_says_when_to_go_on(desk: Desk) -> None:
    desk.services.world.hub_quota = 5
    got = desk.run("2022-10", "2022-12")
    assert "the service asked for a pause; run again after 20" in lines(got)[0]
    assert len(desk.asked()) == 5
    desk.services.world.hub_quota = 500
    heals(desk, "2022-10", "2022-12", QUARTER, missing=desk.least_pages("2022-10") - 5)


@pytest.mark.parametrize("hint", ["none", "seconds", "date", "ratelimit"])
def test_a_refusal_is_obeyed_with_and_without_a_hint(desk: Desk, hint: str) -> None:
    desk.services.faults.add(LISTING, "throttled", hint=hint, seconds=1, after=1)
    assert lines(desk.run("2022-12", "2022-12")) == []
    asked = desk.asked()
    assert [request.status for request in asked[:3]] == [200, 429, 200]
    assert hint == "none" or asked[2].at - asked[1].until > 0.9
    assert desk.counts() == desk.expected("2022-12")


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded answers are not here")
def test_the_real_refusal_is_told_in_the_hubs_words(desk: Desk) -> None:
    words = (REAL / "429_rate_limited.txt").read_text()
    desk.services.faults.add(LISTING, "instead", status=429, body=words, times=-1)
    (line,) = lines(desk.run("2022-12", "2022-12"))
    assert "HTTP 429 Too Many Requests: We had to rate limit your IP" in line
    assert desk.rows().is_empty()


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
    got = desk.run("2022-08", "2022-12")
    assert "although the Hub has models of 2022-03-02" in lines(got)[0]
    assert len(desk.asked()) == 10
    missing = desk.least_pages("2022-08") - 8  # the last two pages are not believed
    heals(desk, "2022-08", "2022-12", ("2022-08", "2022-09", *QUARTER), missing=missing)


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
        (lambda row: row.update(tags=None), "field tags is null"),
        (lambda row: row.pop("tags"), "field tags is missing"),
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


# --- Clocks, and what was known before


def test_a_month_that_is_not_over_at_the_hub_is_not_counted(desk: Desk) -> None:
    behind = "Wed, 28 Jun 2023 10:00:00 GMT"

    def skewed(request: Request, answer: Answer) -> Response:
        true = answer(request)
        return replace(true, headers={**true.headers, "Date": behind})

    desk.services.faults.add(LISTING, skewed, times=-1)
    got = desk.run("2023-05", "2023-06")
    (line,) = lines(got)
    assert line.startswith(
        "huggingface (api) 2023-06: it was not over when the Hub was looked at (2023-06-28 10:00 UTC)"
    )
    assert desk.counts() == desk.expected("2023-05")
    desk.asked()
    desk.services.faults.clear()
    assert lines(desk.run("2023-05", "2023-06")) == []
    assert len(desk.asked()) > 0
    assert desk.counts() == desk.expected("2023-05", "2023-06")


def test_an_unfinished_listing_from_before_the_end_of_the_range_is_begun_anew(desk: Desk) -> None:
    then = datetime(2023, 6, 28, 10, tzinfo=UTC)
    answered = iter(range(1000))

    def then_broken(request: Request, answer: Answer) -> Response:
        if next(answered) > 1:
            return Response(504, {"Content-Type": "text/html"}, b"<h1>Gateway Timeout</h1>")
        cut = edited(lambda page: [row for row in page if row["createdAt"] < "2023-06-28T10"])
        true = cut(request, answer)
        return replace(true, headers={**true.headers, "Date": "Wed, 28 Jun 2023 10:00:00 GMT"})

    desk.services.faults.add(LISTING, then_broken, times=-1)
    assert len(lines(desk.run("2022-12", "2023-05", now=then))) == 1
    desk.services.faults.clear()
    desk.asked()
    assert lines(desk.run("2023-05", "2023-06", now=datetime(2023, 7, 2, tzinfo=UTC))) == []
    assert desk.counts() == desk.expected("2023-05", "2023-06")


def test_an_old_copy_of_the_listing_does_not_close_a_month(desk: Desk) -> None:
    def stale(page: list[Row]) -> list[Row]:
        return [row for row in page if row["createdAt"] < "2023-06-20"]

    desk.services.faults.add(LISTING, edited(stale), times=-1)
    got = desk.run("2023-05", "2023-06")
    (line,) = lines(got)
    assert line.startswith("huggingface (api) 2023-06: what was seen of the Hub ends on 2023-06-19")
    assert desk.counts() == desk.expected("2023-05")


def test_a_month_that_lost_most_of_its_models_is_refused_and_asked_for_anew(desk: Desk) -> None:
    desk.run("2022-11", "2022-12")
    desk.asked()

    def thinned(page: list[Row]) -> list[Row]:
        return [row for number, row in enumerate(page) if number % 3 == 0 or not row["createdAt"].startswith("2022-12")]

    desk.services.faults.add(LISTING, edited(thinned), times=-1)
    got = desk.run("2022-11", "2022-12", now=datetime(2023, 7, 6, tzinfo=UTC))
    assert "models of hub fell from" in lines(got)[0]
    assert desk.counts() == desk.expected("2022-11", "2022-12")
    desk.asked()
    desk.services.faults.clear()
    assert lines(desk.run("2022-11", "2022-12", now=NOW)) == []
    assert 0 < len(desk.asked()) < desk.least_pages("2022-11")
