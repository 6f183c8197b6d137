"""`fw-pipeline sql`: a query reads the tables of the published file, and nothing it says reaches anything else."""

from __future__ import annotations

import http.server
import os
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.warehouse import Warehouse, WarehouseError, copy_tables, query, scan
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.unit.warehouse.test_database_files import JANUARY
from fw_pipeline_tests.unit.warehouse.test_writer import FEBRUARY, add_listing

HOSTILE = pl.DataFrame({"secret": ["a variable of the caller"]})
"""A frame that DuckDB would find as a table by its name, were it let to."""


@dataclass(frozen=True)
class House:
    """A folder with a published file, a file of somebody else beside it, and all that is in it."""

    folder: Path

    @property
    def published(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with Warehouse(folder).writing() as writer:
        writer.load_raw("stackoverflow")
        writer.load_raw("pypi")
        writer.build("marts.x", "select range as a, range % 3 as b from range(10)", description="", columns={})
    Warehouse(folder).publish()
    (folder / "secret.csv").write_text("a,b\n1,topsecret\n", encoding="utf-8")
    here = Path.cwd()
    os.chdir(folder)
    yield House(folder)
    os.chdir(here)


WRITES = (
    "copy (select 1) to '{folder}/stolen.csv'",
    "copy marts.x to '{file}.wal'",
    "copy marts.x to '{file}' (use_tmp_file false)",
    "copy marts.x to '{file}.wal.recovery' (format parquet)",
    "with y as (copy (select 1) to '{file}.wal') select 1",
    "with y as (copy (select 1) to '{file}' (use_tmp_file false)) select 1",
    "explain analyze copy (select 1) to '{file}.wal'",
    "with y as (copy (select 1) to '{folder}/raw/x' (use_tmp_file false)) select 1 from detail.pypi_daily",
    "explain analyze copy (from detail.pypi_daily) to '{file}' (use_tmp_file false)",
    "copy (pivot marts.x on b using count(*)) to '{file}.wal'",
    "explain analyze with y as (copy (select 1) to '{file}.wal') select 1",
    "from query('with y as (copy (select 1) to ''{file}.wal'') select 1')",
    "export database '{folder}/all'",
    "export database '{file}.tmp'",
    "copy from database warehouse to memory",
    "attach '{folder}/other.duckdb'",
    "attach '{file}.tmp/other.duckdb' as other",
    "create table x (a int)",
    "create table y as from marts.x",
    "create temp table y as from marts.x",
    "create temp view y as from marts.x",
    "create temp macro m(a) as a + 1",
    "create type kind as enum ('a')",
    "insert into marts.x select * from marts.x",
    "insert into marts.x select * from marts.x returning *",
    "with gone as (delete from marts.x returning *) from gone",
    "update marts.x set a = 1",
    "delete from marts.x",
    "truncate marts.x",
    "merge into marts.x using (select 1) on false when not matched then insert default values",
    "drop table marts.x",
    "explain analyze drop table marts.x",
    "drop schema marts cascade",
    "alter table marts.x add column c int",
    "comment on table marts.x is 'x'",
    "copy (select 1) to '/dev/stdout'",
)
READS_ELSEWHERE = (
    "from read_csv('{folder}/secret.csv')",
    "from read_text('secret.csv')",
    "from read_blob('{folder}/secret.csv')",
    "from read_blob('{file}')",
    "from read_json('{folder}/secret.csv')",
    "from read_parquet('{folder}/secret.csv')",
    "from parquet_metadata('{folder}/secret.csv')",
    "from sniff_csv('{folder}/secret.csv')",
    "from read_duckdb('{file}', table_name = 'x')",
    "from glob('{folder}/*')",
    "from glob('*')",
    "from 'secret.csv'",
    "from '{folder}/secret.csv'",
    'from "secret.csv"',
    "from query_table('secret.csv')",
    "from query('from ''secret.csv''')",
    "from json_execute_serialized_sql(json_serialize_sql('from ''secret.csv'''))",
    "from read_text('/proc/self/environ')",
    "from read_csv('/dev/stdin')",
    "attach '{file}' as again",
    "import database '{folder}'",
    "copy marts.x from 'secret.csv'",
    "from HOSTILE",
    "from published",
    "from statements",
    "select getenv('HF_TOKEN')",
    "from sqlite_scan('secret.csv', 'x')",
)
LEAVES = (
    "from read_csv('{url}/x.csv')",
    "from '{url}/x.parquet'",
    "from 's3://bucket/x.parquet'",
    "from 'hf://datasets/a/b/x.parquet'",
    "attach '{url}/x.duckdb' as far",
    "install httpfs",
    "install httpfs from '{url}'",
    "force install httpfs",
    "load httpfs",
    "load '{folder}/x.duckdb_extension'",
    "update extensions",
    "create secret s (type s3, key_id 'x')",
    "create persistent secret s (type s3, key_id 'x')",
)
UNLOCKS = (
    "set enable_external_access = true",
    "reset enable_external_access",
    "pragma enable_external_access = true",
    "set lock_configuration = false",
    "set disabled_filesystems = ''",
    "set allowed_paths = ['/']",
    "set allowed_directories = ['/']",
    "set temp_directory = '{folder}/spill'",
    "set log_query_path = '{folder}/log'",
    "pragma enable_profiling",
    "pragma profiling_output = '{folder}/profile'",
    "call enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "set python_enable_replacements = true",
    "set memory_limit = '99GB'",
    "set variable x = 1",
    "use raw",
    "prepare p as select 1",
    "execute p",
    "begin",
    "select 1; drop table marts.x",
    "pragma database_list; select 1",
    "-- nothing but a comment",
    ";",
    "",
    "\0",
    "select 1\0; drop table marts.x",
    "select '\udcff'",
)


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address on loopback, and what was asked of it."""
    paths: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with socketserver.TCPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", paths
        server.shutdown()


@pytest.mark.parametrize("sql", [*WRITES, *READS_ELSEWHERE, *LEAVES, *UNLOCKS])
def test_a_query_cannot_write_read_files_load_or_leave(house: House, asked: tuple[str, list[str]], sql: str) -> None:
    url, paths = asked
    before = house.content()
    with pytest.raises(WarehouseError, match=r"^query: .+; .+") as refused:
        query(house.published, sql.replace("{file}", str(house.published)).format(folder=house.folder, url=url))
    assert "\n" not in str(refused.value)
    assert "topsecret" not in str(refused.value)
    assert house.content() == before
    assert sorted(path.name for path in house.folder.iterdir() if path.is_dir()) == [".work"]
    assert paths == []


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("from marts.x limit 1", [(0, 0)]),
        ("table marts.x limit 1", [(0, 0)]),
        ("/* a comment */ select count(*) from marts.x; -- and another", [(10,)]),
        ("with y as (select 1 as a) from y", [(1,)]),
        ("pivot marts.x on b using count(*)", [(0, 1, 0, 0), (3, 1, 0, 0)]),
        ("pivot (select b from marts.x) on b in (0, 1) using count(*)", [(4, 3)]),
        ("select 1 as a, 2 as a", [(1, 2)]),
        ("values ('🙂'), ('a;b'), (null)", [("🙂",), ("a;b",), (None,)]),
        ("from query('select 1')", [(1,)]),
    ],
)
def test_a_query_that_only_reads_is_answered(house: House, sql: str, rows: list[tuple[object, ...]]) -> None:
    found = query(house.published, sql).rows()
    assert found[: len(rows)] == rows if "using count(*)" not in sql or "in (" in sql else len(found) == 10


def test_a_query_reads_the_listings_that_are_not_in_the_file(tmp_path: Path) -> None:
    for month, downloads in ((JANUARY, 2), (FEBRUARY, 4)):
        add_listing(tmp_path, month, downloads)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        writer.build("marts.x", "select 1 as a", description="", columns={})
    published = Warehouse(tmp_path).published
    Warehouse(tmp_path).publish()
    assert query(published, "select downloads, a from DETAIL.PyPI_daily, marts.x order by 1").rows() == [(2, 1), (4, 1)]
    assert query(published, 'select count(*) from "detail" . "pypi_daily"').rows() == [(2,)]
    assert query(published, "show tables")["name"].to_list()[0] == "detail.pypi_daily"
    [written] = copy_tables(published, ["detail.pypi_daily"], tmp_path / "out", "parquet")
    assert (written.rows, pl.read_parquet(tmp_path / "out" / "detail" / "pypi_daily.parquet").height) == (2, 2)
    # where only the file was copied to, it is complete but for the listings, and says so
    (tmp_path / "raw").rename(tmp_path / "elsewhere")
    assert [it.name for it in copy_tables(published, ["marts.x"], tmp_path / "more", "csv")] == ["marts.x"]
    said = r"detail.pypi_daily cannot be read: .*No files found.*; the listings are read from the data folder"
    with pytest.raises(WarehouseError, match=f"^export: {said}"):
        copy_tables(published, ["detail.pypi_daily"], tmp_path / "more", "csv")
    with pytest.raises(WarehouseError, match=f"^query: {said}"):
        query(published, "from detail.pypi_daily")
    (tmp_path / "elsewhere").rename(tmp_path / "raw")
    with pytest.raises(WarehouseError, match=r"stopped after 0\.2 s"):
        query(published, "select count(*) from detail.pypi_daily, range(1000000000000)", seconds=0.2)


def test_columns_of_one_name_are_told_apart(house: House) -> None:
    assert query(house.published, "select 1 as a, 2 as a, 3 as a_1").to_dict(as_series=False) == {
        "a": [1],
        "a_1": [2],
        "a_1_1": [3],
    }


@pytest.mark.parametrize("sql", ["show all tables", "describe marts.x", "summarize marts.x", "explain from marts.x"])
def test_the_catalogue_can_be_asked_about(house: House, sql: str) -> None:
    assert query(house.published, sql).height


def test_a_query_that_never_ends_is_stopped_and_one_that_returns_too_much_is_refused(house: House) -> None:
    with pytest.raises(WarehouseError, match=r"^query: it was stopped after 0\.2 s; ask for less"):
        query(house.published, "select count(*) from range(1000000000000) as a", seconds=0.2)
    with pytest.raises(WarehouseError, match=r"^query: it returns more than 5 rows; add a limit"):
        query(house.published, "from marts.x", rows=5)
    assert query(house.published, "from marts.x", rows=10).height == 10


def test_a_query_that_needs_more_memory_than_it_may_have_spills_nowhere(house: House) -> None:
    before = house.content()
    with pytest.raises(WarehouseError, match="it needs more than 2 GB of memory"):
        query(house.published, "select list(hash(range) || repeat('x', 100)) from range(30000000)")
    assert house.content() == before


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("interval 1 month", "is of the type INTERVAL"),
        ("[interval 1 month]", r"is of the type INTERVAL\[\]"),
        ("union_value(a := 1)", "is of the type UNION"),
        ("date 'infinity'", "outside the years 1 to 9999"),
        ("timestamp '-infinity'", "outside the years 1 to 9999"),
        ("timestamptz '294246-01-01 00:00+00'", "outside the years 1 to 9999"),
    ],
)
def test_a_value_that_a_frame_cannot_hold_is_one_line_that_says_to_cast_it(
    house: House, column: str, said: str
) -> None:
    with pytest.raises(WarehouseError, match=rf'^query: a .*{said}.*; cast it: select "a"::varchar$'):
        query(house.published, f"select {column} as a")
    assert query(house.published, f"select ({column})::varchar as a").height == 1


def test_the_command_answers_a_query_on_one_line_or_refuses_it_on_one_line(house: House) -> None:
    done = fw_pipeline(house.folder, "sql", f"copy marts.x to '{house.published}' (use_tmp_file false)")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "fw-pipeline: query: COPY is not a query; this command only reads the tables of the published file; "
        "for more, open a copy of it with duckdb\n"
    )
    assert fw_pipeline(house.folder, "sql", "select sum(a) as a from marts.x", "--format", "csv").out == "a\n45\n"


def test_a_query_without_a_published_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="make it: fw-pipeline run"):
        query(tmp_path / "warehouse.duckdb", "select 1")


def test_a_scan_takes_no_variable_of_the_program_for_a_table() -> None:
    with pytest.raises(ValueError, match="HOSTILE"):
        scan("from HOSTILE")


def test_an_answer_may_have_as_many_rows_as_were_said_and_days_that_python_has(house: House) -> None:
    assert query(house.published, "from range(5)", rows=5).height == 5
    with pytest.raises(WarehouseError, match="it returns more than 4 rows"):
        query(house.published, "from range(5)", rows=4)
    ends = query(house.published, "select date '0001-01-01' as first, date '9999-12-31' as last")
    assert ends.rows() == [(date.min, date.max)]
    for beyond in ("date '0001-01-01' - 1", "date '9999-12-31' + 1"):
        with pytest.raises(WarehouseError, match="outside the years 1 to 9999"):
            query(house.published, f"select {beyond} as day")


def test_columns_of_one_name_are_told_apart_whatever_else_is_called_so(house: House) -> None:
    found = query(house.published, "select 1 as a, 2 as a, 3 as a_1, 4 as a")
    assert found.columns == ["a", "a_1", "a_1_1", "a_1_1_1"]
    assert found.rows() == [(1, 2, 3, 4)]
