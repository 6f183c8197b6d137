"""Evidence: responses are kept verbatim and once, found again while a fetch is unfinished, and never when rejected."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fw_pipeline.contract import HEADERS_OF
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def evidence(root: Path, run: str = "run-1", now: datetime = NOW, months: Window | None = None) -> EvidenceStore:
    return EvidenceStore(root, "pypi", "clickpy", run_id=run, now=now, months=months)


def test_an_answer_is_kept_verbatim_and_found_again(tmp_path: Path) -> None:
    body = b'{"total": 739}\xff\x00'
    kept = evidence(tmp_path).keep("GET /questions", body, name="questions 2023-01")
    assert kept.read() == body
    found = evidence(tmp_path, run="run-2").find("GET /questions")
    assert found is not None
    assert found.read() == body
    assert found.ref.startswith("evidence/pypi/clickpy/run-1/")


def test_a_streamed_answer_equals_a_whole_one(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b"one ", b"two ", b"three")

    assert evidence(tmp_path).keep("r", chunks(), name="streamed").read() == b"one two three"


def test_a_finished_fetch_is_not_gone_on_with(tmp_path: Path) -> None:
    first = evidence(tmp_path)
    first.keep("r", b"x", name="a")
    first.finish()
    again = evidence(tmp_path, run="run-2")
    assert again.find("r") is None
    assert again.folder.name == "run-2"


def test_an_unfinished_fetch_is_gone_on_with_for_a_week_from_its_last_answer_and_an_answer_for_a_month(
    tmp_path: Path,
) -> None:
    evidence(tmp_path).keep("r", b"x", name="a")
    assert evidence(tmp_path, run="run-2", now=NOW + timedelta(days=8)).find("r") is None
    for day in range(6, 37, 6):  # two weeks of a quota each day, and more
        going_on = evidence(tmp_path, run=f"run-{day}", now=NOW + timedelta(days=day))
        assert (going_on.find("r") is not None) is (day < 31)
        going_on.keep(f"r{day}", b"x", name="a")
        going_on.keep(f"headers of r{day}", b"{}", name="a.headers.json")
    assert evidence(tmp_path, run="later", now=NOW + timedelta(days=36)).resumed == 6, "headers are no answers"


def test_a_rejected_answer_stays_on_disk_and_is_asked_for_again(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    kept = store.keep("r", b"<html>", name="a")
    store.reject(kept.ref, "HTML instead of JSON")
    assert kept.path.exists()
    assert evidence(tmp_path, run="run-2").find("r") is None


def test_a_torn_last_line_of_the_journal_loses_only_that_answer(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    store.keep("first", b"1", name="a")
    with (store.folder / "requests.ndjson").open("a", encoding="utf-8") as journal:
        journal.write('\n{"request": "second", "ref": "evid')
    again = evidence(tmp_path, run="run-2")
    assert again.find("first") is not None
    assert again.find("second") is None
    again.keep("third", b"3", name="c")
    assert evidence(tmp_path, run="run-3").find("third") is not None


def test_the_same_answer_is_written_once_over_all_fetches(tmp_path: Path) -> None:
    first = evidence(tmp_path)
    one = first.keep("r", b"same", name="file.csv")
    first.finish()
    second = evidence(tmp_path, run="run-2")
    two = second.keep("r", b"same", name="file.csv")
    second.finish()
    assert one.ref == two.ref
    assert not (tmp_path / "evidence/pypi/clickpy/run-2").exists()


def test_what_is_packed_already_is_kept_as_it_came_and_the_rest_is_packed(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    packed = gzip.compress(b"links")
    as_it_came = store.keep("a", packed, name="links.json.gz").path
    assert as_it_came.read_bytes() == packed
    assert re.fullmatch(r"links\.json\.[0-9a-f]{16}\.gz", as_it_came.name)
    ours = store.keep("b", b"links", name="links.json").path
    assert gzip.decompress(ours.read_bytes()) == b"links"
    assert re.fullmatch(r"links\.json\.[0-9a-f]{16}\.body\.gz", ours.name)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "a/b", "", "." * 50, "x" * 10_000, "naïve\n\0name"])
def test_no_name_leaves_the_folder_of_its_fetch(tmp_path: Path, name: str) -> None:
    store = evidence(tmp_path)
    assert store.keep("r", b"x", name=name).path.parent == store.folder


def test_the_journal_holds_no_more_than_requests_references_and_times(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    store.keep("GET /x", b"secret body", name="a")
    entries = [json.loads(line) for line in (store.folder / "requests.ndjson").read_text().splitlines() if line]
    assert entries[0] == {"begun": NOW.isoformat()}
    assert set(entries[1]) == {"request", "ref", "at"}


def test_a_page_whose_headers_are_lost_is_asked_for_again(tmp_path: Path) -> None:
    store = evidence(tmp_path)
    head = store.keep(f"{HEADERS_OF}page", b'{"Link": "next"}', name="headers.json")
    store.keep("page", b"[]", name="page.json")
    store.keep("other", b"[1]", name="page.json")
    assert evidence(tmp_path).find("page") is not None
    head.path.unlink()
    resumed = evidence(tmp_path)
    assert resumed.find("page") is None, "it would look like the last page of its listing"
    assert resumed.find("other") is not None


FIRST, SECOND = (Window.of(date(2022, month, 1), date(2022, month + 5, 1)) for month in (1, 7))
WHOLE = Window.of(date(2022, 1, 1), date(2022, 12, 1))


def test_a_fetch_of_other_months_leaves_what_an_unfinished_one_has_for_whoever_fetches_its_months(
    tmp_path: Path,
) -> None:
    """Parts of a backfill are runs of their own: the part that was killed is launched again after others have ended."""
    evidence(tmp_path, "killed", months=FIRST).keep("January", b"x", name="a")
    other = evidence(tmp_path, "other", months=SECOND)
    assert other.find("January") is None
    other.keep("July", b"y", name="b")
    other.finish()
    again = evidence(tmp_path, "again", months=Window.of(date(2022, 6, 1), date(2022, 6, 1)))
    assert again.resumed == 1
    again.finish()
    anew = evidence(tmp_path, "anew", months=FIRST)
    assert (anew.find("January"), anew.folder.name) == (None, "anew"), "who resumes it ends it"


def test_a_fetch_of_the_months_of_several_unfinished_ones_ends_them_all(tmp_path: Path) -> None:
    for run, months in (("first", FIRST), ("second", SECOND)):
        evidence(tmp_path, run, months=months).keep(run, b"x", name="a")
    whole = evidence(tmp_path, "whole", months=WHOLE)
    assert whole.resumed == 1
    whole.finish()
    for months in (FIRST, SECOND):
        assert evidence(tmp_path, "anew", months=months).resumed == 0, "it would be older than what was fetched since"


@pytest.mark.parametrize("line", ['{"months": 5}', '{"months": ["2022-01-01"]}', '{"months": [["x"], "y"]}'])
def test_a_fetch_whose_months_cannot_be_read_may_be_of_any(tmp_path: Path, line: str) -> None:
    evidence(tmp_path).keep("r", b"x", name="a")
    with (tmp_path / "evidence/pypi/clickpy/run-1/requests.ndjson").open("a") as journal:
        journal.write(f"\n{line}")
    assert evidence(tmp_path, "run-2", months=SECOND).resumed == 1
