"""What is no snapshot of the Hub is refused for what it is, and a good one is taken the next time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import REAL, Desk, lines, snapshot

FILE = "/huggingface/datasets/cfahlgren1/hub-stats/resolve/main/models.parquet"
QUARTER = ("2022-10", "2022-11", "2022-12")


@pytest.fixture
def desk(tmp_path: Path, services: FakeServices) -> Desk:
    return Desk(tmp_path / "data", services, "parquet")


# --- What is no snapshot


def _garbage(path: Path) -> None:
    body = path.read_bytes()
    path.write_bytes(body[:200] + bytes(len(body) - 400) + body[-200:])


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda path: path.write_bytes(b""), "it is not a Parquet file; it begins with ''"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "it is cut off"),
        (lambda path: path.write_bytes(b"PAR1" + bytes(40) + b"PAR1"), "it cannot be read: "),
        (_garbage, " be read"),
        (lambda path: path.write_text("<!doctype html><h1>Sorry</h1>"), "it begins with '<!doctype html>"),
    ],
)
def test_a_file_that_is_no_parquet_is_refused(desk: Desk, spoil: Callable[[Path], object], cause: str) -> None:
    path = snapshot(desk)
    spoil(Path(path))
    got = desk.run("2022-10", "2022-12", path=path)
    assert cause in lines(got)[0]
    assert desk.rows().is_empty()
    assert lines(desk.run("2022-10", "2022-12", path=snapshot(desk))) == []
    assert desk.counts() == desk.expected(*QUARTER)


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded answers are not here")
def test_a_refusal_saved_as_parquet_is_told_in_the_hubs_words(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "models.parquet"
    path.write_bytes((REAL / "429_rate_limited.txt").read_bytes())
    (line,) = lines(desk.run("2022-10", "2022-12", path=str(path)))
    assert "models.parquet: it is not a Parquet file; it begins with 'We had to rate limit your IP" in line


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda frame: frame.drop("createdAt"), "it has no column createdAt"),
        (lambda frame: frame.drop("tags"), "it has no column tags"),
        (lambda frame: frame.with_columns(tags=pl.lit("a")), "its column tags is VARCHAR instead of VARCHAR[]"),
        (lambda frame: frame.with_columns(likes=pl.lit("many")), "its column likes is VARCHAR instead of BIGINT"),
        (lambda frame: frame.with_columns(createdAt=pl.lit(7)), "its column createdAt is INTEGER"),
        (lambda frame: frame.with_columns(createdAt=pl.lit("soon")), "it cannot be read: "),
        (lambda frame: frame.head(0), "it holds no model"),
        (lambda frame: frame.head(1500), "it does not hold the whole Hub: its oldest model is of 2022-"),
        (
            lambda frame: frame.head(17_000),
            "it does not hold the whole Hub: it has 17,000 models, and the Hub of 2023-06-30 had about 520,000",
        ),
        (lambda frame: frame.with_columns(tags=pl.lit(None, pl.List(pl.String))), "none of its models has tags"),
        (
            lambda frame: frame.with_columns(createdAt=pl.when(pl.col("likes") > 3).then("createdAt")),
            "of its 153,000 models are undated",
        ),
        (lambda frame: frame.drop("_id").with_columns(id=pl.lit(None, pl.String)), "153,000 models are nameless"),
    ],
)
def test_another_table_is_not_taken_for_the_hub(
    desk: Desk, change: Callable[[pl.DataFrame], pl.DataFrame], cause: str
) -> None:
    got = desk.run("2022-12", "2022-12", path=snapshot(desk, change=change))
    assert cause in lines(got)[0]
    assert desk.rows().is_empty()


@pytest.mark.parametrize("value", [-1, 10**13])
def test_an_impossible_number_refuses_its_month_alone(desk: Desk, value: int) -> None:
    november = pl.col("createdAt").dt.strftime("%Y-%m-%d") == "2022-11-15"
    wrong = pl.when(november).then(value).otherwise("downloads").alias("downloads")
    got = desk.run("2022-10", "2022-12", path=snapshot(desk, change=lambda frame: frame.with_columns(wrong)))
    (line,) = lines(got)
    assert line.startswith("huggingface (parquet) 2022-11: ")
    assert "have downloads_30d that no count can be" in line
    assert desk.counts() == desk.expected("2022-10", "2022-12")


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("", "no file is named; set FW_PROVIDERS=huggingface=parquet:PATH"),
        ("nowhere/models.parquet", f"there is no file {Path('nowhere/models.parquet').absolute()}"),
        ("/", "there is no file /"),
        ("https://me:secret@example.org/models.parquet", "the address cannot be asked"),
        ("ftp://example.org/models.parquet", "the address cannot be asked"),
    ],
)
def test_a_file_that_cannot_be_had_is_named(desk: Desk, path: str, cause: str) -> None:
    (line,) = lines(desk.run("2022-10", "2022-12", path=path))
    assert cause in line
    assert "secret" not in line
    assert desk.rows().is_empty()


# --- The download


@pytest.mark.parametrize(
    ("fault", "options", "cause"),
    [
        ("html_200", {}, "answered text/html instead of the file"),
        ("instead", {"body": "We had to rate limit your IP", "kind": "application/octet-stream"}, "not a Parquet file"),
        ("instead", {"status": 404, "body": "Entry not found"}, "HTTP 404"),
        ("throttled", {"seconds": 3000, "hint": "ratelimit"}, "run again after"),
        ("truncated_body", {}, "it is cut off"),
        ("redirect_elsewhere", {}, "redirected to another site"),
        ("error", {"status": 503}, "HTTP 503"),
    ],
)
def test_a_failed_download_is_no_snapshot_and_the_next_one_is(
    desk: Desk, fault: str, options: dict[str, Any], cause: str
) -> None:
    path = f"{desk.services.url}{FILE}"
    desk.services.faults.add(FILE, fault, times=-1, **options)
    (line,) = lines(desk.run("2022-10", "2022-12", path=path))
    assert cause in line
    assert desk.rows().is_empty()
    desk.services.faults.clear()
    desk.asked()
    assert lines(desk.run("2022-10", "2022-12", path=path)) == []
    assert len(desk.asked()) == 1
    assert desk.counts() == desk.expected(*QUARTER)


def test_a_broken_download_goes_on_where_it_ended(desk: Desk) -> None:
    desk.services.faults.add(FILE, "short_body", after=0, times=1)
    assert lines(desk.run("2022-10", "2022-12", path=f"{desk.services.url}{FILE}")) == []
    first, second = desk.asked()
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=20-"
    assert desk.counts() == desk.expected(*QUARTER)
