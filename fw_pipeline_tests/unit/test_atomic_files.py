"""What lies on the disk after a write, to the letter: names, bytes, rights; and that it got there before it counted."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import stat
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import polars as pl
import pytest

from fw_pipeline.atomic_files import FileCache, written_aside
from fw_pipeline.raw import EvidenceStore, Statement, VintageStore
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTH = date(2022, 1, 1)


def evidence(root: Path, run: str = "run-1") -> EvidenceStore:
    return EvidenceStore(root, "pypi", "clickpy", run_id=run, now=NOW)


def files(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in root.rglob("*") if path.is_file()}


def flushed(root: Path, work: Callable[[], object]) -> list[tuple[str, dict[str, int]]]:
    """Do some work; return each flush and each rename of it, in order, with the files that were there at that time."""
    seen: list[tuple[str, dict[str, int]]] = []

    def watch(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called in {os.fsync, os.replace}:
            seen.append((called.__name__, files(root)))

    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen


def test_a_file_is_on_the_disk_before_it_has_its_name_and_then_its_name_is(tmp_path: Path) -> None:
    def work() -> None:
        with written_aside(tmp_path / "file") as stream:
            stream.write(b"x" * 100)

    (wrote, at_first), (renamed, _), (named, at_last) = flushed(tmp_path, work)
    assert (wrote, renamed, named) == ("fsync", "replace", "fsync")
    assert list(at_first.values()) == [100]
    assert at_last == {"file": 100}
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_bytes_are_kept_until_their_file_is_damaged(tmp_path: Path) -> None:
    made: list[bytes] = []

    def make() -> bytes:
        made.append(b"picture")
        return made[-1]

    def asked() -> tuple[bytes, int]:
        return FileCache(tmp_path)("what it is made from", make), len(made)

    assert [asked(), asked()] == [(b"picture", 1)] * 2
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for times, damaged in enumerate((b"", whole[:-1], whole[:7], whole + b"s", b"picture", whole[:-1] + b"s"), start=2):
        kept.write_bytes(damaged)
        assert [asked(), asked()] == [(b"picture", times)] * 2
        assert kept.read_bytes() == whole


@pytest.mark.parametrize("name", ["links.json", "links.json.gz"])
def test_an_answer_is_on_the_disk_before_it_is_noted_and_its_name_and_note_before_they_count(
    tmp_path: Path, name: str
) -> None:
    store = evidence(tmp_path)
    steps = flushed(tmp_path, lambda: store.keep("r", b"x" * 1000, name=name))
    assert [step for step, _ in steps] == ["fsync", "replace"]
    after = files(tmp_path)
    assert set(steps[0][1].values()) == {size for file, size in after.items() if file != "requests.ndjson"}
    (kept,) = (path for path in store.folder.iterdir() if path.name.startswith("links"))
    assert stat.S_IMODE(kept.stat().st_mode) == 0o644
    first = flushed(tmp_path, store.flush)
    assert first == [("fsync", after)] * 3, "the journal, its folder, and the folder that holds that one"
    store.keep("s", b"y" * 1000, name=name)
    store.keep("t", b"z" * 1000, name=name)
    assert [step for step, _ in flushed(tmp_path, store.flush)] == ["fsync"] * 2, "for any number of answers"
    assert flushed(tmp_path, store.flush) == []
    assert [step for step, _ in flushed(tmp_path, lambda: store.reject(kept.name, "unfit"))] == ["fsync"]


def test_what_a_killed_attempt_left_is_flushed_by_the_one_that_resumes_it(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    store.keep("r", b"x", name="a")
    resumed = evidence(tmp_path)
    assert resumed.resumed == 1
    assert [step for step, _ in flushed(tmp_path, resumed.flush)] == ["fsync"] * 3
    ref = resumed.keep("s", b"x", name="a").ref
    assert len(flushed(tmp_path, resumed.flush)) == 2, "the journal, and the folder of a file that is there already"
    assert (tmp_path / ref).is_file()


def test_a_vintage_is_on_the_disk_after_its_listing_and_both_names_at_once(tmp_path: Path) -> None:
    store, rows = VintageStore(tmp_path), SOURCES["stackoverflow"].table.schema.to_frame(eager=True)
    given: dict[str, Any] = {"provider": "api", "observed_at": NOW, "evidence": ("e/1",), "run_id": "a"}
    listed: dict[str, Any] = {"detail": pl.DataFrame({"question": [1]}), "detail_name": "asked"}
    steps = flushed(tmp_path, lambda: store.add("stackoverflow", MONTH, rows, **given, **listed))
    assert [step for step, _ in steps] == ["fsync", "replace", "fsync", "replace", "fsync"]
    assert any(name.endswith(".detail.parquet") for name in steps[2][1])
    assert steps[-1][1] == files(tmp_path)


def test_no_file_stays_open(tmp_path: Path) -> None:
    evidence(tmp_path).keep("r", b"x", name="a")
    with written_aside(tmp_path / "file") as stream:
        stream.write(b"x")
    opened = []
    for handle in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the handle of this very listing
            opened.append(handle.readlink())
    assert [path for path in opened if path.is_relative_to(tmp_path)] == []


def test_an_answer_bears_the_name_of_what_it_is_and_holds(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    for number, (name, kept_as) in enumerate(
        {
            "_a b//c_": "_a-b-c_",
            "..-x-..": "x",
            "x" * 100: "x" * 80,
            "...": "answer",
            "questions 2023-01": "questions-2023-01",
        }.items()
    ):
        body = f"{number}".encode()
        kept = store.keep(name, body, name=name)
        assert kept.path.name == f"{kept_as}.{hashlib.sha256(body).hexdigest()[:16]}.body.gz"
        assert kept.ref == f"evidence/pypi/clickpy/run-1/{kept.path.name}"
        assert gzip.decompress(kept.path.read_bytes()) == body


@pytest.mark.parametrize("suffix", ["gz", "parquet", "7z", "zst"])
def test_what_comes_packed_keeps_its_bytes_and_its_suffix(tmp_path: Path, suffix: str) -> None:
    kept = evidence(tmp_path).keep("r", b"packed", name=f"links.{suffix}")
    assert kept.path.name == f"links.{hashlib.sha256(b'packed').hexdigest()[:16]}.{suffix}"
    assert kept.path.read_bytes() == kept.read() == b"packed"


def test_an_answer_is_written_once_and_nothing_is_left_of_the_second_time(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    first = store.keep("r", b"same", name="a").path
    inode = first.stat().st_ino
    assert store.keep("again", b"same", name="a").path == first
    assert first.stat().st_ino == inode
    assert set(files(tmp_path)) == {first.name, "requests.ndjson"}
    assert store.keep("other", b"other", name="a").path != first


def test_a_fetch_that_asked_for_nothing_leaves_nothing(tmp_path: Path) -> None:
    evidence(tmp_path).finish()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_is_lines_of_what_was_done(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    ref = store.keep("GET /x", b"x", name="a").ref
    store.finish()
    at = NOW.isoformat()
    assert (store.folder / "requests.ndjson").read_text(encoding="utf-8") == (
        f'\n{{"begun": "{at}"}}\n{{"request": "GET /x", "ref": "{ref}", "at": "{at}"}}\n{{"finished": true}}'
    )


def test_a_statement_is_a_file_of_four_words(tmp_path: Path) -> None:
    VintageStore(tmp_path).state(Statement("pypi", MONTH, "api", NOW, "gap", "lost", "wait"))
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path == tmp_path / "raw/pypi/2022-01/20261102T060000000000Z.statement.json"
    assert path.read_text(encoding="utf-8") == (
        '{"provider": "api", "status": "gap", "cause": "lost", "remedy": "wait"}'
    )


def test_a_vintage_lies_beside_its_listing_and_says_whose_it_is(tmp_path: Path) -> None:
    store = VintageStore(tmp_path / "month=2020-01-01")  # a folder's name is no column
    said = {"month": MONTH, "method": "counted", "origin": "api", "observed_on": None}
    rows = pl.DataFrame(
        [{**said, "tagged": tag, "questions": n} for tag, n in (("pytorch", 2), ("keras", 1))],
        schema=SOURCES["stackoverflow"].table.schema,
    )
    listing = pl.DataFrame({"question": [1, 2, 3]})
    vintage = store.add(
        "stackoverflow", MONTH, rows, provider="api", observed_at=NOW, evidence=("e/1", "e/2"), run_id="a-b",
        detail=listing, detail_name="asked",
    )  # fmt: skip
    assert vintage
    folder = tmp_path / "month=2020-01-01/raw/stackoverflow/2022-01"
    assert vintage.path == folder / "20261102T060000000000Z-a-b.parquet"
    assert vintage.detail == folder / "20261102T060000000000Z-a-b.detail.parquet"
    assert store.vintages("stackoverflow") == [vintage]
    assert pl.read_parquet(vintage.detail, hive_partitioning=False).equals(listing)
    assert pl.read_parquet_metadata(vintage.detail)["detail"] == "asked"
    assert pl.read_parquet_metadata(vintage.path)["provider"] == "api"
    read = store.read("stackoverflow", vintage)
    assert read["tagged"].to_list() == ["keras", "pytorch"]
    assert read.select("provider", "observed_at", "evidence", "run_id").unique().rows() == [
        ("api", NOW, "e/1;e/2", "a-b")
    ]
    other_way_round = rows.reverse().select(reversed(rows.columns))
    assert not store.add(
        "stackoverflow", MONTH, other_way_round, provider="api", observed_at=NOW, evidence=("e/1", "e/2"), run_id="c"
    )


@pytest.mark.parametrize("given", [{"detail": pl.DataFrame({"a": [1]})}, {"detail_name": "asked"}])
def test_a_listing_without_a_name_or_a_name_without_a_listing_is_none(tmp_path: Path, given: dict[str, Any]) -> None:
    store = VintageStore(tmp_path)
    rows = SOURCES["stackoverflow"].table.schema.to_frame(eager=True)
    vintage = store.add(
        "stackoverflow", MONTH, rows, provider="api", observed_at=NOW, evidence=("e/1",), run_id="a", **given
    )
    assert vintage
    assert set(files(tmp_path)) == {vintage.path.name}


def test_months_come_in_their_order_whatever_the_order_in_which_they_came(tmp_path: Path) -> None:
    months = [date(2022, month, 1) for month in (3, 1, 6, 2, 5, 4)]
    stores = [VintageStore(tmp_path / name) for name in ("one", "other")]
    for store, order in zip(stores, (months, reversed(months)), strict=True):
        for month in order:
            store.add(
                "stackoverflow", month, SOURCES["stackoverflow"].table.schema.to_frame(eager=True), provider="api",
                observed_at=NOW, evidence=("e/1",), run_id="a",
            )  # fmt: skip
        assert [vintage.month for vintage in store.vintages("stackoverflow")] == sorted(months)
    assert stores[0].listing("stackoverflow") == stores[1].listing("stackoverflow")
