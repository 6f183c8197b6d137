"""Feeds of arXiv are read by the names of their elements, the recorded ones and those of the legacy server too."""

from __future__ import annotations

import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fw_pipeline.http import InvalidResponse, Transient
from fw_pipeline.sources.papers.arxiv_query import read_feed
from fw_pipeline_tests.support.fake_services import faults
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import Desk, lines
from fw_pipeline_tests.support.real_answers import REAL, get, real_answers, real_json

LEGACY = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <link href="http://arxiv.org/api/query?x" rel="self" type="application/atom+xml"/>
  <title type="html">ArXiv Query: search_query=abs:pytorch&amp;id_list=&amp;start=0&amp;max_results=1</title>
  <id>http://arxiv.org/api/ltEowUrxgsgaDoe1LZL0ZLw63Jc</id>
  <updated>2020-06-24T00:00:00-04:00</updated>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">7</opensearch:totalResults>
  <opensearch:startIndex xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">0</opensearch:startIndex>
  <opensearch:itemsPerPage xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1</opensearch:itemsPerPage>
  <entry>
    <id>http://arxiv.org/abs/cs/0112017v2</id>
    <updated>2001-12-20T12:00:00Z</updated>
    <published>2001-12-12T18:59:59Z</published>
    <title>A title
      over two lines</title>
    <summary>  Made with PyTorch
and more.  </summary>
    <author>
      <name>Ada Lovelace</name>
      <arxiv:affiliation xmlns:arxiv="http://arxiv.org/schemas/atom">Home</arxiv:affiliation>
    </author>
    <author><name>Grace Hopper</name></author>
    <arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1/2</arxiv:doi>
    <link href="http://arxiv.org/abs/cs/0112017v2" rel="alternate" type="text/html"/>
    <arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
    <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
  </entry>
</feed>
"""


def test_the_legacy_order_and_old_identifiers_are_read() -> None:
    feed = read_feed(LEGACY)
    assert (feed.total, feed.start, feed.page_size, feed.strange) == (7, 0, 1, ())
    assert feed.echo.startswith("abs:pytorch")
    (paper,) = feed.papers
    assert paper.arxiv_id == "cs/0112017"
    assert paper.url == "https://arxiv.org/abs/cs/0112017"
    assert paper.title == "A title over two lines"
    assert paper.summary == "Made with PyTorch and more."
    assert paper.published == datetime(2001, 12, 12, 18, 59, 59, tzinfo=UTC)
    assert paper.authors == ("Ada Lovelace", "Grace Hopper")


def test_the_order_of_elements_makes_no_difference(services: FakeServices) -> None:
    text = get(services, "/arxiv/query", search_query="all:pytorch", max_results=5).text
    per_page = re.search(r"\s*<opensearch:itemsPerPage>\d+</opensearch:itemsPerPage>", text)
    assert per_page is not None
    moved = text.replace(per_page[0], "").replace("  <entry>", f"{per_page[0]}\n  <entry>", 1)
    assert moved != text
    assert read_feed(moved) == read_feed(text)
    assert len(read_feed(text).papers) == 5


def test_a_feed_that_does_not_say_its_page_size_or_its_question_is_read() -> None:
    text = re.sub(r"<opensearch:itemsPerPage.*?PerPage>", "", LEGACY).replace("search_query=", "")
    feed = read_feed(text)
    assert feed.page_size is None
    assert feed.echo == ""


@real_answers
@pytest.mark.parametrize(
    ("recorded", "total", "start", "page_size", "papers"),
    [
        ("id_0000.0000_s0_m100", 0, 0, 100, 0),
        ("id_1605.08386_s0_m100", 1, 0, 100, 1),
        ("id_1707.08567_s0_m100", 1, 0, 100, 1),
        ("q_testing_s0_m10", 214_881, 0, 10, 10),
        ("q_testing_s10_m10", 214_881, 10, 10, 10),
    ],
)
def test_recorded_feeds_are_read(recorded: str, total: int, start: int, page_size: int, papers: int) -> None:
    body = real_json(f"arxiv/{recorded}.json")["body"]
    feed = read_feed(body)
    assert (feed.total, feed.start, feed.page_size, len(feed.papers)) == (total, start, page_size, papers)
    assert feed.strange == ()
    for paper in feed.papers:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", paper.arxiv_id)
        assert f"http://arxiv.org/abs/{paper.arxiv_id}v" in body
        assert paper.authors
        assert paper.summary


@real_answers
@pytest.mark.parametrize("status", [200, 400])
def test_the_recorded_error_feed_is_never_one_paper(
    status: int, tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    body = real_json("arxiv/id_abc_s0_m100.json")["body"]
    with pytest.raises(InvalidResponse, match="incorrect id format for abc"):
        read_feed(body)
    services.faults.add("/arxiv", faults.instead(status, body, "application/atom+xml"), times=-1)
    desk = Desk(tmp_path, services, "arxiv")
    (line,) = lines(desk.run("2022-01", "2022-01"))
    assert "the service answers with an error: incorrect id format for abc" in line
    assert desk.months() == []


@real_answers
@pytest.mark.parametrize("status", [200, 429, 503])
def test_the_recorded_throttling_is_never_an_answer(
    status: int, tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    body = (REAL / "arxiv/429_rate_exceeded.txt").read_bytes()
    services.faults.add("/arxiv", faults.instead(status, body), times=-1)
    desk = Desk(tmp_path, services, "arxiv")
    (line,) = lines(desk.run("2022-01", "2022-01"))
    assert f"HTTP {status}: Rate exceeded (3 tries)" in line
    assert len(services.of("arxiv")) == 3


@real_answers
def test_a_recorded_answer_to_another_question_is_refused(
    tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    body = real_json("arxiv/q_testing_s0_m10.json")["body"]
    services.faults.add("/arxiv", faults.instead(200, body, "application/atom+xml"), times=-1)
    desk = Desk(tmp_path, services, "arxiv")
    (line,) = lines(desk.run("2022-01", "2022-01"))
    assert "the answer is to another question, one without tensorflow" in line


@pytest.mark.parametrize(
    ("text", "fault", "cause"),
    [
        ("", Transient, "cut off after 0"),
        (LEGACY[: len(LEGACY) // 2], Transient, "cut off"),
        (LEGACY.replace("</title>", "</titel>", 1), InvalidResponse, "not XML"),
        (f"{LEGACY}more", InvalidResponse, "not XML"),
        ("<html><body/></html>", InvalidResponse, "a html document"),
        (
            LEGACY.replace("http://arxiv.org/abs/", "https://arxiv.org/api/errors#", 1),
            InvalidResponse,
            "answers with an error",
        ),
        (LEGACY.replace("2001-12-12T", "2001-13-12T"), InvalidResponse, "field published"),
    ],
)
def test_what_is_no_feed_says_why(text: str, fault: type[Exception], cause: str) -> None:
    with pytest.raises(fault, match=cause):
        read_feed(text)
