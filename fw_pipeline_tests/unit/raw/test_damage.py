"""Damaged notes and files below the data folder: each costs what it held and no more, and is told of in one line."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import EvidenceStore, Statement, Vintage, VintageStore
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTH = date(2022, 1, 1)
WEEK = timedelta(days=7)


def evidence(root: Path, run: str = "run-1", now: datetime = NOW) -> EvidenceStore:
    return EvidenceStore(root, "pypi", "clickpy", run_id=run, now=now)


def noted(root: Path, *lines: str | bytes) -> EvidenceStore:
    """Keep an answer, append lines to the journal of its fetch, and go on with that fetch."""
    store = evidence(root)
    store.keep("first", b"1", name="a")
    with (store.folder / "requests.ndjson").open("ab") as journal:
        journal.writelines(b"\n" + (line if isinstance(line, bytes) else line.encode()) for line in lines)
    return evidence(root, run="run-2", now=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("ref", "at"),
    [
        ("evidence/kept", "yesterday"),
        ("evidence/kept", "2026-11-02T06:00:00"),
        ("evidence/gone", NOW.isoformat()),
        ("evidence/../raw/kept", NOW.isoformat()),
        ("raw/kept", NOW.isoformat()),
        ("../kept", NOW.isoformat()),
        ("evidence", NOW.isoformat()),
        ("evidence/\0", NOW.isoformat()),
        ("evidence/" + "x" * 5000, NOW.isoformat()),
    ],
)
def test_a_note_of_no_moment_or_no_answer_is_passed_over(tmp_path: Path, ref: str, at: str) -> None:
    for place in ("evidence", "raw", "."):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / "kept").touch()
    (tmp_path.parent / "kept").touch()
    store = noted(tmp_path, json.dumps({"request": "second", "ref": ref, "at": at}))
    assert store.find("second") is None
    assert store.find("first") is not None
    assert store.resumed == 1


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[1]", b"null", b'{"request": 1}', b"[" * 100_000, b'{"rejected": 1}'])
def test_a_line_that_is_no_note_is_passed_over_and_those_around_it_count(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "kept").touch()
    store = noted(tmp_path, line, json.dumps({"request": "second", "ref": "evidence/kept", "at": NOW.isoformat()}))
    assert store.find("first") is not None
    assert store.find("second") is not None


def test_a_journal_that_does_not_say_when_it_began_is_not_gone_on_with(tmp_path: Path) -> None:
    journal = tmp_path / "evidence/pypi/clickpy/run-0/requests.ndjson"
    journal.parent.mkdir(parents=True)
    for begun in ("{}", '{"begun": "once"}', '{"begun": null}', '{"begun": "2026-11-02"}'):
        journal.write_text(begun, encoding="utf-8")
        assert evidence(tmp_path).folder.name == "run-1"
    journal.write_text(f'{{"rejected": "x"}}\n{{"begun": "{NOW.isoformat()}"}}', encoding="utf-8")
    assert evidence(tmp_path).folder.name == "run-0"


def test_a_fetch_is_gone_on_with_for_less_than_a_week(tmp_path: Path) -> None:
    evidence(tmp_path).keep("r", b"x", name="a")
    assert evidence(tmp_path, run="late", now=NOW + WEEK - timedelta(microseconds=1)).folder.name == "run-1"
    assert evidence(tmp_path, run="late", now=NOW + WEEK).folder.name == "late"


def test_the_unfinished_fetch_is_found_among_finished_ones_wherever_it_stands(tmp_path: Path) -> None:
    runs = [f"run-{number}" for number in range(5)]
    for unfinished in runs:
        root = tmp_path / unfinished
        for run in runs:
            store = evidence(root, run)
            store.keep(run, run.encode(), name=run)
            if run != unfinished:
                store.finish()
            else:
                store.folder.rename(root / "kept-for-later")
        (root / "kept-for-later").rename(root / "evidence/pypi/clickpy" / unfinished)
        assert evidence(root, "new").folder.name == unfinished


def test_an_answer_that_was_rejected_is_asked_for_again_at_once(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    kept = store.keep("r", b"<html>", name="a")
    store.reject(kept.ref, "x" * 600)
    assert store.find("r") is None
    notes = [json.loads(line) for line in (store.folder / "requests.ndjson").read_text().splitlines() if line]
    assert notes[-1] == {"rejected": kept.ref, "cause": "x" * 500}


def test_an_answer_of_an_earlier_fetch_is_rejected_in_a_journal_of_its_own(tmp_path: Path) -> None:
    evidence(tmp_path, run="new").reject("evidence/pypi/clickpy/old/a", "unfit")
    journal = tmp_path / "evidence/pypi/clickpy/new/requests.ndjson"
    assert json.loads(journal.read_text(encoding="utf-8").splitlines()[-1])["rejected"] == "evidence/pypi/clickpy/old/a"


def test_answers_are_as_old_as_the_newest_of_them(tmp_path: Path) -> None:
    first = evidence(tmp_path).keep("first", b"1", name="a").ref
    later = NOW + timedelta(days=1)
    store = evidence(tmp_path, run="run-2", now=later)
    second = store.keep("second", b"2", name="b").ref
    assert store.observed_at([first]) == NOW
    assert store.observed_at([first, second]) == store.observed_at([second, first]) == later
    assert store.observed_at([]) == store.observed_at(["evidence/unknown"]) == later


def test_a_journal_or_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    (store.folder / "requests.ndjson").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"^data folder: cannot write requests.ndjson in \S+/run-1: Is a directory"):
        store.keep("r", b"x", name="a")
    other = evidence(tmp_path, run="run-2")
    other.folder.touch()
    with pytest.raises(StorageError, match=r"^data folder: cannot write a-b in \S+/run-2: File exists"):
        other.keep("r", b"x", name="a b")


def test_a_file_that_the_user_named_and_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError, match=r"^the dump: cannot read \S+/gone.xml: No such file.*; name a readable file"
    ):
        evidence(tmp_path).keep_file("the dump", tmp_path / "gone.xml")


def test_a_file_that_the_user_named_is_kept_by_what_it_holds(tmp_path: Path) -> None:
    dump = tmp_path / "Posts.xml"
    dump.write_bytes(b"<posts/>")
    store = evidence(tmp_path)
    kept = store.keep_file("the dump", dump)
    assert (kept.path, kept.read()) == (dump, b"<posts/>")
    found = store.find("the dump")
    assert found is not None
    digest = hashlib.sha256(b"<posts/>").hexdigest()
    assert found.read().decode() == f'{{"bytes": 8, "file": "Posts.xml", "sha256": "{digest}"}}'


def statement_file(root: Path, folder: str, written: bytes, name: str = "20261102T060000000000Z") -> Path:
    path = root / "raw/pypi" / folder / f"{name}.statement.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written)
    return path


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        b'{"provider": "api", "status": "gap", "cause": "c"}',
        b'{"provider": "api", "status": "lost", "cause": "c", "remedy": "r"}',
        b'{"provider": 1, "status": "gap", "cause": "c", "remedy": "r"}',
        b'{"provider": "api", "status": "gap", "cause": null, "remedy": "r"}',
    ],
)
def test_a_damaged_statement_is_named_with_its_month(tmp_path: Path, written: bytes) -> None:
    path = statement_file(tmp_path, "2022-01", written)
    with pytest.raises(StorageError) as raised:
        VintageStore(tmp_path).statements("pypi")
    assert str(raised.value) == (
        f"pypi 2022-01: what a fetch said of this month cannot be read: {path.name}; "
        "delete that file; the next fetch says it anew"
    )


def test_what_is_no_statement_is_somebody_elses(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    said = Statement("pypi", MONTH, "api", NOW, "gap", "lost", "")
    store.state(said)
    for folder in ("unpartitioned", "2022-1", "2022-13", "notes"):
        statement_file(tmp_path, folder, b"damaged")
    statement_file(tmp_path, "2022-01", b"damaged", name="mine")
    assert store.statements("pypi") == store.statements("pypi", MONTH) == [said]


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
