"""Real DuckLake: a catalogue in PostgreSQL and tables in an S3 server, written with the DuckDB for which it exists.

That is another DuckDB than the rest of the suite has, in an environment of its own: `make .venv-lake/.ready`.
"""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.object_path import ObjectPath
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.raw import VintageStore
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.integration.test_object_store import BUCKET, contents, upload
from fw_pipeline_tests.support.cluster_servers import NEEDS_POSTGRES, PostgresServer, postgres_server
from fw_pipeline_tests.support.command import Done, environment
from fw_pipeline_tests.support.s3_server import S3Server, s3_server_of_this_process
from fw_pipeline_tests.tools.benchmarks.sameness import differing

pytestmark = [pytest.mark.long, NEEDS_POSTGRES]

BIN = PROJECT_DIR / ".venv-lake" / "bin"
ROOT = ObjectPath(f"s3://{BUCKET}/lake-tests")
VERDICTS = {"marts.verdicts", "marts.headline_verdicts", "meta.claim_evidence"}
DIGITS = 10
"""How far the fractions of DuckDB 1.5 and 2.0 agree: they add the rows of a window in another order."""

READER = """
import duckdb, os, sys, duckdb_extensions
c = duckdb.connect()
for name in ("ducklake", "postgres_scanner", "httpfs"):
    duckdb_extensions.import_extension(name, con=c)
    c.execute(f"load {name}")
c.execute(os.environ["SECRET"])
c.execute("attach '" + os.environ["FW_WAREHOUSE"] + "' as lake (read_only)")
for line in sys.stdin:
    print(c.execute(line).fetchall() if line.startswith("from") else c.execute(line) and "done", flush=True)
"""
"""A program of somebody else's: DuckDB as it is, without anything of ours."""

COMMIT = """
import sys
from fw_pipeline.settings import read
from fw_pipeline.warehouse import Lake
given = read()
def told():
    print("about to commit", flush=True)
    sys.stdin.readline()
Lake(given.lake, given.data_dir, given.work_dir).commit(given.published, told)
"""

PUBLISH = """
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.errors import PipelineError
try:
    Pipeline({}, ()).warehouse.publish()
except PipelineError as error:
    print(error)
"""


@dataclass
class Place:
    """Both servers, and a machine with a work folder of its own."""

    postgres: PostgresServer
    s3: S3Server
    work: Path

    @property
    def address(self) -> str:
        return f"ducklake:postgres:{self.postgres.address}"

    @property
    def environment(self) -> dict[str, str]:
        secret = (
            f"create secret (type s3, key_id '{self.s3.environment['AWS_ACCESS_KEY_ID']}', "
            f"secret '{self.s3.environment['AWS_SECRET_ACCESS_KEY']}', url_style 'path', use_ssl false, "
            f"endpoint '{self.s3.environment['AWS_ENDPOINT_URL'].removeprefix('http://')}')"
        )
        given = {"FW_WORK_DIR": str(self.work), "FW_WAREHOUSE": self.address, "HOME": str(self.work), "SECRET": secret}
        return environment(self.work, **{**self.s3.environment, **given, "FW_DATA_DIR": str(ROOT)})

    def called(self, *command: str) -> Done:
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            env=self.environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=900,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def fw_pipeline(self, *arguments: str) -> Done:
        done = self.called("fw-pipeline", *arguments)
        assert done.status == 0, done.err
        return done

    def python(self, program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BIN / "python"), "-c", program],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def snapshots(self) -> dict[int, str]:
        found = json.loads(self.fw_pipeline("snapshots", "--format", "json").out)
        return {it["version"]: it["changed"] for it in found}

    def restored(self, name: str, *options: str) -> Path:
        file = self.work / name
        self.fw_pipeline("restore", str(file), *options)
        return file


@pytest.fixture(scope="module")
def place(recorded_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The data folder of a recorded run in the object store; a machine that is empty but for the software."""
    assert (BIN / "fw-pipeline").exists(), "run: make .venv-lake/.ready"
    folder = tmp_path_factory.mktemp("lake")
    with postgres_server() as postgres, s3_server_of_this_process(tmp_path_factory.mktemp("s3")) as s3:
        upload(recorded_once, ROOT)
        yield Place(postgres, s3, folder)


def described(file: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute("""
            select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal
            union all select schema_name, table_name, null, null, comment from duckdb_tables()
            union all select schema_name, view_name, null, null, comment from duckdb_views() where not internal
            order by all
        """).fetchall()


def test_published_versions_are_kept_while_readers_read_and_each_can_be_had_as_a_file(
    place: Place, recorded_once: Path
) -> None:
    place.fw_pipeline("rebuild")
    assert list(place.snapshots()) == [1]
    published = place.work / "warehouse.duckdb"
    first = place.restored("first.duckdb")
    assert contents(first) == contents(published)
    assert described(first) == described(published)

    # DuckDB 1.5 finds what 2.0 found
    count, differ = differing(str(recorded_once / "warehouse.duckdb"), str(first), digits=DIGITS)
    assert count > 100
    assert differ == []
    _, exactly = differing(str(recorded_once / "warehouse.duckdb"), str(first), digits=17)
    assert VERDICTS.isdisjoint(exactly)

    # somebody reads all the while
    reader = place.python(READER)
    assert reader.stdin is not None
    assert reader.stdout is not None

    def read(sql: str) -> str:
        print(sql, file=reader.stdin, flush=True)
        return str(reader.stdout.readline()).strip()  # type: ignore[union-attr]

    questions = "from lake.raw.stackoverflow {} select max(month)::varchar"
    assert read("begin") == "done"
    assert read(questions.format("")) == "[('2023-05-01',)]"
    rows = [
        {"month": date(2024, 1, 1), "tagged": tag, "questions": 321, "method": "counted", "origin": "test"}
        for tag in ("tensorflow", "pytorch", "keras")
    ]
    VintageStore(ROOT).add(
        "stackoverflow",
        date(2024, 1, 1),
        pl.DataFrame(rows, SOURCES["stackoverflow"].table.schema),
        provider="api",
        observed_at=datetime(2024, 2, 3, tzinfo=UTC),
        evidence=(),
        run_id="test",
    )
    place.fw_pipeline("rebuild")
    assert read(questions.format("")) == "[('2023-05-01',)]", "the reader's own snapshot"
    assert read("commit") == "done"
    assert read(questions.format("")) == "[('2024-01-01',)]"
    assert read(questions.format("at (version => 1)")) == "[('2023-05-01',)]"
    reader.stdin.close()
    assert reader.wait(60) == 0

    versions = place.snapshots()
    assert list(versions) == [2, 1]
    assert "raw.stackoverflow," in versions[2]
    assert "raw.papers," not in versions[2]
    assert contents(place.restored("second.duckdb")) == contents(published)
    assert contents(place.restored("again.duckdb", "--version", "1")) == contents(first)

    refused = place.called("fw-pipeline", "restore", str(first))
    assert refused.complaints == [
        f"fw-pipeline: restore: {first} is there already; name another file, or remove that one"
    ]
    unknown = place.called("fw-pipeline", "restore", str(place.work / "third.duckdb"), "--version", "3")
    assert "there is no version 3; see them: fw-pipeline snapshots" in unknown.complaints[0]


def test_a_publish_that_is_killed_changes_nothing_and_the_next_is_complete(place: Place) -> None:
    before = place.snapshots()
    published = place.work / "warehouse.duckdb"
    with duckdb.connect(str(published)) as connection:
        connection.execute("comment on table marts.verdicts is 'Said otherwise.'")
        connection.execute("update meta.builds set contents = 'x' where relation like 'claims.%'")
    cut_off = place.python(COMMIT)
    assert cut_off.stdout is not None
    assert cut_off.stdout.readline() == "about to commit\n"
    assert place.snapshots() == before, "nothing of it can be seen"
    cut_off.send_signal(signal.SIGKILL)
    cut_off.wait(60)
    assert place.snapshots() == before

    again = place.python(COMMIT)
    again.communicate("\n", timeout=300)
    assert again.returncode == 0
    after = place.snapshots()
    assert after.keys() - before.keys() == {max(after)}
    assert described(place.restored("after.duckdb")) == described(published)


def test_while_the_catalogue_is_away_nothing_is_published_anywhere(place: Place) -> None:
    published = place.work / "warehouse.duckdb"
    before = published.stat().st_ino
    place.postgres.stop()
    try:
        said = place.called("python", "-c", PUBLISH).out
        listed = place.called("fw-pipeline", "snapshots")
    finally:
        place.postgres.start()
    for line in (said, *listed.complaints):
        assert "DuckLake (FW_WAREHOUSE): " in line
        assert line.rstrip().endswith("PostgreSQL gives no answer; see that it runs, then run again; nothing was lost")
    assert len(said.splitlines()) == len(listed.complaints) == 1
    assert published.stat().st_ino == before
    assert place.called("python", "-c", PUBLISH).out == ""
    assert contents(place.restored("back.duckdb")) == contents(published)


def test_before_anything_was_published_there_one_line_says_so(place: Place, tmp_path: Path) -> None:
    empty = Place(place.postgres, place.s3, tmp_path)
    given = {**empty.environment, "FW_WAREHOUSE": f"ducklake:{tmp_path}/none.ducklake"}
    done = subprocess.run(
        [BIN / "fw-pipeline", "snapshots"], env=given, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stderr == (
        "fw-pipeline: DuckLake (FW_WAREHOUSE): nothing was published there yet; run: fw-pipeline run\n"
    )
