"""The DuckDB files: all or nothing, derived, one writer, readers never in the way."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import Warehouse, WarehouseError, query, scan

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
JANUARY = date(2022, 1, 1)


def add(
    data: Path, n: int, *, provider: str = "api", month: date | None = JANUARY, days: int = 0, taken: date | None = None
) -> Path:
    rows = pl.DataFrame(
        [
            {
                "month": month,
                "tagged": "pytorch",
                "questions": n,
                "method": "counted",
                "origin": "x",
                "observed_on": taken,
            }
        ],
        schema=SOURCES["stackoverflow"].table.schema,
    )
    vintage = VintageStore(data).add(
        "stackoverflow",
        month,
        rows,
        provider=provider,
        observed_at=NOW + timedelta(days=days),
        evidence=(f"e/{n}",),
        run_id=f"run-{n}",
    )
    assert vintage
    return vintage.path


def load(data: Path) -> int:
    with Warehouse(data).writing() as writer:
        return writer.load_raw("stackoverflow")


def look(data: Path, sql: str) -> list[tuple[object, ...]]:
    Warehouse(data).publish()
    return query(data / "warehouse.duckdb", sql).rows()


def test_the_latest_vintage_of_each_provider_is_current_and_all_are_kept(tmp_path: Path) -> None:
    add(tmp_path, 10)
    add(tmp_path, 9, days=30)
    add(tmp_path, 8, provider="dump", days=10)
    assert load(tmp_path) == 2
    assert look(tmp_path, "select provider, questions from raw.stackoverflow order by all") == [("api", 9), ("dump", 8)]
    kept = "select questions, is_current from raw.stackoverflow_vintages order by questions"
    assert look(tmp_path, kept) == [(8, True), (9, True), (10, False)]


def test_an_old_snapshot_loaded_after_a_newer_one_stays_history(tmp_path: Path) -> None:
    add(tmp_path, 10, taken=date(2026, 1, 1))
    add(tmp_path, 12, days=30, taken=date(2025, 1, 1))
    load(tmp_path)
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]
    assert look(tmp_path, "select count(*) from raw.stackoverflow_vintages") == [(2,)]


@pytest.mark.parametrize("days", [2, 4000], ids=["set back", "once ahead by years"])
def test_a_clock_that_was_set_back_leaves_what_was_counted_last_the_current_one(tmp_path: Path, days: int) -> None:
    add(tmp_path, 10, days=days, taken=(NOW + timedelta(days=days)).date())
    add(tmp_path, 12, taken=NOW.date())
    load(tmp_path)
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(12,)]
    assert look(tmp_path, "select observed_at from raw.stackoverflow") == [(NOW,)]


def test_figures_without_a_month_are_kept_apart(tmp_path: Path) -> None:
    add(tmp_path, 10)
    add(tmp_path, 5, month=None)
    load(tmp_path)
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]
    assert look(tmp_path, "select questions, month from raw.stackoverflow_unpartitioned") == [(5, None)]


def test_a_source_without_vintages_is_an_empty_table_with_the_right_types(tmp_path: Path) -> None:
    assert load(tmp_path) == 0
    sql = "select column_name, data_type from duckdb_columns() where table_name = 'stackoverflow'"
    found = {name: kind for name, kind in look(tmp_path, sql)}  # noqa: C416 - rows of a query are not typed as pairs
    assert found["questions"] == "BIGINT"
    assert found["observed_at"] == "TIMESTAMP WITH TIME ZONE"


def test_a_vintage_that_cannot_be_read_is_named_and_set_aside_and_the_old_tables_stay(tmp_path: Path) -> None:
    add(tmp_path, 10)
    load(tmp_path)
    path = add(tmp_path, 11, days=1)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(StorageError, match=r"stackoverflow 2022-01: vintage .* cannot be read"):
        load(tmp_path)
    assert path.with_suffix(".unreadable").exists()
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]
    assert load(tmp_path) == 1


def test_an_error_inside_leaves_everything_as_it_was(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    with warehouse.writing() as writer:
        writer.build("marts.x", "select 1 as a", description="", columns={})
    with pytest.raises(WarehouseError):  # noqa: PT012, SIM117 - the first build must be undone with the second
        with warehouse.writing() as writer:
            writer.build("marts.x", "select 2 as a", description="", columns={})
            writer.build("marts.y", "select * from marts.no_such_table", description="", columns={})
    assert look(tmp_path, "select a from marts.x") == [(1,)]


def test_a_failing_model_is_one_line_with_its_name_and_file(tmp_path: Path) -> None:
    with (
        pytest.raises(WarehouseError, match=r"^marts.y: Catalog Error.*mend dbt_like_sql/marts/y.sql"),
        Warehouse(tmp_path).writing() as writer,
    ):
        writer.build("marts.y", "select * from marts.no_such_table", description="", columns={})


def test_comments_reach_the_published_file_whatever_quotes_they_hold(tmp_path: Path) -> None:
    words = {"a": "a's \n word"}
    with Warehouse(tmp_path).writing() as writer:
        writer.build("marts.x", "select 1 as a", description="it's 'quoted'; drop table x", columns=words)
    assert look(tmp_path, "select comment from duckdb_tables() where table_name = 'x'") == [
        ("it's 'quoted'; drop table x",)
    ]
    assert look(tmp_path, "select comment from duckdb_columns() where table_name = 'x'") == [("a's \n word",)]


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(tmp_path: Path) -> None:
    with (
        Warehouse(tmp_path).writing(),
        pytest.raises(WarehouseError, match="another run has been writing"),
        Warehouse(tmp_path, patience=0.5).writing(),
    ):
        pass


SCRIBBLES = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], config={"checkpoint_threshold": "1GB"})
connection.execute("create table scribbled as select range as a from range(10)")
print("open", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def scribbling(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another program open a DuckDB file for writing, and write."""
    command = [sys.executable, "-c", SCRIBBLES, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        assert file.with_name(f"{file.name}.wal").exists()
        yield process
        process.kill()


def test_a_program_that_writes_to_the_published_file_is_named_and_nothing_is_replaced(tmp_path: Path) -> None:
    load(tmp_path)
    Warehouse(tmp_path).publish()
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    with scribbling(tmp_path / "warehouse.duckdb"):
        with pytest.raises(WarehouseError, match="open for writing; close it there"):
            Warehouse(tmp_path).publish()
        assert (tmp_path / "warehouse.duckdb").read_bytes() == before


def test_what_a_program_that_died_while_writing_left_beside_the_published_file_is_no_hindrance(tmp_path: Path) -> None:
    add(tmp_path, 10)
    load(tmp_path)
    Warehouse(tmp_path).publish()
    with scribbling(tmp_path / "warehouse.duckdb") as process:
        process.kill()
    assert (tmp_path / "warehouse.duckdb.wal").exists()
    assert query(tmp_path / "warehouse.duckdb", "select questions from raw.stackoverflow").rows() == [(10,)]
    Warehouse(tmp_path).publish()
    assert not (tmp_path / "warehouse.duckdb.wal").exists()
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]
    assert look(tmp_path, "select count(*) from duckdb_tables() where table_name = 'scribbled'") == [(0,)]


def test_what_a_program_that_died_left_beside_the_working_file_is_no_hindrance(tmp_path: Path) -> None:
    add(tmp_path, 10)
    load(tmp_path)
    warehouse = Warehouse(tmp_path)
    with scribbling(warehouse.working) as process:
        with pytest.raises(WarehouseError, match="another program has the working file open; close it"):
            load(tmp_path)
        process.kill()
    load(tmp_path)
    warehouse.working.with_name("warehouse.duckdb.wal").write_bytes(b"torn" * 100)
    load(tmp_path)
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]


@pytest.mark.parametrize("written", [0, 1, 4096, 8192, 12_287])
def test_a_working_file_whose_making_was_cut_off_is_made_anew(tmp_path: Path, written: int) -> None:
    add(tmp_path, 10)
    load(tmp_path)
    working = Warehouse(tmp_path).working
    os.truncate(working, written)  # as a full disk leaves it
    load(tmp_path)
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]


def test_a_reader_keeps_its_version_while_a_new_one_is_published(tmp_path: Path) -> None:
    add(tmp_path, 10)
    load(tmp_path)
    Warehouse(tmp_path).publish()
    reader = duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True)
    add(tmp_path, 11, days=1)
    load(tmp_path)
    Warehouse(tmp_path).publish()
    assert reader.execute("select questions from raw.stackoverflow").fetchall() == [(10,)]
    reader.close()
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(11,)]


def test_a_working_file_that_is_no_database_says_rebuild(tmp_path: Path) -> None:
    load(tmp_path)
    Warehouse(tmp_path).working.write_bytes(b"not a database" * 1000)
    with pytest.raises(WarehouseError, match="fw-pipeline rebuild"):
        load(tmp_path)
    Warehouse(tmp_path).discard_working()
    assert load(tmp_path) == 0


def test_what_a_killed_publish_left_is_removed_by_the_next(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / ".publishing-old").mkdir()
    (tmp_path / ".publishing-old" / "warehouse.duckdb").touch()
    Warehouse(tmp_path).publish()
    assert not list(tmp_path.glob(".publishing-*"))


def test_the_published_file_has_the_storage_version_that_the_oldest_readers_know(tmp_path: Path) -> None:
    load(tmp_path)
    Warehouse(tmp_path).publish()
    header = (tmp_path / "warehouse.duckdb").read_bytes()[:100]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64  # of DuckDB 1.0 and 1.1


def test_a_path_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    data = tmp_path / "it's a folder; with 'quotes'"
    add(data, 10)
    assert load(data) == 1
    assert look(data, "select questions from raw.stackoverflow") == [(10,)]


def test_a_scan_of_a_file_that_is_not_what_it_claims_is_a_value_error(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("We had to rate limit your IP", encoding="utf-8")
    with pytest.raises(ValueError, match=r"magic bytes|[Pp]arquet"):
        scan("select * from read_parquet(?)", [str(tmp_path / "x.parquet")])


def test_a_full_disk_while_building_or_publishing_loses_nothing(tmp_path: Path) -> None:
    """The file size limit of a process stands in for the full disk: both refuse to write more."""
    add(tmp_path, 10)
    load(tmp_path)
    Warehouse(tmp_path).publish()
    before = (tmp_path / "warehouse.duckdb").read_bytes()
    script = """
import resource, sys
from pathlib import Path
from fw_pipeline.errors import PipelineError
from fw_pipeline.warehouse import Warehouse
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for step in ("build", "publish"):
    try:
        warehouse = Warehouse(Path(sys.argv[1]))
        if step == "build":
            with warehouse.writing() as writer:
                writer.build("marts.big", "select range as a, hash(range) as b from range(3000000)",
                    description="", columns={})
        else:
            warehouse.publish()
        print("went through", step)
    except PipelineError as reason:
        print("refused", step, reason)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.count("refused") == 2, done.stdout + done.stderr
    assert (tmp_path / "warehouse.duckdb").read_bytes() == before
    assert not list(tmp_path.glob(".publishing-*"))
    assert load(tmp_path) == 1
    assert look(tmp_path, "select questions from raw.stackoverflow") == [(10,)]


FULL_AT_COMMIT = """
import resource, sys
from pathlib import Path
from fw_pipeline.errors import PipelineError
from fw_pipeline.warehouse import Warehouse
warehouse = Warehouse(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
for _ in range(2):
    try:
        with warehouse.writing() as writer:
            writer.build("meta.big", "select hash(i) as a from range(200000) r(i)", description="", columns={})
    except PipelineError as reason:
        print(reason)
"""


def test_a_disk_that_is_full_at_the_commit_is_no_defect_and_every_step_says_the_same(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", FULL_AT_COMMIT, str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    (line,) = set(done.stdout.splitlines())
    assert line == (
        f"data folder: cannot write below {tmp_path}: File too large; "
        "free space or allow writing there, then run again; nothing was lost"
    )


def test_between_two_writings_no_file_is_open_and_nothing_is_remembered(tmp_path: Path) -> None:
    load(tmp_path)
    house = Warehouse(tmp_path)
    with house.writing() as writer:
        assert writer.has("raw.stackoverflow")
    drop = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('drop table raw.stackoverflow')"
    subprocess.run([sys.executable, "-c", drop, str(house.working)], check=True)
    with house.writing() as writer:
        assert not writer.has("raw.stackoverflow")


def test_what_does_not_fit_in_memory_spills_into_the_data_folder_and_is_swept(tmp_path: Path) -> None:
    spill = tmp_path / ".work" / "spill"
    with Warehouse(tmp_path).writing() as writer:
        assert writer.frame("select current_setting('temp_directory')").item() == str(spill)
    spill.mkdir(exist_ok=True)
    (spill / "duckdb_temp_storage-0.tmp").write_bytes(b"left by a killed run")
    load(tmp_path)
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_scan_spills_into_the_data_folder_and_not_into_the_systems_temporary_one(tmp_path: Path) -> None:
    given = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))
    fetch, _ = asking(choose(SOURCES["pypi"], given), Window.of(JANUARY, JANUARY), given, now=NOW)
    spill = tmp_path / ".work" / "spill-pypi"
    assert fetch.scan("select current_setting('temp_directory')", {}).item() == str(spill)
    assert not spill.exists(), "a folder is made when it is needed"
    assert scan("select current_setting('temp_directory')").item() == ""


def test_both_files_can_be_deleted_and_come_back_the_same(tmp_path: Path) -> None:
    add(tmp_path, 10)
    add(tmp_path, 9, days=3)
    load(tmp_path)
    before = look(tmp_path, "select * from raw.stackoverflow_vintages order by all")
    shutil.rmtree(tmp_path / ".work")
    (tmp_path / "warehouse.duckdb").unlink()
    load(tmp_path)
    assert look(tmp_path, "select * from raw.stackoverflow_vintages order by all") == before
