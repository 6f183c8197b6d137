"""The Stack Exchange API: one request a tag and month, UTC to the second, and no count that would say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest

from fw_pipeline.contract import TABLES, Batch, Fetch, Window
from fw_pipeline.frameworks import TAGS, Tag
from fw_pipeline.orchestration.choosing import out_of_reach
from fw_pipeline.sources.stackoverflow.api import PROVIDER, api
from fw_pipeline.sources.stackoverflow.figures import contradiction, names_of
from fw_pipeline_tests.fake_services.faults import Answer, instead
from fw_pipeline_tests.fake_services.messages import Request, Response, as_json
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.questions_live import ASKED, COUNTS, FEW, FIRST, NOW, Desk, edited, lines, statuses

TAG_INFO, FILTERS = "/stackexchange/tags", "/stackexchange/filters"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, api(FEW), services)


def test_every_tag_pair_and_the_whole_site_are_counted_with_one_request_a_month(
    tmp_path: Path, services: FakeServices
) -> None:
    desk = Desk(tmp_path, PROVIDER, services, key="a-key-to-count-with")
    planned = PROVIDER.plan(desk.fetch("2022-11", "2023-01")).requests
    got = desk.run("2022-11", "2023-01")
    assert not got.failures
    everything = ("*", *(tag.tagged for tag in TAGS))
    months = Window.of(date(2022, 11, 1), date(2023, 1, 1)).months()
    truth = {(f"{m:%Y-%m}", tagged): services.world.questions_in(m, tagged) for m in months for tagged in everything}
    assert desk.figures() == truth
    assert len(desk.asked) == planned == FIRST + 3 * len(everything)
    assert desk.questions == list(truth)
    assert any(
        f"{planned} requests, {len(everything)} a month; 10,000 a day with the key: 1 day" in it for it in desk.log
    )


def test_rows_say_how_by_whom_and_when_they_were_counted(desk: Desk) -> None:
    desk.run("2023-06", "2023-06")
    rows = desk.rows()
    assert rows.columns[: len(TABLES["stackoverflow"].schema)] == TABLES["stackoverflow"].schema.names()
    said = rows.select("method", "origin", "observed_on", "provider").unique().row(0)
    assert said == ("counted", "Stack Exchange API", NOW.date(), "api")
    assert rows.height == len(ASKED)
    evidence = rows["evidence"].unique().item().split(";")
    assert len(evidence) == len(ASKED)
    assert all((desk.data / ref).is_file() for ref in evidence)


def test_a_month_is_asked_for_from_its_first_to_its_last_second_in_utc(desk: Desk) -> None:
    desk.run("2022-02", "2022-02")
    site, _, _, pair = (dict(request.query) for request in desk.asked[FIRST:])
    first, last = (int(site[name]) for name in ("fromdate", "todate"))
    assert datetime.fromtimestamp(first, UTC) == datetime(2022, 2, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(last, UTC) == datetime(2022, 2, 28, 23, 59, 59, tzinfo=UTC)
    assert "tagged" not in site
    assert pair["tagged"] == "tensorflow;c++"
    assert {it["site"] for it in (site, pair)} == {"stackoverflow"}
    assert site["filter"] == pair["filter"] in desk.world.filters


def test_the_filter_asks_for_total_quota_and_backoff_and_is_made_once(desk: Desk) -> None:
    desk.run("2023-01", "2023-02")
    made = [dict(request.query) for request in desk.asked if request.path.endswith("/filters/create")]
    assert len(made) == 1
    assert made[0]["base"] == "none"
    assert {".total", ".backoff", ".quota_remaining", ".error_id"} <= set(made[0]["include"].split(";"))
    assert "site" not in made[0]


def test_tags_are_looked_up_before_anything_is_counted(desk: Desk) -> None:
    desk.run("2023-05", "2023-06")
    lookup = desk.asked[1]
    assert unquote(lookup.path) == "/stackexchange/tags/tensorflow;pytorch;c++/info"
    assert "+" not in lookup.path
    assert dict(lookup.query)["pagesize"] == "100"
    assert sum("counted with their synonyms: tensorflow" in line for line in desk.log) == 1


def test_a_tag_without_a_question_in_all_time_stops_the_fetch_before_a_count_is_asked_for(desk: Desk) -> None:
    desk.world.dead_tags = frozenset({"pytorch"})
    got = desk.run("2023-05", "2023-06")
    assert "no question was ever tagged pytorch, so that a count of 0 would say nothing" in lines(got)[0]
    assert "frameworks.py" in lines(got)[0]
    assert (len(desk.asked), desk.figures()) == (FIRST, {})
    desk.world.dead_tags = frozenset()
    assert not desk.run("2023-05", "2023-06").failures
    assert desk.figures() == desk.truth("2023-05", "2023-06")
    assert len(desk.asked) == FIRST + 1 + 2 * len(ASKED)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["items"][1].update(name="py-torch"), "tagged pytorch, .*tells of py-torch instead: a synonym"),
        (lambda it: it["items"][1].update(count=0), "no question was ever tagged pytorch"),
        (lambda it: it.update(items=[]), "no question was ever tagged tensorflow, pytorch, c"),
        (lambda it: it.pop("items"), "no question was ever tagged tensorflow, pytorch, c"),
        (lambda it: it.update(has_more=True), "only 3 of 3 tags were shown"),
        (lambda it: it["items"][0].pop("count"), "field count is missing"),
        (lambda it: it["items"][0].update(count=-5), "field count is -5"),
        (lambda it: it.update(items={"name": "pytorch"}), "field items is .*, not a list of objects"),
        (lambda it: (it.pop("items"), it.pop("has_more")), "field items is None"),
    ],
)
def test_an_answer_on_the_tags_that_does_not_vouch_for_each_is_refused(
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
    planned = desk.provider.plan(desk.fetch("2023-06", "2023-06")).requests
    assert not desk.run("2023-06", "2023-06").failures
    assert len(desk.asked) == planned == 3 + 151


@pytest.mark.parametrize("change", [lambda it: it["items"][0].pop("included_fields"), lambda it: it.pop("has_more")])
def test_a_filter_that_does_not_tell_its_fields_will_do(desk: Desk, change: Callable[[dict[str, Any]], Any]) -> None:
    desk.faults.add(FILTERS, edited(change))
    assert not desk.run("2023-06", "2023-06").failures


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["items"][0].update(included_fields=[".backoff"]), "lacks .total: ['.backoff']"),
        (lambda it: it["items"][0].update(filter=""), "field filter is '', not a text"),
        (lambda it: it["items"].append(it["items"][0]), "2 filters were made instead of one"),
        (lambda it: it.pop("items"), "field items is None"),
    ],
)
def test_a_filter_that_would_not_count_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    desk.faults.add(FILTERS, edited(change))
    assert said in lines(desk.run("2023-06", "2023-06"))[0]
    assert not desk.run("2023-06", "2023-06").failures
    assert len(desk.asked) == 1 + FIRST + len(ASKED)


def test_all_closed_months_are_within_reach_and_to_say_so_takes_no_request(desk: Desk) -> None:
    chosen, settings = desk._chosen({})
    said = out_of_reach(chosen, Window.of(date(2015, 10, 1), date(2023, 7, 1)), settings, now=NOW)
    assert [str(reason.month) for reason in said] == ["2023-07"]
    assert "the last closed one is 2023-06" in said[0].cause
    assert not desk.asked


def test_the_plan_tells_the_days_that_the_quota_takes_and_what_a_key_would_change(desk: Desk) -> None:
    provider = PROVIDER
    whole = provider.plan(Desk(desk.data, provider, desk.services).fetch("2015-11", "2023-06"))
    assert whole.requests == FIRST + 92 * (len(TAGS) + 1)
    assert "300 a day without STACKEXCHANGE_KEY: 11 days; a key allows 10,000" in whole.text
    keyed = provider.plan(Desk(desk.data, provider, desk.services, key="some-key").fetch("2015-11", "2023-06"))
    assert "10,000 a day with the key: 1 day" in keyed.text
    assert not desk.asked


def test_a_fetch_that_is_dropped_in_the_middle_goes_on_where_it_was(desk: Desk) -> None:
    fetch: Fetch = desk.fetch("2023-01", "2023-03")
    answers = desk.provider.fetch(fetch)
    first = next(answers)
    assert isinstance(first, Batch)
    answers.close()  # type: ignore[attr-defined]
    before = len(desk.asked)
    assert before == FIRST + len(ASKED)
    again = desk.provider.plan(desk.fetch("2023-01", "2023-03"))
    assert again.requests == 2 * len(ASKED)
    assert f"{before} more are answered already" in again.text
    assert "of the quota were left when last asked" in again.text
    assert len(desk.asked) == before
    assert not desk.run("2023-01", "2023-03").failures
    assert len(desk.asked) - before == again.requests
    assert desk.figures() == desk.truth("2023-01", "2023-02", "2023-03")
    january = desk.rows().filter(pl.col("month") == date(2023, 1, 1)).select(first.rows.columns)
    assert first.rows.sort("tagged").equals(january.sort("tagged"))


def test_a_finished_fetch_is_not_replayed_but_asked_anew(desk: Desk) -> None:
    desk.run("2023-06", "2023-06")
    once = len(desk.asked)
    assert statuses(desk.run("2023-06", "2023-06")) == {"2023-06": "present"}
    assert len(desk.asked) == 2 * once


def test_strange_fields_are_kept_and_noted(desk: Desk) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(shard=None, items=[])))
    assert not desk.run("2023-06", "2023-06").failures
    assert any("the answers also hold items, shard" in line for line in desk.log)
    assert b'"shard"' in desk.written()


@pytest.mark.parametrize("count", ["55", " 55 ", 55])
def test_a_count_written_as_a_text_is_a_count(desk: Desk, count: Any) -> None:
    desk.faults.add(COUNTS, edited(lambda it: it.update(total=count)), after=1)
    assert not desk.run("2023-06", "2023-06").failures
    assert desk.figures()["2023-06", "tensorflow"] == 55


def test_a_true_zero_is_a_figure(desk: Desk) -> None:
    desk.faults.add(COUNTS, instead(200, '{"total":0,"quota_remaining":7}', "application/json"), after=3)
    assert not desk.run("2023-06", "2023-06").failures
    assert desk.figures()["2023-06", "tensorflow;c++"] == 0


def test_counts_that_cannot_be_true_together_are_told_apart_from_those_that_can() -> None:
    ever = {"tensorflow": 80_000, "java": 1_900_000}
    good = {"*": 120_000, "tensorflow": 739, "pytorch": 0, "tensorflow;java": 12, "jax;java": 3}
    assert contradiction(good, ever) is None
    assert contradiction({"*": 5, "tensorflow": 5}, ever) is None
    cases = [
        ({"*": 0}, "the whole site has no question"),
        ({"*": 5}, "tensorflow has 739 .* the whole site has 5"),
        ({"tensorflow": 120_000}, "the whole site has 120,000"),
        ({"tensorflow": 80_000}, "tensorflow has 80,000 .* it has in all time 80,000"),
        ({"tensorflow;java": 739}, "tensorflow;java has 739 .* tensorflow has 739"),
    ]
    for change, words in cases:
        assert re.search(words, contradiction({**good, **change}, ever) or "")


def test_the_catalogue_fits_into_one_lookup() -> None:
    assert len(names_of(TAGS)) <= 100
