"""Vintages: append-only, whole or absent; what cannot be read is set aside, never deleted."""

from __future__ import annotations

import resource
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError, sweep, written_aside
from fw_pipeline.raw import VintageStore
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTH = date(2022, 1, 1)


def figures(**counts: int) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"month": MONTH, "tagged": tag, "questions": n, "method": "counted", "origin": "api", "observed_on": None}
            for tag, n in counts.items()
        ],
        schema=SOURCES["stackoverflow"].table.schema,
    )


def add(store: VintageStore, rows: pl.DataFrame, *, run: str, at: datetime = NOW, ref: str = "e/1") -> Path | None:
    vintage = store.add("stackoverflow", MONTH, rows, provider="api", observed_at=at, evidence=(ref,), run_id=run)
    return vintage.path if vintage else None


def test_a_folder_that_is_no_month_is_somebody_elses(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    path = add(store, figures(pytorch=555), run="a")
    assert path
    for name in ("notes", "2022-1", "2022-13"):
        (path.parent.parent / name).mkdir()
        (path.parent.parent / name / path.name).write_bytes(path.read_bytes())
    assert [vintage.path for vintage in store.vintages("stackoverflow")] == [path]


def test_a_vintage_is_added_and_never_overwritten(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    first = add(store, figures(pytorch=555), run="a")
    second = add(store, figures(pytorch=540), run="b", at=NOW + timedelta(days=30), ref="e/2")
    assert first
    assert second
    assert [v.path for v in store.vintages("stackoverflow")] == [first, second]
    assert pl.read_parquet(first)["questions"].to_list() == [555]


def test_the_same_evidence_and_rows_are_no_new_vintage_but_new_evidence_is(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    assert add(store, figures(pytorch=555), run="a")
    assert add(store, figures(pytorch=555), run="b", at=NOW + timedelta(days=1)) is None
    assert add(store, figures(pytorch=555), run="c", at=NOW + timedelta(days=2), ref="e/2")


def test_another_provider_of_the_same_month_is_not_taken_for_the_last_vintage(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    add(store, figures(pytorch=555), run="a")
    store.add("stackoverflow", MONTH, figures(pytorch=1), provider="dump", observed_at=NOW, evidence=(), run_id="b")
    current = store.current("stackoverflow", MONTH, "api")
    assert current is not None
    assert current.run_id == "a"


@pytest.mark.parametrize("keep_bytes", [0, 10, 400])
def test_a_truncated_vintage_is_named_with_its_month_and_remedy(tmp_path: Path, keep_bytes: int) -> None:
    store = VintageStore(tmp_path)
    path = add(store, figures(pytorch=555), run="a")
    assert path
    path.write_bytes(path.read_bytes()[:keep_bytes])
    with pytest.raises(StorageError, match=r"stackoverflow 2022-01: vintage .* cannot be read.*--from 2022-01"):
        store.read("stackoverflow", store.vintages("stackoverflow")[0])


def test_a_truncated_vintage_is_set_aside_and_replaced_and_told_of(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    path = add(store, figures(pytorch=555), run="a")
    assert path
    path.write_bytes(b"PAR1")
    assert add(store, figures(pytorch=555), run="b", at=NOW + timedelta(days=1))
    assert path.with_suffix(".unreadable").read_bytes() == b"PAR1"
    assert len(store.unreadable) == 1
    assert len(store.vintages("stackoverflow")) == 1


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), written_aside(target) as stream:
        stream.write(bytes(1 // (len(target.read_bytes()) - 3)))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert target.read_bytes() == b"old"


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "2022-01").mkdir()
    (tmp_path / "2022-01" / ".writing-abc").touch()
    (tmp_path / "2022-01" / "kept.parquet").touch()
    assert sweep(tmp_path) == 1
    assert [path.name for path in (tmp_path / "2022-01").iterdir()] == ["kept.parquet"]


FULL = """
import resource, sys
from pathlib import Path
from fw_pipeline.atomic_files import StorageError, written_aside
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    with written_aside(Path(sys.argv[1]) / "big") as stream:
        stream.write(b"x" * 100_000)
except StorageError as failure:
    print(failure)
"""


def test_a_disk_that_takes_no_more_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE >= 0
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("data folder: cannot write big")
    assert "free space" in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


FULL_FOR_A_VINTAGE = """
import resource, sys
from datetime import UTC, date, datetime
from pathlib import Path
import polars as pl
from fw_pipeline.sources import SOURCES
from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import VintageStore
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
month, now = date(2022, 1, 1), datetime(2026, 11, 2, tzinfo=UTC)
tags = [str(hash(str(i))) for i in range(5000)]
rows = pl.DataFrame({"month": [month] * 5000, "tagged": tags, "questions": [1] * 5000})
rows = pl.concat([SOURCES["stackoverflow"].table.schema.to_frame(), rows], how="diagonal")
try:
    VintageStore(Path(sys.argv[1])).add("stackoverflow", month, rows, provider="api", observed_at=now,
        evidence=(), run_id="a")
except StorageError as failure:
    print(failure)
"""


def test_a_vintage_that_finds_the_disk_full_is_no_parquet_file_out_of_specification(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", FULL_FOR_A_VINTAGE, str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("data folder: cannot write 20261102T")
    assert "File too large; free space" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot write"):
        add(VintageStore(tmp_path), figures(pytorch=1), run="a")


def test_a_clock_that_was_ahead_once_does_not_keep_its_vintage_current_for_years(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    add(store, figures(pytorch=1), run="ahead", at=NOW + timedelta(days=3650))
    add(store, figures(pytorch=2), run="right", at=NOW, ref="e/2")
    current = store.current("stackoverflow", MONTH, "api")
    assert current is not None
    assert current.run_id == "right"
    assert store.read("stackoverflow", current)["observed_at"].item() == NOW
    assert add(store, figures(pytorch=2), run="again", at=NOW, ref="e/2") is None
    assert len(store.vintages("stackoverflow")) == 2


def test_vintages_of_the_same_moment_and_run_do_not_overwrite_one_another(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    first = add(store, figures(pytorch=1), run="one")
    assert add(store, figures(pytorch=2), run="one", ref="e/2") != first
    found = store.vintages("stackoverflow")
    assert [store.read("stackoverflow", it)["questions"].item() for it in found] == [1, 2]
    assert [it.observed_at for it in found] == [NOW, NOW + timedelta(microseconds=1)]


def test_a_listing_whose_vintage_was_never_written_is_swept(tmp_path: Path) -> None:
    store = VintageStore(tmp_path)
    path = add(store, figures(pytorch=1), run="one")
    assert path is not None
    kept, orphan = path.with_suffix(".detail.parquet"), path.with_name("20261102T060000000001Z-killed.detail.parquet")
    for listing in (kept, orphan):
        listing.write_bytes(b"PAR1")
    store.sweep_listings("stackoverflow")
    assert kept.exists()
    assert not orphan.exists()
    store.set_aside(store.vintages("stackoverflow")[0])
    store.sweep_listings("stackoverflow")
    assert kept.exists()  # the published file reads it until the next one is published
