"""A quota, a pause, a lost filter, a key: a fetch stops, says when it can go on, and goes on there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.sources.stackoverflow.stackexchange_api import PROVIDER, api
from fw_pipeline_tests.support.fake_services.faults import replaced
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import (
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

KEY = "U4DMV*8nvpm3EOpvf69Rxw(("
"""Looks like a real key, which has signs that are quoted in an address."""


MIDDLE = FIRST + EACH + 2
"""Answers until the first page of the second month is there, and the second is not."""


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def test_a_quota_spent_in_the_middle_says_when_it_can_go_on_and_goes_on_there(desk: Desk) -> None:
    desk.world.keyless_quota = MIDDLE
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert statuses(got) == {"2023-04": "present", "2023-05": "failed", "2023-06": "failed"}
    assert re.search(
        r"more requests available in 33635 seconds; run again after \d{4}-\d\d-\d\d \d\d:\d\d UTC", lines(got)[0]
    )
    assert len(desk.asked) == MIDDLE + 1
    desk.world.keyless_quota = 300
    plan = desk.provider.plan(desk.fetch(MONTHS[0], MONTHS[-1]))
    assert f"{MIDDLE} more are answered already" in plan.text
    assert "0 of the quota were left when last asked" in plan.text
    heals(desk, missing=2 * EACH - 2)


def test_a_quota_that_ends_before_the_first_count_says_so_too(desk: Desk) -> None:
    desk.world.keyless_quota = 1
    assert "more requests available" in lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    assert not desk.figures()
    desk.world.keyless_quota = 300
    heals(desk, missing=1 + 3 * EACH)


def test_backoff_is_waited_for_and_no_request_is_refused_for_it(desk: Desk) -> None:
    desk.world.backoff_every, desk.world.backoff_seconds = 1, 1
    assert not desk.run("2023-06", "2023-06").failures
    assert [request.status for request in desk.asked] == [200] * (FIRST + EACH)


def test_a_backoff_longer_than_our_patience_ends_the_fetch_and_is_not_served_again(desk: Desk) -> None:
    desk.faults.add(LISTS, edited(lambda it: it.update(backoff=5000)), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert re.search("asked for a pause; run again after", lines(got)[0])
    assert desk.figures() == desk.truth("2023-04", "2023-05")
    heals(desk, missing=EACH)


def test_an_answer_that_is_unfit_is_not_asked_about_before_its_backoff_is_over(desk: Desk) -> None:
    desk.faults.add(LISTS, edited(lambda it: it.update(backoff=5000, total="many")), after=SECOND)
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert ["field total is 'many'" in line for line in lines(got)] == [True, False]
    assert re.search("asked for a pause; run again after", lines(got)[1])
    heals(desk, missing=1 + EACH)


@pytest.mark.parametrize("backoff", ["soon", -1, [5]])
def test_a_backoff_that_cannot_be_read_is_not_ignored(desk: Desk, backoff: Any) -> None:
    desk.faults.add(LISTS, edited(lambda it: it.update(backoff=backoff)), after=SECOND)
    assert "field backoff is" in lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    heals(desk, missing=1)


def test_a_quota_that_cannot_be_read_does_no_harm(desk: Desk) -> None:
    desk.faults.add("/stackexchange", edited(lambda it: it.update(quota_remaining="many")), times=-1)
    assert not desk.run("2023-06", "2023-06").failures


def test_a_filter_that_the_server_has_lost_is_made_anew(desk: Desk) -> None:
    desk.world.keyless_quota = MIDDLE
    desk.run(MONTHS[0], MONTHS[-1])
    desk.world.keyless_quota = 300
    desk.world.filters.clear()
    got = desk.run(MONTHS[0], MONTHS[-1])
    assert "Invalid filter specified; run again: the filter is then made anew" in lines(got)[0]
    heals(desk, missing=1 + 2 * EACH - 2)


def test_a_server_that_is_down_is_one_line_and_no_figure(desk: Desk, services: FakeServices) -> None:
    with services.down():
        got = desk.run(MONTHS[0], MONTHS[-1])
    assert len(lines(got)) == 1
    assert "the server refuses the connection" in lines(got)[0]
    heals(desk, missing=FIRST + 3 * EACH)


@pytest.mark.parametrize("spoilt", ["nothing", "the key", "the middle", "the echo"])
def test_the_key_is_sent_and_never_written_or_told(tmp_path: Path, services: FakeServices, spoilt: str) -> None:
    desk = Desk(tmp_path, api(FEW), services, key=KEY)
    if spoilt == "the key":
        services.world.known_keys = frozenset({"another"})
    elif spoilt == "the middle":
        desk.faults.add(LISTS, "reset_mid_body", times=-1, after=SECOND)
    elif spoilt == "the echo":
        desk.faults.add(LISTS, edited(lambda it: it.update(note=f"key {KEY}")), after=SECOND)
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
    assert not Desk(tmp_path / "once", PROVIDER, services).run("2023-03", "2023-06").failures
    order = desk.questions
    services.reset()
    april = next(at for at, (month, tagged, _) in enumerate(order) if month == "2023-04" and tagged != "*")
    june = next(at for at, (month, _, page) in enumerate(order) if month == "2023-06" and page == "2")
    spoilt = sum(tagged != "*" for _, tagged, _ in order[:april])
    desk.faults.add(LISTS, replaced('"total"', '"sum"'), after=spoilt)
    skipped = next(at for at, (month, _, _) in enumerate(order) if month == "2023-05") - april - 1
    desk.world.keyless_quota = FIRST + june - skipped
    got = desk.run("2023-03", "2023-06")
    assert statuses(got) == {"2023-03": "present", "2023-04": "refused", "2023-05": "present", "2023-06": "failed"}
    assert [line.partition(":")[0] for line in lines(got)] == [
        "stackoverflow (api) 2023-04",
        "stackoverflow (api) 2023-06",
    ]
    desk.world.keyless_quota = 10_000
    assert not desk.run("2023-03", "2023-06").failures
    assert {asked for asked in desk.questions if desk.questions.count(asked) > 1} == {order[april], order[june]}
    assert len(desk.asked) == FIRST + len(order) + 2
    assert {month for month, _ in desk.figures()} == {"2023-03", "2023-04", "2023-05", "2023-06"}
