"""The Stack Exchange API: each question once with all its tags, UTC to the second, no count that would say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest

from fw_pipeline.catalog.frameworks import LANGUAGES, TAGS, Tag
from fw_pipeline.contract import Batch, FetchContext
from fw_pipeline.ingestion.providers import out_of_reach
from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.stackoverflow.monthly_questions import STACKOVERFLOW_QUESTIONS, names_of
from fw_pipeline.sources.stackoverflow.stackexchange_api import PROVIDER, api
from fw_pipeline_tests.support.fake_services.faults import Answer, instead
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import (
    ASKED,
    COUNTS,
    EACH,
    FEW,
    FIRST,
    LISTS,
    NOW,
    Desk,
    edited,
    lines,
    statuses,
)

TAG_INFO, FILTERS = "/stackexchange/tags", "/stackexchange/filters"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def test_every_tag_pair_and_the_whole_site_are_counted_from_one_listing(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, PROVIDER, services, key="a-key-to-count-with")
    got = desk.run("2022-11", "2023-01")
    assert not got.failures
    everything = ("*", *(tag.tagged for tag in TAGS))
    months = Window.of(date(2022, 11, 1), date(2023, 1, 1)).months()
    truth = {(f"{m:%Y-%m}", tagged): services.world.questions_in(m, tagged) for m in months for tagged in everything}
    assert desk.figures() == truth
    assert any(
        "requests, by how many questions were asked in such months; 10,000 a day with the key" in it for it in desk.log
    )
    site = [asked for asked in desk.questions if asked[1] == "*"]
    assert len(site) == len(months)
    groups = list(dict.fromkeys(tagged for _, tagged, _ in desk.questions if tagged != "*"))
    assert [len(group.split(";")) for group in groups] == [5, 5, 5, 5]
    listed = {name for group in groups for name in group.split(";")}
    assert listed == {tag.tagged for tag in TAGS if ";" not in tag.tagged}
    assert listed.isdisjoint(LANGUAGES), "questions on java as such are not listed"


def test_the_questions_are_kept_one_by_one_with_all_their_tags(tmp_path: Path, services: FakeServices) -> None:
    desk = Desk(tmp_path, PROVIDER, services)
    desk.run("2023-05", "2023-06")
    begin = datetime(2023, 5, 1, tzinfo=UTC).timestamp()
    listed = {tag.tagged for tag in TAGS if ";" not in tag.tagged}
    truth = {it.number: it for it in services.world.questions() if it.created >= begin and it.tags & listed}
    detail = desk.detail()
    assert detail.schema == STACKOVERFLOW_QUESTIONS.schema
    assert sorted(detail["id"]) == sorted(truth)
    for row in detail.iter_rows(named=True):
        true = truth[row["id"]]
        assert (row["created"].timestamp(), row["tags"]) == (true.created, sorted(true.tags))
        assert (row["score"], row["views"]) == (true.number % 9 - 2, true.number % 997)
        assert (row["answers"], row["answered"]) == (true.number % 4, true.number % 2 == 0)
        closed = row["closed"] and row["closed"].timestamp()
        assert closed == (true.created + 3600 if true.number % 11 == 0 else None)


def test_rows_say_how_by_whom_and_when_they_were_counted(desk: Desk) -> None:
    desk.run("2023-06", "2023-06")
    rows = desk.rows()
    assert rows.columns[: len(SOURCES["stackoverflow"].table.schema)] == SOURCES["stackoverflow"].table.schema.names()
    said = rows.select("method", "origin", "observed_on", "provider").unique().row(0)
    assert said == ("counted", "Stack Exchange API", NOW.date(), "api")
    assert rows.height == len(ASKED)
    evidence = rows["evidence"].unique().item().split(";")
    assert len(evidence) == EACH
    assert all((desk.data / ref).is_file() for ref in evidence)


def test_a_month_is_asked_for_from_its_first_to_its_last_second_in_utc(desk: Desk) -> None:
    desk.run("2022-02", "2022-02")
    site, *pages = (dict(request.query) for request in desk.asked[FIRST:])
    assert [page["page"] for page in pages] == ["1", "2"]
    for asked in (site, *pages):
        first, last = (int(asked[name]) for name in ("fromdate", "todate"))
        assert datetime.fromtimestamp(first, UTC) == datetime(2022, 2, 1, tzinfo=UTC)
        assert datetime.fromtimestamp(last, UTC) == datetime(2022, 2, 28, 23, 59, 59, tzinfo=UTC)
        assert asked["site"] == "stackoverflow"
        assert asked["filter"] in desk.world.filters
    assert "tagged" not in site
    assert {(it["tagged"], it["sort"], it["order"], it["pagesize"]) for it in pages} == {
        ("tensorflow;pytorch", "creation", "asc", "100")
    }


def test_the_filter_asks_for_questions_total_quota_and_backoff_and_is_made_once(desk: Desk) -> None:
    desk.run("2023-01", "2023-02")
    made = [dict(request.query) for request in desk.asked if request.path.endswith("/filters/create")]
    assert len(made) == 1
    assert made[0]["base"] == "none"
    included = set(made[0]["include"].split(";"))
    assert {".total", ".items", ".has_more", ".backoff", ".quota_remaining", ".error_id"} <= included
    assert {"question.question_id", "question.creation_date", "question.tags", "question.closed_date"} <= included
    assert "site" not in made[0]


def test_tags_are_looked_up_before_anything_is_counted(desk: Desk) -> None:
    desk.run("2023-05", "2023-06")
    lookup = desk.asked[1]
    assert unquote(lookup.path) == "/stackexchange/tags/tensorflow;pytorch;c++/info"
    assert "+" not in lookup.path
    assert dict(lookup.query)["pagesize"] == "100"
    assert sum("counted with their synonyms: tensorflow" in line for line in desk.log) == 1


def test_a_tag_that_nobody_ever_used_is_left_out_and_said_and_the_others_go_on(desk: Desk) -> None:
    desk.world.dead_tags = frozenset({"pytorch"})
    got = desk.run("2023-05", "2023-06")
    assert not got.failures
    said = "left out: no question was ever tagged pytorch, so that a count of 0 would say nothing; correct "
    assert sum(said in line for line in desk.log) == 1
    assert {tagged for _, tagged in desk.figures()} == {"*", "tensorflow", "tensorflow;c++"}
    assert {tagged for _, tagged, _ in desk.questions} == {"*", "tensorflow"}


def test_where_no_tag_is_known_nothing_is_listed(desk: Desk) -> None:
    desk.world.dead_tags = frozenset({"pytorch", "tensorflow", "c++"})
    got = desk.run("2023-05", "2023-06")
    assert "no question was ever tagged tensorflow, pytorch, c++, so that a count of 0 would say" in lines(got)[0]
    assert "correct dbt_like_sql/seeds/tags.csv" in lines(got)[0]
    assert (len(desk.asked), desk.figures()) == (FIRST, {})
    desk.world.dead_tags = frozenset()
    assert not desk.run("2023-05", "2023-06").failures
    assert desk.figures() == desk.truth("2023-05", "2023-06")
    assert len(desk.asked) == FIRST + 1 + 2 * EACH


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["items"][1].update(name="py-torch"), "tagged pytorch, .*tells of py-torch instead: a synonym"),
        (lambda it: it["items"][1].update(count=0), "no question was ever tagged pytorch"),
    ],
)
def test_a_tag_that_the_answer_does_not_vouch_for_is_left_out(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(TAG_INFO, edited(change))
    assert not desk.run("2023-06", "2023-06").failures
    assert re.search(said, "\n".join(desk.log))
    assert {tagged for _, tagged in desk.figures()} == {"*", "tensorflow", "tensorflow;c++"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it.update(items=[]), "no question was ever tagged tensorflow, pytorch, c"),
        (lambda it: it.pop("items"), "no question was ever tagged tensorflow, pytorch, c"),
        (lambda it: it.update(has_more=True), "only 3 of 3 tags were shown"),
        (lambda it: it["items"][0].pop("count"), "field count is missing"),
        (lambda it: it["items"][0].update(count=-5), "field count is -5"),
        (lambda it: it.update(items={"name": "pytorch"}), "field items is .*, not a list"),
        (lambda it: (it.pop("items"), it.pop("has_more")), "field items is missing"),
    ],
)
def test_an_answer_on_the_tags_that_vouches_for_none_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(TAG_INFO, edited(change))
    got = desk.run("2023-06", "2023-06")
    assert re.search(said, lines(got)[0])
    assert not desk.figures()
    assert not desk.run("2023-06", "2023-06").failures


def test_a_tag_in_other_letters_is_the_same_tag(desk: Desk) -> None:
    desk.faults.add(TAG_INFO, edited(lambda it: it["items"][0].update(name="TensorFlow")))
    assert not desk.run("2023-06", "2023-06").failures


def test_more_than_a_hundred_tags_are_looked_up_a_hundred_at_a_time(tmp_path: Path, services: FakeServices) -> None:
    many = tuple(Tag(f"tag-{number}", None, "variant") for number in range(150))
    desk = Desk(tmp_path, api(many), services)

    def known(request: Request, _: Answer) -> Response:
        names = unquote(request.path).split("/")[2].split(";")
        assert len(names) <= 100
        return as_json({"items": [{"name": name, "count": 5} for name in names], "has_more": False})

    services.faults.add(TAG_INFO, known, times=-1)
    assert not desk.run("2023-06", "2023-06").failures
    assert len(desk.asked) == 3 + 1 + 30


@pytest.mark.parametrize("change", [lambda it: it["items"][0].pop("included_fields"), lambda it: it.pop("has_more")])
def test_a_filter_that_does_not_tell_its_fields_will_do(desk: Desk, change: Callable[[dict[str, Any]], Any]) -> None:
    desk.faults.add(FILTERS, edited(change))
    assert not desk.run("2023-06", "2023-06").failures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["items"][0].update(included_fields=[".backoff"]), "lacks .items, .total, question.question_id"),
        (lambda it: it["items"][0]["included_fields"].remove("question.tags"), "lacks question.tags"),
        (lambda it: it["items"][0].update(filter=""), "field filter is '', not a text"),
        (lambda it: it["items"].append(it["items"][0]), "2 filters were made instead of one"),
        (lambda it: it.pop("items"), "field items is missing"),
    ],
)
def test_a_filter_that_would_not_count_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(FILTERS, edited(change))
    assert said in lines(desk.run("2023-06", "2023-06"))[0]
    assert not desk.run("2023-06", "2023-06").failures
    assert len(desk.asked) == 1 + FIRST + EACH


def test_all_closed_months_are_within_reach_and_to_say_so_takes_no_request(desk: Desk) -> None:
    chosen, settings = desk._chosen({})
    said = out_of_reach(chosen, Window.of(date(2015, 10, 1), date(2023, 7, 1)), settings, now=NOW)
    assert [str(reason.month) for reason in said] == ["2023-07"]
    assert "the last closed one is 2023-06" in said[0].cause
    assert not desk.asked


def test_the_plan_tells_the_days_that_the_quota_takes_and_what_a_key_would_change(desk: Desk) -> None:
    whole = PROVIDER.plan(Desk(desk.data, PROVIDER, desk.services).fetch("2015-11", "2023-06"))
    said = re.search(r"at most about ([\d,]+) requests", whole.text)
    assert said is not None
    assert 2000 < int(said[1].replace(",", "")) < 4000
    assert re.search("300 a day without STACKEXCHANGE_KEY: ([7-9]|1[0-3]) days; a key allows 10,000", whole.text)
    keyed = PROVIDER.plan(Desk(desk.data, PROVIDER, desk.services, key="some-key").fetch("2015-11", "2023-06"))
    assert "10,000 a day with the key: 1 day" in keyed.text
    assert not desk.asked


def test_a_fetch_that_is_dropped_in_the_middle_goes_on_where_it_was(desk: Desk) -> None:
    fetch: FetchContext = desk.fetch("2023-01", "2023-03")
    answers = desk.provider.fetch(fetch)
    first = next(answers)
    assert isinstance(first, Batch)
    answers.close()  # type: ignore[attr-defined]
    before = len(desk.asked)
    assert before == FIRST + EACH
    again = desk.provider.plan(desk.fetch("2023-01", "2023-03"))
    assert f"{before} more are answered already" in again.text
    assert "of the quota were left when last asked" in again.text
    assert len(desk.asked) == before
    assert not desk.run("2023-01", "2023-03").failures
    assert len(desk.asked) - before == 2 * EACH
    assert desk.figures() == desk.truth("2023-01", "2023-02", "2023-03")
    january = desk.rows().filter(pl.col("month") == date(2023, 1, 1)).select(first.rows.columns)
    assert first.rows.sort("tagged").equals(january.sort("tagged"))


def test_a_finished_fetch_is_not_replayed_but_asked_anew(desk: Desk) -> None:
    desk.run("2023-06", "2023-06")
    once = len(desk.asked)
    assert statuses(desk.run("2023-06", "2023-06")) == {"2023-06": "present"}
    assert len(desk.asked) == 2 * once


def test_strange_fields_are_kept_and_noted(desk: Desk) -> None:
    desk.faults.add(LISTS, edited(lambda it: it.update(shard=None, type="question")))
    assert not desk.run("2023-06", "2023-06").failures
    assert any("the answers also hold shard, type" in line for line in desk.log)
    assert b'"shard"' in desk.written()


@pytest.mark.parametrize("count", ["107538", " 107538 ", 107538])
def test_a_count_written_as_a_text_is_a_count(desk: Desk, count: Any) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(total=count)))
    assert not desk.run("2023-06", "2023-06").failures
    assert desk.figures()["2023-06", "*"] == 107538


def test_a_true_zero_is_a_figure(desk: Desk) -> None:
    nothing = instead(200, '{"total":0,"quota_remaining":7}', "application/json")
    desk.faults.add(LISTS, nothing)
    assert not desk.run("2023-06", "2023-06").failures
    assert {desk.figures()["2023-06", tagged] for tagged in ASKED[1:]} == {0}
    assert desk.detail().height == 0


def test_the_catalogue_fits_into_one_lookup() -> None:
    assert len(names_of(TAGS)) <= 100
