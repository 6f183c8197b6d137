"""The published file of several machines: all read what anyone publishes; on one machine nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw import bucket_of
from fw_pipeline.raw.object_storage import bucket
from fw_pipeline.warehouse import Warehouse, WarehouseError, latest, query
from fw_pipeline.warehouse.published_object import put_up
from fw_pipeline_tests.support.s3_server import BUCKET, S3Server, s3_server_of_this_process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for the module, and the environment that leads to it."""
    with s3_server_of_this_process(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def root(server: S3Server, tmp_path: Path) -> ObjectPath:  # noqa: ARG001 - it runs
    """An address of the test's own."""
    return ObjectPath(f"s3://{BUCKET}") / tmp_path.name


def test_on_one_machine_the_published_file_is_where_it_is(tmp_path: Path) -> None:
    published = tmp_path / "nowhere" / "warehouse.duckdb"
    assert latest(published, tmp_path) == published
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_what_one_machine_publishes_every_machine_reads(root: ObjectPath, tmp_path: Path) -> None:
    one, other = (Warehouse(tmp_path / name, data_dir=root) for name in ("one", "other"))
    assert not latest(other.published, root).exists()
    for machine, value in ((one, 1), (other, 2), (one, 3)):
        with machine.publishing() as writer:
            writer.build("marts.x", f"select {value} as a", description="", columns={})
        for reader in (one, other):
            assert query(latest(reader.published, root), "from marts.x").rows() == [(value,)]
    seen = other.published.stat().st_mtime_ns
    assert latest(other.published, root).stat().st_mtime_ns == seen  # nobody has published since: nothing is fetched


@pytest.mark.long
def test_no_answer_comes_from_the_file_of_another_data_folder(root: ObjectPath, tmp_path: Path) -> None:
    """The folder of a work folder is changed: to one with nothing, one with a file, one on this machine, and back."""

    def publish(data_dir: Path, value: int) -> None:
        with Warehouse(work, data_dir=data_dir).publishing() as writer:
            writer.build("marts.x", f"select {value} as a", description="", columns={})

    def answer(data_dir: Path) -> int:
        return int(query(latest(published, data_dir), "from marts.x").item())

    work = tmp_path / "work"
    published, folder = work / "warehouse.duckdb", tmp_path / "data"
    publish(folder, 1)
    assert answer(folder) == answer(root / "a") == 1, "made here before the data was moved to the store"
    publish(root / "a", 2)
    for elsewhere in (root / "nothing", folder):
        with pytest.raises(WarehouseError, match=f"was published for {root}/a, and none for {elsewhere}; make it: "):
            latest(published, elsewhere)
    assert answer(root / "a") == 2
    publish(root / "b", 3)
    assert [answer(root / name) for name in ("a", "b", "a")] == [2, 3, 2]
    publish(folder, 4)
    assert [answer(data_dir) for data_dir in (folder, root / "nothing", root / "a")] == [4, 4, 2]
    bucket_of(root).remove(root / "a" / "warehouse.duckdb")
    assert answer(root / "a") == 2, "published for it, and gone from the store"


@pytest.mark.long
def test_a_file_whose_replacing_was_cut_off_is_fetched_again_or_not_answered_from(
    root: ObjectPath, tmp_path: Path
) -> None:
    one = Warehouse(tmp_path, data_dir=root)
    with one.publishing() as writer:
        writer.build("marts.x", "select 1 as a", description="", columns={})
    with pytest.raises(KeyError), put_up(one.published, one.published, root):
        raise KeyError
    with pytest.raises(WarehouseError, match="was published for another data folder, and none for"):
        latest(one.published, root / "nothing")
    assert query(latest(one.published, root), "from marts.x").item() == 1
    assert (tmp_path / ".work" / "published-version").read_text().splitlines()[1:] == [str(root)]


@pytest.mark.long
def test_a_published_file_that_cannot_be_fetched_is_one_line_and_the_one_here_stays(
    root: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Warehouse(tmp_path, data_dir=root)
    with one.publishing() as writer:
        writer.build("marts.x", "select 1 as a", description="", columns={})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    bucket.cache_clear()
    try:
        with pytest.raises(StorageError, match="refuses these credentials"):
            latest(one.published, root)
    finally:
        bucket.cache_clear()
    assert query(one.published, "from marts.x").rows() == [(1,)]
