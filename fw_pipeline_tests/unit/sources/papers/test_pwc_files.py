"""Whatever the archive's files hold or its servers send: no wrong figure, and the cause in one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline_tests.support.fake_services import faults
from fw_pipeline_tests.support.fake_services.faults import Fault
from fw_pipeline_tests.support.fake_services.pwc import archive_file, link_rows, paper_rows
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.papers_live import Desk, Rows, in_the_archive, lines, local_archive, statuses

FIRST, LAST = "2022-01", "2023-06"
LINKS, PAPERS = "links-between-papers-and-code", "papers-with-abstracts"
LIMITED = "We had to rate limit your IP (1.2.3.4). To continue using our service, create a HF account"


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path, services, "archive")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (faults.html_200(), "text/html instead of the file"),
        (faults.redirect_elsewhere(), "redirected to another site"),
        (faults.redirect_to_page(), "text/html instead of the file"),
        (faults.error(404), "404"),
        (faults.error(500), "500"),
        (faults.throttled(429, "seconds", 5000), "run again after"),
        (faults.instead(429, LIMITED), "We had to rate limit your IP"),
        (faults.instead(200, LIMITED, "application/octet-stream"), "neither Parquet nor JSON, it begins"),
        (faults.instead(200, LIMITED), "We had to rate limit your IP"),
        (faults.truncated_body(0.7), "damaged or cut off"),
        (faults.reset_mid_body(500), "broke"),
        (faults.huge_claimed(), "larger than"),
    ],
)
@pytest.mark.parametrize("spoiled", [LINKS, PAPERS])
def test_a_fault_of_the_server_yields_nothing_and_a_healed_one_is_asked_for_the_rest(
    spoiled: str, fault: Fault, cause: str, desk: Desk, services: FakeServices
) -> None:
    services.faults.add(f"/pwc/{spoiled}", fault, times=-1)
    got = desk.run(FIRST, LAST, download_bytes="100000000")
    assert any(cause in line for line in lines(got)), lines(got)
    assert set(statuses(got).values()) == {"failed"}
    assert desk.rows().is_empty()
    services.faults.clear()
    services.requests.clear()
    assert not desk.run(FIRST, LAST).failures
    assert len(services.of("pwc")) == (2 if spoiled == LINKS else 1)
    assert desk.figures() == in_the_archive(services)


def test_a_broken_download_goes_on_where_it_ended(desk: Desk, services: FakeServices) -> None:
    services.faults.add(f"/pwc/{LINKS}", faults.reset_mid_body(5000))
    assert not desk.run(FIRST, LAST).failures
    first, second, _ = services.of("pwc")
    assert "range" not in first.headers
    assert (second.status, second.headers["range"]) == (206, "bytes=5000-")
    assert desk.figures() == in_the_archive(services)


def test_a_refused_connection_is_said(desk: Desk, services: FakeServices) -> None:
    with services.down():
        (line,) = lines(desk.run(FIRST, LAST))
    assert "refuses the connection" in line
    assert desk.rows().is_empty()


GOOD_LINKS, GOOD_PAPERS = archive_file(LINKS, "parquet", 600), archive_file(PAPERS, "parquet", 600)
JSON_LINKS, JSON_PAPERS = archive_file(LINKS, "json.gz", 600), archive_file(PAPERS, "json.gz", 600)


def without(rows: Rows, field: str) -> Rows:
    return [{name: value for name, value in row.items() if name != field} for row in rows]


def numbered_days() -> Rows:
    return [{**row, "date": 20220301} for row in paper_rows(600)]


def parquet_days(desk: Desk) -> bytes:
    pl.read_parquet(GOOD_PAPERS).with_columns(date=pl.lit(19_000)).write_parquet(desk.data / "days")
    return (desk.data / "days").read_bytes()


@pytest.mark.parametrize(
    ("links", "papers", "cause"),
    [
        (GOOD_LINKS[:-100], GOOD_PAPERS, "the links file"),
        (JSON_LINKS[:-100], GOOD_PAPERS, "GZIP"),
        (gzip.compress(gzip.decompress(JSON_LINKS)[:-100]), GOOD_PAPERS, "Malformed JSON"),
        (GOOD_LINKS, GOOD_PAPERS[: len(GOOD_PAPERS) // 2], "the papers file"),
        (GOOD_LINKS, JSON_PAPERS[:-100], "GZIP"),
        (b"", GOOD_PAPERS, "neither Parquet nor JSON"),
        (b"[]", GOOD_PAPERS, "it has no field paper_url"),
        (GOOD_LINKS, b"<html>gone</html>", "neither Parquet nor JSON"),
        (LIMITED.encode(), GOOD_PAPERS, "We had to rate limit your IP"),
        (GOOD_PAPERS, GOOD_LINKS, "it seems to be the papers file"),
        (b'{"error":"gated"}', GOOD_PAPERS, "it has no field paper_url"),
        (without(link_rows(600), "framework"), GOOD_PAPERS, "it has no field framework"),
        (without(link_rows(600), "is_official"), GOOD_PAPERS, "it has no field is_official"),
        (GOOD_LINKS, without(paper_rows(600), "date"), "it has no field date"),
        ([{**row, "paper_url": None} for row in link_rows(600)], GOOD_PAPERS, "names a paper"),
        (GOOD_LINKS, [{**row, "paper_url": f"x{row['paper_url']}"} for row in paper_rows(600)], "not of one archive"),
        (b'[{"paper_url":"a\xff","repo_url":"b","is_official":true,"framework":"tf"}]', GOOD_PAPERS, "the links file"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(
    links: bytes | Rows, papers: bytes | Rows, cause: str, desk: Desk
) -> None:
    got = desk.run(FIRST, LAST, path=local_archive(desk, links, papers))
    (line,) = lines(got)
    assert cause in line
    assert "links=FILE;papers=FILE" in line
    assert desk.rows().is_empty()


def test_a_date_of_another_type_is_refused_by_its_name(desk: Desk) -> None:
    (line,) = lines(desk.run(FIRST, LAST, path=local_archive(desk, GOOD_LINKS, parquet_days(desk))))
    assert "its field date is INTEGER" in line


def test_dates_that_are_none_are_undated_and_said(desk: Desk) -> None:
    got = desk.run(FIRST, LAST, path=local_archive(desk, GOOD_LINKS, numbered_days()))
    assert set(statuses(got).values()) == {"gap", "present"}
    assert statuses(got)["none"] == "present"
    assert any("no date between 1900 and the end of the archive (20220301)" in line for line in desk.log)


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("/tmp/both", "names neither of its two files"),
        ("links=", "names neither of its two files"),
        ("link=a;papers=b", "'link=a' names neither of its two files"),
        ("links=/nowhere/l;papers=/nowhere/p", "No such file"),
    ],
)
def test_a_wrong_option_says_how_to_write_it(path: str, cause: str, desk: Desk) -> None:
    try:
        said = lines(desk.run(FIRST, LAST, path=path))
    except Exception as refused:  # noqa: BLE001 - said before the fetch begins
        said = [str(refused)]
    assert any(cause in line for line in said)
