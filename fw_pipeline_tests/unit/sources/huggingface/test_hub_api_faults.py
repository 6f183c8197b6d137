"""A Hub that breaks, refuses or tells the wrong time: no wrong figure, and only what is missing is asked again."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from fw_pipeline_tests.support.fake_services.faults import Answer
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import (
    LISTING,
    NOW,
    REAL,
    Desk,
    Row,
    edited,
    heals,
    lines,
    statuses,
)

QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    services.world.hub_page_cap = 150
    return Desk(tmp_path / "data", services)


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
    assert "the service asked for a pause: the quota is spent until then; run again after 20" in lines(got)[0]
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
