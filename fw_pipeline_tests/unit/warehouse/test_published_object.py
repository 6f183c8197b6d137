"""The published file of several machines: all read what anyone publishes; on one machine nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_storage import bucket
from fw_pipeline.warehouse import Warehouse, latest, query
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
