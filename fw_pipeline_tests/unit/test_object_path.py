"""Addresses in an object store: paths by name, and never taken for a file of this machine."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from fw_pipeline.object_path import ObjectPath, is_address, on_this_machine

ADDRESS = "s3://bucket/prefix/raw/pypi/2022-01/a.parquet"


def test_an_address_is_taken_apart_as_a_path_is() -> None:
    path = ObjectPath("s3://bucket/prefix/") / "raw" / "pypi" / "2022-01" / "a.parquet"
    assert str(path) == ADDRESS
    assert (path.bucket, path.key) == ("bucket", "prefix/raw/pypi/2022-01/a.parquet")
    assert (path.name, path.parent.name) == ("a.parquet", "2022-01")
    assert str(path.with_suffix(".detail.parquet")) == ADDRESS.replace("a.", "a.detail.")
    assert str(path.with_name("b")).endswith("/2022-01/b")
    assert path.relative_to(ObjectPath("s3://bucket/prefix")).as_posix() == "raw/pypi/2022-01/a.parquet"
    assert path == ObjectPath(ADDRESS)
    assert hash(path) == hash(ObjectPath(ADDRESS))
    assert pickle.loads(pickle.dumps(path)) == path
    assert {type(it) for it in (path, path.parent, path.with_name("b"), *path.parents)} == {ObjectPath}
    assert ObjectPath("s3://bucket").key == ""


def test_an_address_is_told_from_a_path() -> None:
    assert all(map(is_address, [ADDRESS, "S3://bucket", "gs://bucket/x", "s3:bucket", "abfs+x.1-y:z", "_://x"]))
    assert not any(map(is_address, ["data/s3:/bucket", "./s3:bucket", "/s3:bucket", "data", "1:x", ""]))
    assert on_this_machine(Path("s3:/bucket"))
    assert not on_this_machine(ObjectPath(ADDRESS))


@pytest.mark.parametrize(
    "used",
    [
        lambda path: path.read_bytes(),
        lambda path: path.write_bytes(b"x"),
        lambda path: path.mkdir(parents=True),
        lambda path: path.exists(),
        lambda path: path.is_file(),
        lambda path: path.unlink(),
        lambda path: path.rename("elsewhere"),
        open,
    ],
)
def test_whoever_takes_an_address_for_a_file_is_told(
    used: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match=r"^s3://bucket/\S+ is in an object store, not on this machine$"):
        used(ObjectPath(ADDRESS))  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []
