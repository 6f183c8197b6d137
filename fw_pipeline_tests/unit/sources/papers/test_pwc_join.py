"""One field that cannot be read refuses one month; junk is tolerated and said; recorded rows are counted."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline_tests.support.fake_services.pwc import archive_file, link_rows
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import Desk, Rows, in_the_archive, lines, local_archive, statuses
from fw_pipeline_tests.support.real_answers import REAL, real_answers, real_json

FIRST, LAST = "2022-01", "2023-06"
GOOD_LINKS = archive_file("links-between-papers-and-code", "parquet", 600)
GOOD_PAPERS = archive_file("papers-with-abstracts", "parquet", 600)


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, "archive")


def _spoil(change: Callable[[dict[str, Any]], dict[str, Any]], slug: str) -> Rows:
    return [change(row) if row["paper_url"].endswith(f"-{slug}") else row for row in link_rows(600)]


@pytest.mark.parametrize(
    ("field", "value"), [("is_official", "maybe"), ("is_official", None), ("repo_url", None), ("repo_url", " ")]
)
def test_a_field_that_cannot_be_read_refuses_its_month_alone(
    field: str, value: Any, desk: Desk, services: FakeServices
) -> None:
    paper = next(
        it for it in services.world.papers() if it["repositories"] and (it["date"] or "").startswith("2022-05")
    )
    links = _spoil(lambda row: {**row, field: value}, paper["slug"].rpartition("-")[2])
    got = desk.run(FIRST, LAST, path=local_archive(desk, links, GOOD_PAPERS))
    assert {month for month, status in statuses(got).items() if status != "present"} == {"2022-05"}
    (line,) = lines(got)
    assert line.startswith("papers archive 2022-05: ")
    assert f"no field {field} that can be read" in line
    spoiled = date(2022, 5, 1)
    assert desk.figures() == {key: n for key, n in in_the_archive(services).items() if key[0] != spoiled}
    assert not desk.run(FIRST, LAST, path=local_archive(desk, GOOD_LINKS, GOOD_PAPERS)).failures
    assert desk.figures() == in_the_archive(services)


def test_junk_is_tolerated_and_said(desk: Desk) -> None:
    link = {"repo_url": "https://github.com/a/b", "is_official": True, "framework": "pytorch", "stars": 3}
    links = [
        {**link, "paper_url": "one"},
        {**link, "paper_url": "one"},
        {**link, "paper_url": "one", "repo_url": "HTTPS://github.com/A/b.git/"},
        {**link, "paper_url": "one", "repo_url": "https://github.com/a/b/"},
        {**link, "paper_url": "two"},
        {**link, "paper_url": "two", "repo_url": "c", "framework": "tinygrad"},
        {**link, "paper_url": "three", "framework": None},
        {**link, "paper_url": "four", "framework": "none"},
        {**link, "paper_url": "five", "framework": ""},
        {**link, "paper_url": "late"},
        {**link, "paper_url": "never"},
        {**link, "paper_url": "lost"},
        {**link, "paper_url": None},
    ]
    days = dict.fromkeys(("one", "two", "three", "four", "five"), "2016-01-15")
    days |= {"late": "2031-01-01", "never": "2016-02-30"}
    papers = [{"paper_url": name, "date": day, "mood": "calm"} for name, day in days.items()]
    papers.append({"paper_url": "one", "date": "2016-01-15", "mood": ""})
    got = desk.run("2016-01", "2016-01", path=local_archive(desk, links, papers))
    assert not got.failures
    month = date(2016, 1, 1)
    assert {key[1:]: count for key, count in desk.figures().items() if key[0] == month} == {
        (("pytorch",), None): (1, None),
        (("pytorch", "tinygrad"), None): (1, None),
        ((), None): (3, None),
        (("pytorch",), True): (2, 1),
        (("tinygrad",), True): (1, 1),
        ((), True): (3, 1),
    }
    assert desk.figures()[None, ("pytorch",), None] == (3, None)
    told = "\n".join(desk.log)
    for note in (
        "links left out, because they name no paper: 1",
        "frameworks that are not known are kept as they are: tinygrad",
        "because they are not in the papers file: 1",
        "because theirs is no date between 1900 and the end of the archive (2016-02-30, 2031-01-01): 2",
        "the links file has fields that are not known: stars",
        "the papers file has fields that are not known: mood",
    ):
        assert note in told


@real_answers
def test_recorded_links_are_counted(desk: Desk) -> None:
    with (REAL / "papers/pwc_links_sample.csv").open(encoding="utf-8", newline="") as stream:
        links = list(csv.DictReader(stream))
    by_id = {it["paper_url"]: it["paper_arxiv_id"] for it in links}
    papers = [
        {"paper_url": url, "date": f"20{it[:2]}-{it[2:4]}-01" if it[:4].isdecimal() and "." in it else None}
        for url, it in by_id.items()
    ]
    assert not desk.run("2015-11", "2023-06", path=local_archive(desk, links, papers)).failures
    rows = desk.rows()
    sets: dict[str, set[str]] = defaultdict(set)
    for link in links:
        sets[link["paper_url"]] |= {
            {"tf": "tensorflow", "torch": "lua-torch"}.get(link["framework"], link["framework"])
        } - {"none"}
    counted = {row["paper_url"]: set(row["frameworks"]) for row in desk.detail().to_dicts()}
    assert {url: names for url, names in sets.items() if url in counted} == counted
    of_set = rows.filter(pl.col("official").is_null())
    assert of_set["papers"].sum() == len(counted)
    expected = Counter(tuple(sorted(names)) for names in counted.values())
    assert {
        tuple(row["frameworks"]): row["n"]
        for row in of_set.group_by("frameworks").agg(n=pl.col("papers").sum()).to_dicts()
    } == expected
    assert expected["pytorch",] > 800


@real_answers
def test_recorded_rows_of_both_files_are_read(desk: Desk) -> None:
    links, paper = real_json("papers/links_rows.json"), real_json("papers/papers_with_abstracts_row.json")
    papers = [{**paper, "paper_url": it["paper_url"]} for it in links]
    assert not desk.run("2018-05", "2018-05", path=local_archive(desk, links, papers)).failures
    assert desk.figures() == {
        (date(2018, 5, 1), (), None): (2, None),
        (date(2018, 5, 1), ("tensorflow",), None): (1, None),
        (date(2018, 5, 1), (), True): (1, 1),
        (date(2018, 5, 1), (), False): (1, 1),
        (date(2018, 5, 1), ("tensorflow",), True): (1, 1),
    }
    assert desk.detail()["authors"].to_list()[0] == paper["authors"]
    assert not [line for line in desk.log if "not known" in line]
