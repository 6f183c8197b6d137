"""The published file while somebody's tool has it open for writing, and the releases of DuckDB that can read it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.warehouse import Warehouse, WarehouseError, query
from fw_pipeline_tests.support.duckdb_releases import OURS, Releases
from fw_pipeline_tests.unit.warehouse.test_database_files import add, load

CLIENT = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
print(connection.execute("select questions from raw.stackoverflow").fetchall(), flush=True)
for line in sys.stdin:
    if line == "die\\n":
        os.kill(os.getpid(), 9)
    try:
        connection.execute(line)
        print("done", flush=True)
    except duckdb.Error as error:
        print("refused", str(error).split("\\n")[0], flush=True)
connection.close()
"""
READER = """
import sys, duckdb
print(duckdb.connect(sys.argv[1], read_only=True).execute("select questions from raw.stackoverflow").fetchall())
"""
WRITES = ("create table scribbled as select 1 as a", "update raw.stackoverflow set questions = 5", "checkpoint")


class Client:
    """Somebody's tool that has the published file open for writing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.line() == "[(10,)]"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def does(self, sql: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        return self.line()

    def ends(self, *, dies: bool) -> None:
        assert self.process.stdin is not None
        if dies:
            self.process.stdin.write("die\n")
        self.process.stdin.close()
        self.process.wait(60)


@contextlib.contextmanager
def opened(file: Path, releases: Releases, version: str) -> Iterator[Client]:
    with subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(file)],
        env=releases.environment(version),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Client(process)
        process.kill()


def publish(data: Path, questions: int) -> None:
    add(data, questions, days=questions)
    load(data)
    Warehouse(data).publish()


CLIENTS = ["1.5.6", OURS, *(pytest.param(it, marks=pytest.mark.long) for it in ("1.1.3", "1.2.2", "1.3.2", "1.4.4"))]


@pytest.mark.parametrize("version", CLIENTS)
@pytest.mark.parametrize(
    "dies", [pytest.param(False, id="is closed", marks=pytest.mark.long), pytest.param(True, id="dies")]
)
def test_a_tool_that_idles_over_a_publish_and_then_writes_makes_no_reader_fail(
    tmp_path: Path, releases: Releases, version: str, dies: bool
) -> None:
    file = tmp_path / "warehouse.duckdb"

    def readers_see(questions: int) -> None:
        assert {releases.ask(one, READER, file) for one in {version, "1.5.6", OURS}} == {f"[({questions},)]\n"}

    publish(tmp_path, 10)
    with opened(file, releases, version) as client:
        publish(tmp_path, 11)
        readers_see(11)
        said = [client.does(sql) for sql in WRITES]
        assert any("refused" in line and "warehouse.duckdb.wal" in line for line in said), said
        readers_see(11)
        publish(tmp_path, 12)
        said = [client.does(sql) for sql in WRITES]
        readers_see(12)
        client.ends(dies=dies)
        readers_see(12)
    publish(tmp_path, 13)
    readers_see(13)
    assert query(file, "select questions from raw.stackoverflow_vintages order by all")["questions"].to_list() == [
        10, 11, 12, 13,
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == [".work", "raw", "warehouse.duckdb"]
    assert not list((tmp_path / ".work").glob("earlier-*"))


@pytest.mark.parametrize("version", ["1.5.6", OURS])
def test_a_tool_that_has_written_is_named_and_keeps_what_it_wrote(
    tmp_path: Path, releases: Releases, version: str
) -> None:
    file = tmp_path / "warehouse.duckdb"
    publish(tmp_path, 10)
    with opened(file, releases, version) as client:
        assert client.does(WRITES[0]) == "done"
        who = rf"publish: python\S* \(process {client.process.pid}\) has warehouse.duckdb open for writing; close it"
        with pytest.raises(WarehouseError, match=who):
            publish(tmp_path, 11)
        client.ends(dies=True)
    assert query(file, "select a from scribbled").rows() == [(1,)]
    publish(tmp_path, 12)
    assert query(file, "select questions from raw.stackoverflow").rows() == [(12,)]


EVERYTHING = """
import json, sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
relations = connection.execute('''
    select schema_name || '.' || table_name, comment is not null from duckdb_tables() order by all
''').fetchall()
found = {name: [commented, *connection.execute(f"select count(*), count(distinct t::varchar) from {name} t").fetchone()]
         for name, commented in relations}
print(json.dumps(found))
"""
READERS = ["1.1.3", *(pytest.param(it, marks=pytest.mark.long) for it in ("1.2.2", "1.3.2", "1.4.4", "1.5.6", OURS))]


@pytest.mark.parametrize("version", READERS)
def test_every_row_of_the_published_file_is_read_by_releases_from_1_1_on(
    recorded_once: Path, releases: Releases, version: str
) -> None:
    file = recorded_once / "warehouse.duckdb"
    found = json.loads(releases.ask(version, EVERYTHING, file))
    tables = query(file, "select schema_name || '.' || table_name as name, estimated_size from duckdb_tables()").rows()
    assert {name: rows for name, (_, rows, _) in found.items()} == dict(tables)
    assert all(commented for commented, _, _ in found.values())
    assert found["marts.verdicts"][2] > 1000
