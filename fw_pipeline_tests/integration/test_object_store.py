"""The data folder is in an object store: a real S3 server on loopback, real runs, nothing lost whatever is away."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose
from fw_pipeline.locks import silent
from fw_pipeline.months import Window
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw import EvidenceStore, Statement, VintageStore, object_file_system, storage_of
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import Warehouse, copy_tables, reading
from fw_pipeline_tests.integration.test_live import settings
from fw_pipeline_tests.support.command import Done, fw_pipeline
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.s3_server import KEY, SECRET, S3Server, s3_server_of_this_process

pytestmark = pytest.mark.long

NOW, MONTH = datetime(2026, 11, 2, 6, 0, tzinfo=UTC), date(2022, 1, 1)
MONTHS = Window.of(date(2022, 4, 1), date(2022, 5, 1))
BUCKET = "fw-tests"
PROVIDERS = "stackoverflow=api,papers=archive"
RAW = [f"raw.{name}" for name in SOURCES]
LISTINGS = sorted(
    {f"detail.{it.detail.name}" for one in SOURCES.values() for it in one.providers.values() if it.detail}
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for the module, and the environment that leads to it."""
    with s3_server_of_this_process(tmp_path_factory.mktemp("s3")) as running:
        storage_of(ObjectPath(f"s3://{BUCKET}")).put(ObjectPath(f"s3://{BUCKET}/begun"), b"")  # makes the bucket
        yield running


@pytest.fixture
def root(server: S3Server, request: pytest.FixtureRequest) -> ObjectPath:  # noqa: ARG001 - it runs
    """An address of the test's own."""
    return ObjectPath(f"s3://{BUCKET}") / f"{abs(hash(request.node.name)):x}"


def called(root: ObjectPath, work: Path, *arguments: str, **given: str) -> Done:
    return fw_pipeline(work, *arguments, **{"FW_DATA_DIR": str(root), "FW_WORK_DIR": str(work), **given})


def upload(data: Path, root: ObjectPath) -> None:
    storage = storage_of(root)
    for path in (it for room in ("raw", "evidence") for it in (data / room).rglob("*") if it.is_file()):
        storage.put(root / path.relative_to(data).as_posix(), path.read_bytes())


def contents(published: Path, *, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a mark of all rows of every table."""
    with duckdb.connect(str(published), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, list(column_name order by column_index) "
            "from duckdb_columns() where not internal group by all"
        ).fetchall()
        marks = {}
        for table, columns in tables:
            if table not in but:
                row = ", ".join(f'to_json("{column}")::varchar' for column in columns)
                marks[table] = str(connection.execute(f"select count(*), sum(hash({row})) from {table}").fetchall())
    return marks


def test_an_empty_machine_rebuilds_from_the_object_store_what_a_data_folder_gives(
    recorded_once: Path, root: ObjectPath, tmp_path: Path
) -> None:
    """The layout is the same in both places: what was copied there from a data folder is that data folder."""
    upload(recorded_once, root)
    done = called(root, tmp_path / "work", "rebuild")
    assert done.status == 0, done.err
    before = storage_of(root).names(root)
    assert "warehouse.duckdb" in before
    assert "nanobind" not in done.err
    there, here = (contents(it / "warehouse.duckdb") for it in (tmp_path / "work", recorded_once))
    assert len(there) > 100
    assert {name: (there.get(name), here[name]) for name in here if there.get(name) != here[name]} == {}
    assert (tmp_path / "work/report/index.html").is_file()
    assert {it.name for it in (tmp_path / "work").iterdir()} == {".work", "dagster", "report", "warehouse.duckdb"}

    # the same figures once more are no new vintages, and their evidence is not written twice
    given = read({"FW_DATA_DIR": str(root), "FW_WORK_DIR": str(tmp_path / "work")}, dotenv=Path("none"))
    for source in SOURCES.values():
        got = ingest(choose(source, given), MONTHS, given, run_id="again", now=NOW, log=silent, done=lambda _: None)
        assert got.failures == []
        assert "unchanged" in {it.status for it in got.outcomes} <= {"unchanged", "gap"}
    assert storage_of(root).names(root) == before
    explained = called(root, tmp_path / "work", "verdicts", "--claim", "C14", "--explain", "--format", "json")
    assert explained.status == 0, explained.err
    assert f'"path": "{root}/evidence/' in explained.out
    assert '"present": false' not in explained.out


def in_order(frame: pl.DataFrame) -> list[str]:
    """Return rows as text, in order; so are the items of a list, which the archive's join gives in any order."""
    return sorted(
        str([sorted(map(str, value)) if isinstance(value, list) else value for value in row]) for row in frame.rows()
    )


def test_live_figures_their_listings_and_large_files_are_kept_there(
    services: FakeServices, root: ObjectPath, tmp_path: Path
) -> None:
    asked, loaded = [], []
    for data, work in ((tmp_path / "here", tmp_path / "here"), (root, tmp_path / "there")):
        services.requests.clear()
        places = {"FW_DATA_DIR": str(data), "FW_WORK_DIR": str(work)}
        given = read({**settings(services), "FW_PROVIDERS": PROVIDERS, **places}, dotenv=Path("none"))
        for source in SOURCES.values():
            got = ingest(choose(source, given), MONTHS, given, run_id="x", now=NOW, log=silent, done=lambda _: None)
            assert (got.failures, got.months("present")) == ([], list(MONTHS.months())), source.name
        asked.append([(it.service, it.path, it.query) for it in services.requests])
        warehouse = Warehouse(work, data_dir=data)
        with warehouse.writing() as writer:
            for name in SOURCES:
                writer.load_raw(name)
        warehouse.publish()
        with reading(warehouse.published) as ask:
            # an answer of ClickHouse says how long it took, so that its hash is another one
            frames = {name: ask(f"from {name}").drop("evidence", strict=False) for name in (*LISTINGS, *RAW)}
        loaded.append({name: in_order(frame) for name, frame in frames.items()})
        copied = copy_tables(warehouse.published, LISTINGS, work / "export", "parquet")
        assert {it.name: it.rows for it in copied} == {name: frames[name].height for name in LISTINGS}
    assert asked[0] == asked[1]
    with duckdb.connect(
        str(tmp_path / "there/warehouse.duckdb"), read_only=True
    ) as connection:  # as docs/scaling.md says
        connection.register_filesystem(object_file_system())
        for name in LISTINGS:
            counted = connection.execute(f"select count(*) from {name}").fetchall()
            assert counted == [(len(loaded[1][name]),)]
    assert loaded[0] == loaded[1]
    assert all(loaded[1][name] for name in RAW)
    assert sum(bool(loaded[1][name]) for name in LISTINGS) >= 2
    assert not list((tmp_path / "there/.work").glob("spill-*")), "copies are removed after the fetch"


def test_a_store_that_is_away_costs_a_line_and_nothing_else(server: S3Server, root: ObjectPath, tmp_path: Path) -> None:
    given = read({"FW_DATA_DIR": str(root), "FW_WORK_DIR": str(tmp_path / "work")}, dotenv=Path("none"))
    chosen = choose(SOURCES["pypi"], given)
    got = ingest(chosen, MONTHS, given, run_id="x", now=NOW, log=silent, done=lambda _: None)
    assert got.months("present") == list(MONTHS.months())
    before = storage_of(root).names(root)
    cause = f"the object store of s3://{BUCKET} cannot be used: it gives no answer"
    remedy = "see that it runs and that AWS_ENDPOINT_URL is right"
    server.stop()
    try:
        for arguments in (("run", "--source", "pypi"), ("rebuild",)):
            done = called(root, tmp_path / "work", *arguments)
            assert done.status == 1
            (line,) = done.complaints
            assert line == f"fw-pipeline: data folder: {cause}; {remedy}, then run again; nothing was lost", arguments
            assert "Traceback" not in done.err
    finally:
        server.start()
    assert storage_of(root).names(root) == before
    shown = called(root, tmp_path / "work", "status")
    assert shown.status == 0, shown.err
    assert "2022-05" in shown.out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong-and-secret"}, "refuses these credentials (SignatureDoesNotMatch); mend AWS_"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "refuses these credentials (InvalidAccessKeyId); mend AWS_ACCESS_KEY_ID and"),
        (
            {"FW_DATA_DIR": "s3://no-such-bucket/x"},
            "there is no bucket 'no-such-bucket'; create it, or mend FW_DATA_DIR",
        ),
        ({"FW_DATA_DIR": "s3://"}, "setting FW_DATA_DIR is no folder, and no address of an object store; write it"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    root: ObjectPath, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    done = called(root, tmp_path, "status", **wrong)
    assert done.status in (1, 2)
    (line,) = done.err.splitlines()
    assert said in line
    assert not any(secret in done.out + done.err for secret in (SECRET, KEY, "wrong-and-secret"))


def evidence(root: Path, scratch: Path, run: str = "run-1", now: datetime = NOW) -> EvidenceStore:
    return EvidenceStore(root, "pypi", "clickpy", run_id=run, now=now, scratch=scratch)


def test_an_unfinished_fetch_is_resumed_on_another_machine(root: ObjectPath, tmp_path: Path) -> None:
    first = evidence(root, tmp_path / "one")
    body = b'{"total": 739}\xff\x00'
    kept = first.keep("GET /questions", body, name="questions 2023-01")
    large = first.keep("GET /dump", iter([gzip.compress(b"one"), gzip.compress(b"two")]), name="dump.json.gz")
    first.reject(first.keep("GET /bad", b"<html>", name="bad").ref, "HTML instead of JSON")
    assert kept.read() == body

    second = evidence(root, tmp_path / "two", run="run-2", now=NOW + timedelta(hours=1))  # the first was killed
    assert (second.folder, second.resumed) == (first.folder, 2)
    found, again = second.find("GET /questions"), second.find("GET /dump")
    assert found is not None
    assert (found.ref, found.read()) == (kept.ref, body)
    assert second.find("GET /bad") is None
    assert second.observed_at([kept.ref]) == NOW
    assert again is not None
    assert again.path.parent == tmp_path / "two"
    assert gzip.decompress(again.path.read_bytes()) == b"onetwo"
    assert again.path == again.path
    assert large.ref == again.ref
    second.finish()

    third = evidence(root, tmp_path / "three", run="run-3", now=NOW + timedelta(days=1))
    assert third.find("GET /questions") is None
    (earlier,) = third.find_earlier("GET /questions")
    assert earlier.read() == body
    third.keep_again("GET /questions", earlier)
    assert third.keep("GET /questions", body, name="questions 2023-01").ref == kept.ref, "it is not written twice"
    third.finish()
    names = storage_of(root).names(root)
    assert [name for name in names if "/run-3/" in name] == [], "a fetch that brought nothing new leaves nothing"
    assert len(names) == 4


def test_an_answer_that_was_damaged_there_is_not_taken_for_unchanged(root: ObjectPath, tmp_path: Path) -> None:
    import obstore  # noqa: PLC0415 - the test writes what the product never would

    from fw_pipeline.raw.object_storage import bucket  # noqa: PLC0415

    first = evidence(root, tmp_path)
    kept = first.keep("r", b"body", name="a")
    first.finish()
    place = root / kept.ref
    obstore.put(bucket(BUCKET), place.key, b"damaged")
    assert evidence(root, tmp_path, run="run-2").find_earlier("r") == ()


def tagged(**counts: int) -> pl.DataFrame:
    said = {"month": MONTH, "method": "counted", "origin": "api", "observed_on": None}
    rows = [{**said, "tagged": tag, "questions": count} for tag, count in counts.items()]
    return pl.DataFrame(rows, schema=SOURCES["stackoverflow"].table.schema)


def test_of_many_writers_of_one_vintage_one_wins_and_no_journal_loses_an_entry(
    root: ObjectPath, tmp_path: Path
) -> None:
    def write(writer: int) -> str:
        store = VintageStore(root)
        try:
            store.add(
                "stackoverflow", MONTH, tagged(pytorch=writer + 1), provider=f"api{writer}", observed_at=NOW,
                evidence=(), run_id="same",
            )  # fmt: skip
        except StorageError as refused:
            return str(refused)
        return "written"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(write, range(8)))
    vintages = VintageStore(root).vintages("stackoverflow")
    assert said.count("written") == len(vintages) >= 1
    assert all("is there already, with other content" in it for it in said if it != "written")

    stores = [evidence(root, tmp_path) for _ in range(4)]
    keep: Callable[[int], object] = lambda n: stores[n % 4].keep(f"r{n}", f"{n}".encode(), name=f"a{n}")  # noqa: E731
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(24)))
    resumed = evidence(root, tmp_path, run="later")
    assert resumed.resumed == 24
    found = [resumed.find(f"r{n}") for n in range(24)]
    assert [it.read() for it in found if it] == [f"{n}".encode() for n in range(24)]


def test_vintages_and_statements_there_behave_as_in_a_folder(root: ObjectPath) -> None:
    store = VintageStore(root)
    given = {"provider": "api", "evidence": ("e/1",)}
    first = store.add("stackoverflow", MONTH, tagged(pytorch=1), observed_at=NOW, run_id="a", **given)  # type: ignore[arg-type]
    assert first is not None
    mark = store.listing("stackoverflow")
    assert store.add("stackoverflow", MONTH, tagged(pytorch=1), observed_at=NOW, run_id="b", **given) is None  # type: ignore[arg-type]
    assert store.listing("stackoverflow") == mark
    store.state(Statement("stackoverflow", MONTH, "api", NOW, "gap", "lost", "wait"))
    assert [it.cause for it in store.statements("stackoverflow", MONTH)] == ["lost"]
    assert store.listing("stackoverflow") != mark
    damaged = first.path.with_name("20261103T060000000000Z-b.parquet")
    storage_of(root).put(damaged, b"PAR1")
    assert store.current("stackoverflow", MONTH, "api") == first
    assert [who for _, who in store.by_provider("stackoverflow")] == ["api", None]
    assert store.last("stackoverflow", MONTH, "api") is not None
    assert [it.month for it in store.unreadable] == [MONTH]
    assert store.vintages("stackoverflow") == [first]
    assert "20261103T060000000000Z-b.unreadable" in {Path(it).name for it in storage_of(root).names(root)}
    orphan = first.path.with_name("20261104T060000000000Z-c.detail.parquet")
    storage_of(root).put(orphan, b"PAR1")
    store.sweep_listings("stackoverflow")
    assert storage_of(root).existing([orphan]), "another machine may be about to write its vintage"
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET
