"""Damaged vintages and statements: each costs what it held and no more, and is reported in one line."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import Statement, Vintage, VintageStore
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTH = date(2022, 1, 1)
WEEK = timedelta(days=7)


def tagged(**counts: int) -> pl.DataFrame:
    said = {"month": MONTH, "method": "counted", "origin": "api", "observed_on": None}
    rows = [{**said, "tagged": tag, "questions": count} for tag, count in counts.items()]
    return pl.DataFrame(rows, schema=SOURCES["stackoverflow"].table.schema)


def add(store: VintageStore, *, at: datetime = NOW, run: str = "a", **counts: int) -> Vintage:
    vintage = store.add(
        "stackoverflow", MONTH, tagged(**counts), provider="api", observed_at=at, evidence=("e/1",), run_id=run
    )
    assert vintage
    return vintage


def test_a_damaged_vintage_is_passed_over_for_the_last_good_one(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    good, damaged = add(store, pytorch=1), add(store, pytorch=2, at=NOW + WEEK, run="b")
    damaged.path.write_bytes(b"PAR1")
    assert store.current("stackoverflow", MONTH, "api") == good
    again = store.add(
        "stackoverflow", MONTH, tagged(pytorch=1), provider="api", observed_at=NOW + 2 * WEEK,
        evidence=("e/1",), run_id="c",
    )  # fmt: skip
    assert again is None
    assert [failure.month for failure in store.unreadable] == [MONTH]
    assert damaged.path.with_suffix(".unreadable").read_bytes() == b"PAR1"
    assert store.vintages("stackoverflow") == [good]


def test_a_vintage_of_other_columns_is_refused(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    vintage = add(store, pytorch=1)
    pl.read_parquet(vintage.path).drop("origin").write_parquet(vintage.path)
    with pytest.raises(StorageError, match="cannot be read: its columns are not those of the contract; fetch it again"):
        store.read("stackoverflow", vintage)


def test_figures_of_no_month_are_fetched_again_without_one(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    rows = tagged(pytorch=1)
    vintage = store.add(
        "stackoverflow", None, rows, provider="api", observed_at=NOW, evidence=("e/1", "e/2"), run_id="a-b-c"
    )
    assert vintage
    assert vintage.path == tmp_path / "raw/stackoverflow/unpartitioned/20261102T060000000000Z-a-b-c.parquet"
    assert store.vintages("stackoverflow") == [vintage]
    assert store.read("stackoverflow", vintage)["evidence"].item() == "e/1;e/2"
    vintage.path.write_bytes(b"")
    with pytest.raises(StorageError, match=r"; fetch it again: fw-pipeline run --source stackoverflow$"):
        store.read("stackoverflow", vintage)


def test_what_is_no_vintage_is_somebody_elses(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    vintage = add(store, pytorch=1)
    before = store.listing("stackoverflow")
    for name in ("x2.parquet", "notes.txt", ".writing-1.parquet", "2022.txt"):
        (vintage.path.parent / name).write_bytes(b"theirs")
    (vintage.path.parent.parent / "2022-02").write_bytes(b"a file where a folder should be")
    assert store.listing("stackoverflow") == before
    (vintage.path.parent / "2022.parquet").write_bytes(b"theirs")
    (vintage.path.parent / os.fsdecode(b"2022\xff.parquet")).write_bytes(b"theirs")
    assert store.vintages("stackoverflow") == store.vintages_of("stackoverflow", MONTH) == [vintage]
    assert len(store.listing("stackoverflow")) == len(before)


def test_the_mark_of_a_source_changes_with_what_is_known_of_it(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    marks = [store.listing("pypi")]
    store.state(Statement("pypi", MONTH, "api", NOW, "gap", "lost", ""))
    marks.append(store.listing("pypi"))
    (path,) = (tmp_path / "raw/pypi/2022-01").iterdir()
    assert path.name == "20261102T060000000000Z.statement.json"
    path.rename(path.with_name("20261102T060000000001Z-a.parquet"))
    marks.append(store.listing("pypi"))
    assert len(set(marks)) == 3
    assert {len(mark) for mark in marks} == {16}
