"""How Stack Exchange says no, and how the network breaks: one line each, the good months kept, no request twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.sources.stackoverflow.stackexchange_api import api
from fw_pipeline_tests.support.fake_services.faults import instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import (
    COUNTS,
    EACH,
    FEW,
    FIRST,
    LISTS,
    MONTHS,
    SECOND,
    Desk,
    edited,
    heals,
    lines,
    statuses,
)
from fw_pipeline_tests.support.real_answers import REAL, real_answers


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def error(number: int, name: str, message: str, **more: Any) -> str:
    return json.dumps({"error_id": number, "error_name": name, "error_message": message, **more})


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("reset_mid_body", {}),
        ("short_body", {}),
        ("truncated_gzip", {}),
        ("truncated_body", {}),
        ("error", {"status": 500}),
        ("error", {"status": 502}),
        ("error", {"status": 504}),
        ("throttled", {"status": 429}),
        ("throttled", {"status": 503, "hint": "seconds", "seconds": 0}),
        ("instead", {"status": 400, "body": error(500, "internal_error", "oops"), "kind": "application/json"}),
        ("instead", {"status": 400, "body": error(503, "temporarily_unavailable", "x"), "kind": "application/json"}),
        ("instead", {"status": 400, "body": error(502, "throttle_violation", "slow down"), "kind": "application/json"}),
        ("instead", {"status": 400, "body": error(409, "duplicate_request", "again"), "kind": "application/json"}),
        ("instead", {"status": 200, "body": error(503, "temporarily_unavailable", "x"), "kind": "application/json"}),
    ],
)
def test_what_passes_is_asked_again_and_leaves_no_trace_in_the_figures(
    desk: Desk, fault: str, options: dict[str, Any]
) -> None:
    desk.faults.add(LISTS, fault, after=SECOND, **options)
    assert not desk.run(MONTHS[0], MONTHS[-1]).failures
    assert desk.figures() == desk.truth(*MONTHS)
    assert len(desk.asked) == FIRST + 3 * EACH + 1


@pytest.mark.parametrize(
    ("fault", "options", "said"),
    [
        ("reset_mid_body", {}, "broke"),
        ("error", {"status": 504}, "HTTP 504"),
        ("throttled", {"status": 429}, "HTTP 429"),
        ("throttled", {"status": 503, "hint": "seconds", "seconds": 4000}, "run again after 20..-..-.. ..:.. UTC"),
        (
            "instead",
            {"status": 429, "body": "<html>Access denied | Cloudflare</html>", "kind": "text/html"},
            "HTTP 429",
        ),
        ("instead", {"status": 400, "body": error(500, "internal_error", "oops")}, r"internal_error \(500\): oops"),
    ],
)
def test_what_stays_broken_ends_the_fetch_after_the_good_months(
    desk: Desk, fault: str, options: dict[str, Any], said: str
) -> None:
    desk.faults.add(LISTS, fault, times=-1, after=SECOND, **options)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "failed", "2023-06": "failed"}
    assert len(lines(got)) == 1
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04")
    heals(desk, missing=2 * EACH - 2)


@pytest.mark.parametrize(
    ("fault", "options", "said"),
    [
        ("html_200", {}, "answered text/html instead of JSON"),
        ("wrong_content_type", {}, "answered application/pdf instead of JSON"),
        ("invalid_utf8", {}, "not UTF-8"),
        ("redirect_elsewhere", {}, "redirected to another site"),
        ("redirect_to_page", {}, "text/html instead of JSON"),
        ("huge_claimed", {}, "larger than"),
        ("bomb", {"megabytes": 128}, "larger than"),
        ("error", {"status": 404}, "HTTP 404"),
        ("appended", {"text": "Code: 1"}, "not JSON"),
        ("instead", {"body": "[]", "kind": "application/json"}, "a JSON list instead of a dict"),
        ("instead", {"body": "{}", "kind": "application/json"}, "field total is missing"),
        ("instead", {"body": '{"total":null}', "kind": "application/json"}, "field total is null"),
        ("instead", {"body": '{"total":-1}', "kind": "application/json"}, "field total is -1"),
        ("instead", {"body": '{"total":1e300}', "kind": "application/json"}, "field total is 1e.300"),
        ("instead", {"body": '{"total":true}', "kind": "application/json"}, "field total is True"),
        ("instead", {"body": '{"total":[5]}', "kind": "application/json"}, "not a whole number"),
        ("instead", {"body": '{"total":99999999999999}', "kind": "application/json"}, "which no count can be"),
        ("instead", {"body": '{"total":5,"total":6}', "kind": "application/json"}, "the key 'total' twice"),
        ("instead", {"status": 400, "body": error(777, "new_error", "hm")}, r"new_error \(777\): hm"),
        ("instead", {"body": '{"error_id":"x"}', "kind": "application/json"}, "field error_id is 'x'"),
    ],
)
def test_an_unfit_answer_refuses_its_month_alone(desk: Desk, fault: str, options: dict[str, Any], said: str) -> None:
    desk.faults.add(LISTS, fault, after=SECOND, **options)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert len(lines(got)) == 1
    assert lines(got)[0].startswith("stackoverflow (api) 2023-05: ")
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04", "2023-06")
    heals(desk, missing=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["items"][3].pop("question_id"), "field question_id is missing"),
        (lambda it: it["items"][3].pop("creation_date"), "field creation_date is missing"),
        (lambda it: it["items"][3].pop("tags"), "field tags is missing"),
        (lambda it: it["items"][3].update(tags=[]), "carries none of tensorflow, pytorch"),
        (lambda it: it["items"][3].update(tags="jax"), "field tags is 'jax', not a list"),
        (lambda it: it["items"][3].update(tags=["java"]), "carries none of tensorflow, pytorch"),
        (lambda it: it["items"][3].update(creation_date=5), "is of another time than was asked"),
        (lambda it: it["items"].reverse(), "not in the order of time"),
        (lambda it: it["items"][3].update(is_answered="no"), "field is_answered is 'no'"),
        (lambda it: it["items"][3].update(score="?"), "field score is '[?]'"),
        (lambda it: it.update(has_more="no"), "field has_more is 'no', neither"),
        (lambda it: it.update(items={}), "field items is {}, not a list"),
    ],
)
def test_a_page_that_is_not_the_one_asked_for_refuses_its_month_alone(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(LISTS, edited(change), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert re.search(said, lines(got)[0])
    heals(desk, missing=1)


@pytest.mark.parametrize(
    ("number", "message", "remedy"),
    [
        (400, "pagesize", "check FW_STACKEXCHANGE_URL"),
        (400, "`key` doesn't match a known application", "correct STACKEXCHANGE_KEY, or leave it out"),
        (401, "token", "correct STACKEXCHANGE_KEY"),
        (402, "token", "correct STACKEXCHANGE_KEY"),
        (403, "page above 25 requires access token or app key", "correct STACKEXCHANGE_KEY"),
        (404, "no method found with this name", "check FW_STACKEXCHANGE_URL"),
        (405, "key", "correct STACKEXCHANGE_KEY"),
        (406, "token", "correct STACKEXCHANGE_KEY"),
        (407, "write", "check FW_STACKEXCHANGE_URL"),
    ],
)
def test_an_error_that_every_request_would_meet_ends_the_fetch_with_its_remedy(
    desk: Desk, number: int, message: str, remedy: str
) -> None:
    desk.faults.add(LISTS, instead(400, error(number, "some_error", message), "application/json"), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert len(lines(got)) == 1
    assert f"some_error ({number}): {message}; {remedy}" in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04")
    heals(desk, missing=2 * EACH - 2)


@real_answers
@pytest.mark.parametrize("file", sorted((REAL / "stackexchange").glob("*_*.json")), ids=lambda file: file.stem)
def test_no_real_answer_of_another_kind_is_taken_for_a_count(desk: Desk, file: Path) -> None:
    status = 200 if file.stem.startswith("sites") else 400
    desk.faults.add(LISTS, instead(status, file.read_bytes(), "application/json"), times=-1, after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1], tries="1")
    said = json.loads(file.read_text(encoding="utf-8")).get("error_message", "field total is missing")
    assert said in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04")
    desk.faults.clear()
    assert not desk.run(MONTHS[0], MONTHS[-1]).failures
    assert desk.figures() == desk.truth(*MONTHS)


@pytest.mark.parametrize("count", [0, 50, 10**6])
def test_a_count_of_the_whole_site_that_cannot_be_true_is_refused(desk: Desk, count: int) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(total=count)), after=1)
    got = desk.run(MONTHS[0], MONTHS[-1])
    if count == 10**6:
        assert not got.failures, "more than is known here may well be true"
        return
    said = "the whole site has no question" if not count else "questions in this month, and the whole site has 50"
    assert said in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04", "2023-06")
    heals(desk, missing=EACH)


def test_as_many_questions_as_of_all_time_in_one_month_are_refused(desk: Desk) -> None:
    desk.faults.add("/stackexchange/tags", edited(lambda it: it["items"][0].update(count=40)))
    said = lines(desk.run("2023-05", "2023-05"))[0]
    assert re.search("tensorflow has 1.. questions in this month, and it has in all time 40", said)
