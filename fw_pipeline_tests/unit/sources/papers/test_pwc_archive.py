"""The provider of the Papers with Code archive reads both files in every form, and counts papers and repositories."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.pwc import archive_file, link_rows, paper_rows
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import NOW, Desk, in_the_archive, local_archive, statuses

FIRST, LAST = "2022-01", "2023-06"
LINKS, PAPERS = "links-between-papers-and-code", "papers-with-abstracts"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, "archive")


@pytest.mark.parametrize("links", ["json.gz", "parquet"])
@pytest.mark.parametrize("papers", ["json.gz", "parquet"])
def test_two_requests_bring_every_month_in_every_form(
    links: str, papers: str, desk: Desk, services: FakeServices
) -> None:
    got = desk.run(FIRST, LAST, links=f"{LINKS}.{links}", papers=f"{PAPERS}.{papers}")
    assert not got.failures
    assert len(services.of("pwc")) == 2
    truth = in_the_archive(services)
    assert desk.figures() == truth
    assert any(month is None for month, _, _ in truth)
    assert any(len(names) > 2 for _, names, _ in truth)


def test_rows_say_what_they_are_and_when_the_archive_was_made(desk: Desk, services: FakeServices) -> None:
    desk.run("2022-03", "2022-03")
    rows = desk.rows()
    assert rows.select(SOURCES["papers"].table.schema.names()).schema == SOURCES["papers"].table.schema
    assert rows["population"].unique().to_list() == ["papers with code"]
    assert rows["observed_on"].unique().to_list() == [services.world.today]
    assert "CC BY-SA 4.0" in rows["origin"][0]
    by_kind = {row["official"] is None: row["method"] for row in rows.to_dicts()}
    assert by_kind[True].startswith("papers counted once each")
    assert "a paper with repositories of two frameworks is counted under each" in by_kind[False]
    (evidence,) = rows["evidence"].unique()
    assert [Path(ref).name.split(".")[0] for ref in evidence.split(";")] == ["links", "papers"]
    assert all((desk.data / "data" / ref).is_file() for ref in evidence.split(";"))


def test_only_asked_months_come_and_those_without_a_month(desk: Desk, services: FakeServices) -> None:
    desk.run("2022-03", "2022-04")
    wanted = {date(2022, 3, 1), date(2022, 4, 1), None}
    assert desk.figures() == {key: count for key, count in in_the_archive(services).items() if key[0] in wanted}


def test_the_listing_holds_every_paper_with_its_authors_and_repositories(desk: Desk, services: FakeServices) -> None:
    desk.run(FIRST, LAST)
    listing = {row["paper_url"]: row for row in desk.detail().to_dicts()}
    papers = [it for it in services.world.papers() if it["repositories"]]
    assert len(listing) == len(papers)
    for paper in papers:
        row = listing[f"https://paperswithcode.com/paper/{paper['slug']}"]
        assert row["authors"] == list(paper["authors"])
        assert row["title"] == paper["title"]
        assert row["official"] is any(it["is_official"] for it in paper["repositories"])
        assert {it["repository"] for it in row["repositories"]} == {it["repo_url"] for it in paper["repositories"]}
        assert row["date"] == (date.fromisoformat(paper["date"]) if paper["date"] else None)


def test_undated_papers_are_counted_and_said(desk: Desk, services: FakeServices) -> None:
    got = desk.run("2022-01", "2022-01")
    undated = sum(it["date"] is None and bool(it["repositories"]) for it in services.world.papers())
    assert statuses(got) == {"2022-01": "present", "none": "present"}
    assert any(line.endswith(f"counted as undated, because they have no date: {undated}") for line in desk.log)


def _parquet(role: str, **changed: pl.Expr) -> bytes:
    out = io.BytesIO()
    pl.read_parquet(archive_file(role, "parquet", 600)).with_columns(**changed).write_parquet(out)
    return out.getvalue()


DAY = pl.col("date").str.to_date()
STAMP = DAY.cast(pl.Datetime("us"))


@pytest.mark.parametrize(
    "changed",
    [
        {"date": DAY},
        {"date": STAMP},
        {"date": STAMP.dt.replace_time_zone("UTC")},
        {"date": STAMP.cast(pl.Datetime("ns"))},
        {"date": pl.col("date") + "T00:00:00"},
        {"authors": pl.format('["{}", "{}"]', pl.col("authors").list.get(0), pl.col("authors").list.get(1))},
    ],
)
def test_dates_and_authors_are_read_in_every_type(changed: dict[str, pl.Expr], desk: Desk) -> None:
    path = local_archive(desk, archive_file(LINKS, "parquet", 600), _parquet(PAPERS, **changed))
    assert not desk.run(FIRST, LAST, path=path).failures
    assert desk.figures() == in_the_archive(desk.services)
    assert desk.detail()["authors"].list.get(1).unique().to_list() == ["José Raúl Romero"]


@pytest.mark.parametrize("form", ["array", "packed array", "lines"])
def test_local_files_are_read_without_a_request_whatever_their_name(
    form: str, desk: Desk, services: FakeServices
) -> None:
    rows: tuple[list[dict[str, Any]], ...] = (link_rows(600), paper_rows(600))
    bodies = [json.dumps(it).encode() for it in rows]
    if form == "lines":
        bodies = ["\n".join(map(json.dumps, it)).encode() for it in rows]
    if form == "packed array":
        bodies = [gzip.compress(it) for it in bodies]
    got = desk.run(FIRST, LAST, path=local_archive(desk, bodies[0], bodies[1], ".data"))
    assert not got.failures
    assert services.of("pwc") == []
    assert desk.figures() == in_the_archive(services)
    assert desk.rows()["observed_on"].unique().to_list() == [None]
    assert "l.data" in desk.rows()["evidence"][0]


def test_one_file_may_be_local_and_come_in_parts(desk: Desk, services: FakeServices) -> None:
    frame = pl.read_parquet(archive_file(PAPERS, "parquet", 600))
    frame.head(200).write_parquet(desk.data / "part-0.parquet")
    frame.tail(400).write_parquet(desk.data / "part-1.parquet")
    got = desk.run(FIRST, LAST, path=f"papers={desk.data}/part-*.parquet")
    assert not got.failures
    assert [it.path for it in services.of("pwc")] == [f"/pwc/{LINKS}.parquet"]
    assert desk.figures() == in_the_archive(services)


def test_a_place_may_be_an_address(desk: Desk, services: FakeServices) -> None:
    base = f"{services.url}/pwc"
    got = desk.run(FIRST, LAST, path=f"links={base}/{LINKS}.json.gz;papers={base}/{PAPERS}.parquet")
    assert not got.failures
    assert [it.path for it in services.of("pwc")] == [f"/pwc/{LINKS}.json.gz", f"/pwc/{PAPERS}.parquet"]


def test_a_frozen_archive_adds_no_vintage_when_it_is_read_again(desk: Desk) -> None:
    desk.run(FIRST, LAST)
    first = desk.figures()
    again = desk.run(FIRST, LAST, now=datetime(2023, 9, 1, tzinfo=UTC))
    assert set(statuses(again).values()) == {"unchanged"}
    assert desk.figures() == first


def test_papers_before_the_first_month_are_kept_apart_and_months_without_a_paper_are_gaps(desk: Desk) -> None:
    links = [{"paper_url": f"u{i}", "repo_url": f"r{i}", "is_official": True, "framework": "tf"} for i in range(3)]
    papers = [{"paper_url": f"u{i}", "date": day} for i, day in enumerate(("2012-05-03", "2016-01-31", "2016-03-01"))]
    got = desk.run("2016-01", "2016-03", path=local_archive(desk, links, papers))
    assert not got.failures
    assert statuses(got) == {"2016-01": "present", "2016-02": "gap", "2016-03": "present", "none": "present"}
    assert {month for month, _, _ in desk.figures()} == {date(2012, 5, 1), date(2016, 1, 1), date(2016, 3, 1)}


@pytest.mark.parametrize(
    ("path", "requests"), [("", None), ("links=/a;papers=/b", 0), ("papers=http://x/b;links=http://x/a", 2)]
)
def test_the_plan_counts_requests_truly(path: str, requests: int | None) -> None:
    settings = read({"FW_PROVIDERS": f"papers=archive:{path}"}, dotenv=Path("none"))
    chosen = choose(SOURCES["papers"], settings)
    fetch, _ = asking(chosen, Window.of(date(2022, 1, 1), date(2022, 12, 1)), settings, now=NOW)
    assert chosen.provider.plan(fetch).requests == requests


def test_reach_ends_with_the_archive() -> None:
    settings = read({"FW_PROVIDERS": "papers=archive"}, dotenv=Path("none"))
    chosen = choose(SOURCES["papers"], settings)
    window = Window.of(date(2022, 1, 1), date(2022, 12, 1))
    fetch, _ = asking(chosen, window, settings, now=datetime(2026, 11, 22, tzinfo=UTC))
    reach = chosen.provider.reach(fetch)
    assert reach.window == Window.of(date(2015, 11, 1), date(2025, 7, 1))
    assert "shut on 2025-07-24" in str(reach.why_not(date(2025, 8, 1)))
