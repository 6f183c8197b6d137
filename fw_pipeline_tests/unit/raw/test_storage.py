"""What both places of immutable files promise: a folder of this machine, and an object store."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from obstore.store import MemoryStore

from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_storage import ObjectStorage
from fw_pipeline.raw.storage import LocalStorage, Storage, storage_of

Place = tuple[Storage, Path]


@pytest.fixture(params=["folder", "object store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return LocalStorage(), tmp_path / "data"
    return ObjectStorage(MemoryStore()), ObjectPath("s3://bucket/data")


def read(storage: Storage, path: Path) -> bytes:
    with storage.opened(path) as stream:
        return stream.read()


def test_the_storage_is_chosen_by_the_path(tmp_path: Path) -> None:
    assert isinstance(storage_of(tmp_path), LocalStorage)
    assert isinstance(storage_of(ObjectPath("s3://bucket/data")), ObjectStorage)


WITHOUT_THE_EXTRA = """
import sys
from pathlib import Path
from fw_pipeline.errors import PipelineError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw import VintageStore, object_file_system
assert VintageStore(Path("data")).vintages("pypi") == []
assert "obstore" not in sys.modules, "a data folder needs no object store"
sys.modules["obstore"] = None
for asked in (lambda: VintageStore(ObjectPath("s3://bucket/data")), object_file_system):
    try:
        asked()
    except PipelineError as failure:
        print(failure)
"""


def test_an_object_store_without_what_it_needs_is_one_line_and_a_folder_needs_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    needs = "object store: an address that begins with s3:// needs the package obstore"
    assert done.stdout.splitlines() == [f"{needs}; install it: pip install 'fw-pipeline[cluster]'"] * 2


def test_what_is_put_is_read_and_listed(place: Place) -> None:
    storage, root = place
    assert (storage.names(root), storage.folders(root)) == ([], [])
    for name in ("b/2", "a/1", "a/c/3", "top"):
        storage.put(root / name, name.encode(), flush_name=name != "b/2")
    assert storage.names(root) == ["a/1", "a/c/3", "b/2", "top"]
    assert storage.names(root / "a") == ["1", "c/3"]
    assert storage.names(root / "b/2") == storage.names(root / "none") == []
    assert sorted(storage.folders(root)) == [root / "a", root / "b"]
    assert read(storage, root / "a/c/3") == b"a/c/3"
    assert storage.existing([root / "a/1", root / "a/2", root / "a", root / "top", root / "x\0"]) == {
        root / "a/1",
        root / "top",
    }
    with pytest.raises(OSError, match=r"not found|No such file"):
        storage.opened(root / "a/2")


def test_a_file_is_found_by_its_name_in_any_folder(place: Place) -> None:
    storage, root = place
    storage.put(root / "run-1/answer.gz", b"1")
    assert storage.find(root, "answer.gz") == root / "run-1/answer.gz"
    assert storage.find(root, "other.gz") is None
    with storage.draft(root / "run-2", None) as draft:
        draft.write(b"2")
        storage.settle(draft, root / "run-2/other.gz")
    assert storage.find(root, "other.gz") == root / "run-2/other.gz"


def test_a_draft_counts_only_once_it_is_settled(place: Place) -> None:
    storage, root = place
    with storage.draft(root / "run", None) as draft:
        draft.write(b"dropped")
    assert storage.names(root) == []
    for name, content in (("small", b"x"), ("large", b"x" * 5_000_000)):
        with storage.draft(root / "run", None) as draft:
            draft.write(content)
            storage.settle(draft, root / "run" / name)
        assert read(storage, root / "run" / name) == content
    assert storage.names(root) == ["run/large", "run/small"]


def test_a_signal_at_the_moment_at_which_a_file_is_made_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.open

    def opened(path: Path, mode: str) -> None:
        really(path, mode).close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "open", opened)
    storage = LocalStorage()
    with pytest.raises(KeyboardInterrupt):
        storage.put(tmp_path / "run/answer", b"1")
    with pytest.raises(KeyboardInterrupt), storage.draft(tmp_path / "run", None):
        pass
    assert [*tmp_path.rglob("*")] == [tmp_path / "run"]


def test_a_journal_grows_from_its_opening(place: Place) -> None:
    storage, root = place
    for text in ("\n1", "\n2", "\n3"):
        storage.append(root / "run/journal", text, opening="\nbegun")
    storage.flush([root / "run", root / "run/journal"])
    assert storage.journal(root / "run/journal") == read(storage, root / "run/journal") == b"\nbegun\n1\n2\n3"
    assert storage.journal(root / "run/none") == b""


def test_a_file_is_renamed_and_removed(place: Place) -> None:
    storage, root = place
    storage.put(root / "a/1", b"1")
    storage.rename(root / "a/1", root / "a/2")
    assert (storage.names(root), read(storage, root / "a/2")) == (["a/2"], b"1")
    storage.remove(root / "a/2")
    assert (storage.names(root), storage.folders(root)) == ([], [])


@pytest.mark.parametrize("rows", [3, 100_000])
def test_what_is_noted_beside_the_rows_of_a_parquet_file_is_read(place: Place, rows: int) -> None:
    storage, root = place
    packed = io.BytesIO()
    pl.DataFrame({"row": range(rows)}).write_parquet(packed, metadata={"provider": "api"})
    storage.put(root / "vintage.parquet", packed.getbuffer())
    assert storage.metadata(root / "vintage.parquet")["provider"] == "api"
    with pytest.raises(OSError, match=r"not found|No such file"):
        storage.metadata(root / "none.parquet")


def test_a_file_of_this_machine_has_the_same_content(place: Place, tmp_path: Path) -> None:
    storage, root = place
    storage.put(root / "dump.gz", b"content")
    copies: Callable[[], Path] = lambda: storage.on_disk(root / "dump.gz", tmp_path / "scratch")  # noqa: E731
    assert copies().read_bytes() == b"content"
    assert copies() == copies()
    assert storage.shared is (copies() != root / "dump.gz")
