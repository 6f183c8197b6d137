"""How Stack Exchange says no, and how the network breaks: one line each, the good months kept, no request twice."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.frameworks import TAGS
from fw_pipeline.sources.stackoverflow.api import PROVIDER, api
from fw_pipeline_tests.fake_services.faults import instead, other_question, replaced
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.questions_live import ASKED, FEW, FIRST, Desk, edited, lines, statuses
from fw_pipeline_tests.real_answers import REAL, real_answers

COUNTS = "/stackexchange/questions"
MONTHS = ("2023-04", "2023-05", "2023-06")
SECOND = len(ASKED) + 1
"""Counts that pass before the second one of the second month is spoilt: that of tensorflow."""

KEY = "U4DMV*8nvpm3EOpvf69Rxw(("
"""Looks like a real key, which has signs that are quoted in an address."""


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def error(number: int, name: str, message: str, **more: Any) -> str:
    return json.dumps({"error_id": number, "error_name": name, "error_message": message, **more})


def heals(desk: Desk, missing: int) -> None:
    """Run again against the healed server: everything is there, and only what was missing was asked for."""
    desk.faults.clear()
    before = len(desk.asked)
    again = desk.run(MONTHS[0], MONTHS[-1])
    assert not again.failures
    assert desk.figures() == desk.truth(*MONTHS)
    assert len(desk.asked) - before == missing


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
    desk.faults.add(COUNTS, fault, after=SECOND, **options)
    assert not desk.run(MONTHS[0], MONTHS[-1]).failures
    assert desk.figures() == desk.truth(*MONTHS)
    assert len(desk.asked) == FIRST + 3 * len(ASKED) + 1


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
    desk.faults.add(COUNTS, fault, times=-1, after=SECOND, **options)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "failed", "2023-06": "failed"}
    assert len(lines(got)) == 1
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04")
    heals(desk, missing=2 * len(ASKED) - 1)


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
    desk.faults.add(COUNTS, fault, after=SECOND, **options)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert len(lines(got)) == 1
    assert lines(got)[0].startswith("stackoverflow (api) 2023-05: ")
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04", "2023-06")
    heals(desk, missing=len(ASKED) - 1)


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
    desk.faults.add(COUNTS, instead(400, error(number, "some_error", message), "application/json"), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert len(lines(got)) == 1
    assert f"some_error ({number}): {message}; {remedy}" in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04")
    heals(desk, missing=2 * len(ASKED) - 1)


@real_answers
@pytest.mark.parametrize("file", sorted((REAL / "stackexchange").glob("*_*.json")), ids=lambda file: file.stem)
def test_no_real_answer_of_another_kind_is_taken_for_a_count(desk: Desk, file: Path) -> None:
    status = 200 if file.stem.startswith("sites") else 400
    desk.faults.add(COUNTS, instead(status, file.read_bytes(), "application/json"), times=-1, after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1], tries="1")
    said = json.loads(file.read_text(encoding="utf-8")).get("error_message", "field total is missing")
    assert said in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04")
    desk.faults.clear()
    assert not desk.run(MONTHS[0], MONTHS[-1]).failures
    assert desk.figures() == desk.truth(*MONTHS)


def test_a_quota_spent_in_the_middle_says_when_it_can_go_on_and_goes_on_there(desk: Desk) -> None:
    desk.world.keyless_quota = FIRST + SECOND
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "failed", "2023-06": "failed"}
    assert re.search(
        r"more requests available in 33635 seconds; run again after \d{4}-\d\d-\d\d \d\d:\d\d UTC", lines(got)[0]
    )
    assert len(desk.asked) == FIRST + SECOND + 1
    desk.world.keyless_quota = 300
    plan = desk.provider.plan(desk.fetch(MONTHS[0], MONTHS[-1]))
    assert plan.requests == 2 * len(ASKED) - 1
    assert "0 of the quota were left when last asked" in plan.text
    heals(desk, missing=plan.requests)


def test_a_quota_that_ends_before_the_first_count_says_so_too(desk: Desk) -> None:
    desk.world.keyless_quota = 1
    assert "more requests available" in lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    assert not desk.figures()
    desk.world.keyless_quota = 300
    heals(desk, missing=1 + 3 * len(ASKED))


def test_backoff_is_waited_for_and_no_request_is_refused_for_it(desk: Desk) -> None:
    desk.world.backoff_every, desk.world.backoff_seconds = 3, 1
    assert not desk.run("2023-06", "2023-06").failures
    assert [request.status for request in desk.asked] == [200] * (FIRST + len(ASKED))
    told = next(it for it in desk.asked if it.body == b"" and it.path.endswith("/questions"))
    assert told


def test_a_backoff_longer_than_our_patience_ends_the_fetch_and_is_not_served_again(desk: Desk) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(backoff=5000)), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert re.search("asked for a pause; run again after", lines(got)[0])
    assert desk.figures() == desk.truth("2023-04")
    heals(desk, missing=2 * len(ASKED) - 2)


@pytest.mark.parametrize("backoff", ["soon", -1, [5]])
def test_a_backoff_that_cannot_be_read_is_not_ignored(desk: Desk, backoff: Any) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(backoff=backoff)), after=SECOND)
    assert "field backoff is" in lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    heals(desk, missing=len(ASKED) - 1)


def test_a_quota_that_cannot_be_read_does_no_harm(desk: Desk) -> None:
    desk.faults.add("/stackexchange", edited(lambda it: it.update(quota_remaining="many")), times=-1)
    assert not desk.run("2023-06", "2023-06").failures


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (other_question(tagged=""), "tensorflow has 2,.* questions in this month, and the whole site has 2,"),
        (
            edited(lambda it: it.update(total=10**6)),
            "tensorflow has 1,000,000 questions in this month, and the whole site",
        ),
    ],
)
def test_a_count_of_the_whole_site_in_the_place_of_a_tag_is_refused(
    desk: Desk, fault: Callable[..., Any], said: str
) -> None:
    desk.world.questions_a_month = 2000
    desk.faults.add(COUNTS, fault, after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got)["2023-05"] == "refused"
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04", "2023-06")
    heals(desk, missing=len(ASKED))


def test_a_count_of_one_tag_in_the_place_of_a_pair_is_refused(desk: Desk) -> None:
    desk.world.questions_a_month = 2000
    desk.faults.add(COUNTS, other_question(tagged="tensorflow"), after=SECOND + 2)
    said = lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    assert "2023-05: tensorflow;c++ has" in said
    heals(desk, missing=len(ASKED))


def test_a_count_of_all_time_in_the_place_of_a_month_is_refused(desk: Desk) -> None:
    ever = desk.world.all_time("tensorflow")
    desk.faults.add(COUNTS, edited(lambda it: it.update(total=10 * ever)), after=SECOND - 1)
    desk.faults.add(COUNTS, edited(lambda it: it.update(total=ever)), after=SECOND - 1)
    said = lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    assert f"tensorflow has {ever:,} questions in this month, and it has in all time {ever:,}" in said
    heals(desk, missing=len(ASKED))


def test_a_month_in_which_nobody_asked_anything_is_no_zero(desk: Desk) -> None:
    desk.faults.add(COUNTS, other_question(fromdate="1", todate="2"), times=4, after=4)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert "2023-05: the whole site has no question in this month" in lines(got)[0]
    assert desk.figures() == desk.truth("2023-04", "2023-06")


def test_a_filter_that_the_server_has_lost_is_made_anew(desk: Desk) -> None:
    desk.world.keyless_quota = FIRST + SECOND
    desk.run(MONTHS[0], MONTHS[-1])
    desk.world.keyless_quota = 300
    desk.world.filters.clear()
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert "Invalid filter specified; run again: the filter is then made anew" in lines(got)[0]
    heals(desk, missing=1 + 2 * len(ASKED) - 1)


def test_a_server_that_is_down_is_one_line_and_no_figure(desk: Desk, services: FakeServices) -> None:
    with services.down():
        got = desk.run(MONTHS[0], MONTHS[-1])
    assert len(lines(got)) == 1
    assert "the server refuses the connection" in lines(got)[0]
    heals(desk, missing=FIRST + 3 * len(ASKED))


@pytest.mark.parametrize("spoilt", ["nothing", "the key", "the middle", "the echo"])
def test_the_key_is_sent_and_never_written_or_told(tmp_path: Path, services: FakeServices, spoilt: str) -> None:
    desk = Desk(tmp_path, api(FEW), services, key=KEY)
    if spoilt == "the key":
        services.world.known_keys = frozenset({"another"})
    elif spoilt == "the middle":
        desk.faults.add(COUNTS, "reset_mid_body", times=-1, after=SECOND)
    elif spoilt == "the echo":
        desk.faults.add(COUNTS, edited(lambda it: it.update(note=f"key {KEY}")), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert bool(got.failures) == (spoilt in {"the key", "the middle"})
    assert all(dict(request.query)["key"] == KEY for request in desk.asked)
    told = "\n".join([*desk.log, *lines(got), repr(got), repr(desk.provider)])
    assert KEY not in told
    assert KEY.encode() not in desk.written()
    assert b"U4DMV" not in desk.written()
    if spoilt == "the key":
        assert "correct STACKEXCHANGE_KEY, or leave it out and go on with 300 requests a day" in lines(got)[0]


def test_a_broken_and_healed_range_of_the_whole_catalogue_asks_for_nothing_twice(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, PROVIDER, services)
    each = len(TAGS) + 1
    desk.faults.add(COUNTS, replaced('"total"', '"sum"'), after=each + 6)
    desk.world.keyless_quota = FIRST + each + 7 + each + 10
    got = desk.run("2023-03", "2023-06")
    assert statuses(got) == {"2023-03": "present", "2023-04": "refused", "2023-05": "present", "2023-06": "failed"}
    assert [line.partition(":")[0] for line in lines(got)] == [
        "stackoverflow (api) 2023-04",
        "stackoverflow (api) 2023-06",
    ]
    spoilt, cut_off = desk.questions[each + 6], desk.questions[-1]
    desk.world.keyless_quota = 10_000
    assert not desk.run("2023-03", "2023-06").failures
    assert len(desk.figures()) == 4 * each
    assert {line for line in desk.questions if desk.questions.count(line) > 1} == {spoilt, cut_off}
    assert len(desk.asked) == FIRST + 4 * each + 2
