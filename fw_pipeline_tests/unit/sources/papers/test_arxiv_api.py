"""The provider of arXiv abstracts asks little, asks the right question, and counts every paper once."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window, next_month
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.papers.arxiv_query import Paper, frameworks_of, query, seconds_of_quiet
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import FIRST_MONTH, LAST_MONTH
from fw_pipeline_tests.support.papers_live import NOW, Desk, lines, named_in_abstracts, statuses

ALL_MONTHS = Window.of(FIRST_MONTH, LAST_MONTH).months()


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the pace of the machine is that of this test alone
    return Desk(tmp_path, services, "arxiv")


@pytest.mark.parametrize("short_key", ["", "k"])
def test_every_month_costs_one_request_and_counts_each_paper_once(
    short_key: str, desk: Desk, services: FakeServices
) -> None:
    desk.secrets = {"STACKEXCHANGE_KEY": short_key}
    got = desk.run("2022-01", "2023-06")
    assert not got.failures
    assert len(services.of("arxiv")) == len(ALL_MONTHS)
    expected = {
        (month, names, None): (count, None)
        for month in ALL_MONTHS
        for names, count in named_in_abstracts(services, month).items()
    }
    assert desk.figures() == expected
    assert len(expected) > 80
    assert any(len(names) == 2 for _, names, _ in expected)


def test_rows_say_what_they_are_and_thank_arxiv(desk: Desk) -> None:
    desk.run("2022-01", "2022-02")
    rows = desk.rows()
    assert rows.select(SOURCES["papers"].table.schema.names()).schema == SOURCES["papers"].table.schema
    assert rows["population"].unique().to_list() == ["arxiv abstracts"]
    assert rows["venue"].unique().to_list() == ["*"]
    assert rows["observed_on"].unique().to_list() == [NOW.date()]
    (origin,) = rows["origin"].unique()
    assert "thank you to arxiv for use of its open access interoperability" in origin.lower()
    assert rows["evidence"].n_unique() == 2
    assert all((desk.data / "data" / ref).is_file() for ref in rows["evidence"])


def test_the_listing_holds_every_counted_paper_with_its_authors(desk: Desk, services: FakeServices) -> None:
    desk.run("2022-01", "2022-02")
    listing = desk.detail()
    papers = {it["arxiv_id"]: it for it in services.world.papers()}
    assert listing.height == desk.rows()["papers"].sum()
    assert listing["arxiv_id"].is_unique().all()
    for row in listing.to_dicts():
        paper = papers[row["arxiv_id"]]
        assert row["title"] == paper["title"]
        assert row["date"] == paper["published"].date()
        assert row["authors"] == list(paper["authors"])
        assert row["paper_url"] == f"https://arxiv.org/abs/{row['arxiv_id']}"
        assert row["official"] is None


def test_the_question_is_in_parentheses_and_ends_with_the_month(desk: Desk, services: FakeServices) -> None:
    desk.run("2022-02", "2022-02")
    (asked,) = services.of("arxiv")
    given = dict(asked.query)
    words, _, dates = given["search_query"].partition(" AND ")
    assert dates == "submittedDate:[202202010000 TO 202202282359]"
    assert words.startswith("(")
    assert words.endswith(")")
    assert words.count("(") == words.count(" OR ") == len(words.split(" OR ")) - 1
    assert {"ti:pytorch", "abs:pytorch", "ti:keras", "abs:jax", "abs:tensorflow"} <= set(
        words.replace("(", "").replace(")", "").split(" OR ")
    )
    assert given | {"search_query": ""} == {
        "search_query": "",
        "start": "0",
        "max_results": "2000",
        "sortBy": "submittedDate",
        "sortOrder": "ascending",
    }
    assert asked.headers["user-agent"].endswith("(+reader@example.org)")


def test_a_leap_day_and_a_year_end_are_in_their_month() -> None:
    assert query(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, tzinfo=UTC)).endswith(
        "[202402010000 TO 202402292359]"
    )
    assert next_month(date(2023, 12, 1)) == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("A PyTorch-based toolbox", {"pytorch"}),
        ("with tf.keras (TensorFlow's own)", {"keras", "tensorflow"}),
        ("written in JAX.", {"jax"}),
        ("in {\\tt pytorch}/MXNet", {"pytorch", "mxnet"}),
        ("Caffe2, CNTK and Theano", {"caffe2", "cntk", "theano"}),
        ("Jaxon used kerastes and theanological chainers", set()),
        ("a torch lights the way", set()),
        ("PaddlePaddle or MindSpore", {"paddle", "mindspore"}),
    ],
)
@pytest.mark.parametrize("place", ["title", "summary"])
def test_frameworks_are_named_by_whole_words_in_title_or_abstract(told: str, named: set[str], place: str) -> None:
    texts = {"title": "A title", "summary": "", place: told}
    paper = Paper("u", "i", texts["title"], texts["summary"], NOW, ())
    assert frameworks_of(paper) == tuple(sorted(named))


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("23:59:59", 0), ("00:00:00", 3600), ("00:31:00", 1740), ("00:59:59", 1), ("01:00:00", 0), ("12:00:00", 0)],
)
def test_the_hour_after_midnight_is_quiet(moment: str, seconds: int) -> None:
    assert seconds_of_quiet(datetime.fromisoformat(f"2026-10-02T{moment}+00:00")) == seconds


def test_nothing_is_asked_in_the_quiet_hour(desk: Desk, services: FakeServices) -> None:
    got = desk.run("2022-01", "2022-02", now=datetime(2023, 7, 5, 0, 20, tzinfo=UTC), quiet_hour="yes")
    (line,) = lines(got)
    assert "run again after" in line
    assert services.of("arxiv") == []
    assert set(statuses(got).values()) == {"failed"}


def test_the_clock_of_the_service_says_when_the_quiet_hour_begins(desk: Desk, services: FakeServices) -> None:
    def at(moment: str) -> Fault:
        def told(request: Request, answer: Answer) -> Response:
            true = answer(request)
            return replace(true, headers={**true.headers, "Date": f"Wed, 05 Jul 2023 {moment} GMT"})

        return told

    services.faults.add("/arxiv", at("12:00:00"))
    services.faults.add("/arxiv", at("00:03:00"), times=-1)
    (line,) = lines(desk.run("2022-01", "2022-04", quiet_hour="yes"))
    assert "the service asked for a pause: arXiv is not asked from 00:00 to 01:00 UTC; run again after" in line
    assert desk.months() == ["2022-01", "2022-02"]
    assert len(services.of("arxiv")) == 2


def test_a_mirror_has_no_quiet_hour(desk: Desk, services: FakeServices) -> None:
    got = desk.run("2022-01", "2022-01", now=datetime(2023, 7, 5, 0, 20, tzinfo=UTC))
    assert not got.failures
    assert len(services.of("arxiv")) == 1


def test_two_requests_of_this_machine_are_three_seconds_apart(desk: Desk, services: FakeServices) -> None:
    services.world.arxiv_least_seconds = 3.0
    settings = read({"FW_DATA_DIR": str(desk.data), "FW_ARXIV_URL": f"{services.url}/arxiv"}, dotenv=Path("none"))
    chosen = choose(SOURCES["papers"], settings)
    for month in ("2022-01", "2022-02"):  # as if two processes fetched one after the other
        window = Window.of(date.fromisoformat(f"{month}-01"), date.fromisoformat(f"{month}-01"))
        fetch, _ = asking(chosen, window, settings, now=NOW, run_id=month)
        assert len(list(SOURCES["papers"].providers["arxiv"].fetch(fetch))) == 1
    assert [it.status for it in services.of("arxiv")] == [200, 200]


def test_reach_and_plan_say_what_can_be_had_without_a_request(services: FakeServices) -> None:
    settings = read({"FW_PROVIDERS": "papers=arxiv", "FW_ARXIV_URL": f"{services.url}/arxiv"}, dotenv=Path("none"))
    chosen = choose(SOURCES["papers"], settings)
    fetch, _ = asking(chosen, Window.of(date(2022, 1, 1), date(2022, 12, 1)), settings, now=NOW)
    reach = chosen.provider.reach(fetch)
    assert reach.window == Window.of(date(2015, 11, 1), date(2023, 6, 1))
    assert reach.why_not(date(2023, 7, 1)) == "the month has not ended"
    plan = chosen.provider.plan(fetch)
    assert plan.requests == 12
    assert "12 requests" in plan.text
    assert services.of("arxiv") == []


def test_a_month_that_has_just_ended_is_said_to_be_early(desk: Desk) -> None:
    desk.run("2023-05", "2023-06")
    assert [line for line in desk.log if "may not have been announced" in line] == [
        line for line in desk.log if line.startswith("papers 2023-06-01: ")
    ]
    later = datetime(2023, 7, 6, 6, 0, tzinfo=UTC)
    before = len(desk.log)
    desk.run("2023-06", "2023-06", now=later)
    assert not [line for line in desk.log[before:] if "announced" in line]


def test_a_second_fetch_asks_anew_and_keeps_the_same_figures(desk: Desk, services: FakeServices) -> None:
    desk.run("2022-01", "2022-03")
    first = desk.figures()
    got = desk.run("2022-01", "2022-03", now=datetime(2023, 8, 1, 6, 0, tzinfo=UTC))
    assert not got.failures
    assert len(services.of("arxiv")) == 6
    assert desk.figures() == first
    assert desk.rows()["observed_on"].unique().to_list() == [date(2023, 8, 1)]
    assert desk.rows().filter(pl.col("papers") < 1).height == 0
