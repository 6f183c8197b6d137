"""A month's questions are put together from pages, windows and groups of tags, each once, or the month is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.months import parse_month
from fw_pipeline.sources.stackoverflow.monthly_questions import carriers, names_of
from fw_pipeline.sources.stackoverflow.stackexchange_api import TAGS_A_CALL, api
from fw_pipeline_tests.support.fake_services.faults import Answer, changed, other_question
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.stackexchange import answer as stack_exchange
from fw_pipeline_tests.support.questions_live import FEW, LISTS, MONTHS, SECOND, Desk, edited, heals, lines, statuses

MANY = tuple(tag for tag in TAGS if ";" not in tag.tagged)[:12]


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def pages(desk: Desk) -> list[dict[str, str]]:
    return [dict(it.query) for it in desk.asked if it.path == LISTS]


def truth(desk: Desk, tags: tuple[Tag, ...], month: str) -> dict[tuple[str, str], int]:
    asked = ("*", *(tag.tagged for tag in tags))
    return {(month, tagged): desk.world.questions_in(parse_month(month), tagged) for tagged in asked}


@pytest.mark.parametrize("key", ["", "a-key-of-ours"])
def test_a_listing_longer_than_25_pages_is_begun_anew_where_they_end(
    tmp_path: Path, services: FakeServices, key: str
) -> None:
    desk = Desk(tmp_path, api(FEW), services, key=key)
    desk.world.questions_a_month = 8_000
    assert not desk.run("2023-06", "2023-06").failures
    assert desk.figures() == desk.truth("2023-06")
    asked = pages(desk)
    assert len(asked) > 25
    assert [int(it["page"]) for it in asked] == [*range(1, 26), *range(1, len(asked) - 24)]
    assert int(asked[25]["fromdate"]) > int(asked[24]["fromdate"])
    detail = desk.detail()
    assert detail["id"].is_unique().all()
    last = detail.filter(detail["created"].dt.epoch("s") <= int(asked[25]["fromdate"])).height
    assert last == 25 * 100, "the new listing begins with the second in which the 25 pages ended"


def test_25_pages_of_one_second_cannot_be_gone_beyond_and_refuse_the_month(desk: Desk) -> None:
    def stuck(request: Request, _: Answer) -> Response:
        true = stack_exchange(request, desk.world)
        return edited(lambda it: (it.update(has_more=True), [q.update(creation_date=since) for q in it["items"]]))(
            request, lambda _: true
        )

    desk.world.questions_a_month = 8_000
    since = int(datetime(2023, 6, 1, tzinfo=UTC).timestamp())
    desk.faults.add(LISTS, stuck, times=-1)
    assert "25 pages do not reach beyond one second" in lines(desk.run("2023-06", "2023-06"))[0]


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 20])
def test_as_many_tags_are_asked_for_at_once_as_the_service_takes(
    tmp_path: Path, services: FakeServices, most: int
) -> None:
    desk = Desk(tmp_path, api(MANY), services)
    desk.world.most_tags = most
    assert not desk.run("2023-05", "2023-06").failures
    assert desk.figures() == truth(desk, MANY, "2023-05") | truth(desk, MANY, "2023-06")
    refused = [it for it in desk.asked if it.status == 400]
    assert len(refused) == {1: 2, 2: 1, 3: 1, 4: 1}.get(most, 0), "said once for all months"
    assert any("tags a request" in line for line in desk.log) == bool(refused)


def test_a_service_that_takes_no_tag_at_all_ends_the_fetch(desk: Desk) -> None:
    desk.world.most_tags = 0
    assert re.search(r"bad_parameter \(400\): tagged; correct dbt_like_sql", lines(desk.run("2023-05", "2023-06"))[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda it: it["items"].pop(7),
            "1.. questions tagged tensorflow or pytorch are listed, and the service counts",
        ),
        (lambda it: it["items"].append(it["items"][-1]), ""),
        (lambda it: it.update(has_more=False), "100 questions tagged tensorflow or pytorch are listed, and the"),
        (lambda it: it.update(total=it["total"] + 1), "and the service counts 1.."),
        (lambda it: it.update(items=[], total=5, has_more=True), "0 questions .* the service counts 5"),
    ],
)
def test_the_rows_must_be_as_many_as_the_service_counts(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(LISTS, edited(change), after=SECOND - 1)  # the first page of the second month
    got = desk.run(MONTHS[0], MONTHS[-1])
    if not said:
        assert not got.failures, "a question that is shown twice is one question"
        assert desk.figures() == desk.truth(*MONTHS)
        return
    assert statuses(got) == {"2023-04": "present", "2023-05": "refused", "2023-06": "present"}
    assert re.search(said, lines(got)[0])
    assert desk.figures() == desk.truth("2023-04", "2023-06")
    heals(desk, missing=2)


def test_pages_in_another_order_refuse_the_month(desk: Desk) -> None:
    desk.faults.add(LISTS, other_question(page="1"), after=SECOND)
    assert "the pages are not in the order of time" in lines(desk.run(MONTHS[0], MONTHS[-1]))[0]
    heals(desk, missing=2)


def test_a_tag_that_the_service_overlooks_in_a_group_is_found_out(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, api(MANY), services)
    group = carriers(MANY)[:5]

    def overlooks(request: Request, answer: Answer) -> Response:
        tags = dict(request.query)["tagged"].split(";")
        return other_question(tagged=";".join(tags[1:]))(request, answer) if tags == list(group) else answer(request)

    desk.faults.add(LISTS, overlooks, times=-1)
    said = lines(desk.run("2023-05", "2023-05"))[0]
    assert re.search(rf"question \d+ carries .*{re.escape(group[0])}.*, and is not listed there", said)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.pop("has_more", None),
        lambda it: it.pop("quota_remaining"),
        lambda it: [q.pop(name, None) for q in it["items"] for name in ("score", "is_answered", "closed_date")],
        lambda it: [q.update(tags=[t.upper() for t in q["tags"]]) for q in it["items"]],
        lambda it: [q.update(owner={"reputation": 1}) for q in it["items"]],
    ],
)
def test_what_may_be_absent_or_otherwise_does_no_harm(desk: Desk, change: Callable[[dict[str, Any]], Any]) -> None:
    desk.faults.add(LISTS, edited(change), times=-1)
    assert not desk.run(MONTHS[0], MONTHS[-1]).failures
    assert desk.figures() == desk.truth(*MONTHS)


def test_a_byte_order_mark_before_the_answer_does_no_harm(desk: Desk) -> None:
    def marked(request: Request, answer: Answer) -> Response:
        true = answer(request)
        return changed(body=b"\xef\xbb\xbf" + true.body)(request, lambda _: true)

    desk.faults.add("/stackexchange", marked, times=-1)
    assert not desk.run("2023-06", "2023-06").failures
    assert desk.figures() == desk.truth("2023-06")


def test_a_pair_of_which_neither_tag_is_wanted_by_itself_is_listed_by_its_first() -> None:
    assert carriers((Tag("julia;flux", None, "language"),)) == ("julia",)
    catalogue = carriers(TAGS)
    assert set(names_of(TAGS)) > set(catalogue)
    assert len(catalogue) == 4 * TAGS_A_CALL
    assert catalogue[:5] == tuple(tag.tagged for tag in TAGS if tag.framework == "tensorflow" and ";" not in tag.tagged)
