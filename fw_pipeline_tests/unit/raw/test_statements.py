"""What fetches reported about months without figures: kept once, in order, and damage is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import Statement, VintageStore

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTH = date(2022, 1, 1)


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


def test_a_statement_is_kept_once_while_it_stays_the_same(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    for day in range(3):
        at = NOW + timedelta(days=day)
        store.state(Statement("pypi", date(2016, 4, 1), "recorded", at, "gap", "not recorded", ""))
    store.state(Statement("pypi", date(2016, 4, 1), "recorded", NOW + timedelta(days=9), "refused", "negative", "mend"))
    assert [(s.status, s.at) for s in store.statements("pypi")] == [("gap", NOW), ("refused", NOW + timedelta(days=9))]


def test_what_is_said_of_a_month_last_counts_whatever_the_clock_says(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    store.state(Statement("pypi", MONTH, "clickpy", NOW, "refused", "an error page", "run again"))
    store.state(Statement("pypi", MONTH, "clickpy", NOW - timedelta(days=30), "answered", "it came", ""))
    assert [(it.status, it.at) for it in store.statements("pypi", MONTH)] == [
        ("refused", NOW),
        ("answered", NOW + timedelta(microseconds=1)),
    ]
