"""Damaged journals and files of evidence: each costs what it held and no more, and is reported in one line."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import EvidenceStore

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
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
