"""An object store: created once whoever comes first, journals that lose no entry, large files in parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_storage import JOURNAL_BYTES, ObjectStorage

ROOT = ObjectPath("s3://bucket/data")


def read(storage: ObjectStorage, path: Path) -> bytes:
    with storage.opened(path) as stream:
        return stream.read()


def test_of_many_who_create_an_object_one_succeeds_and_the_others_are_told() -> None:
    store = MemoryStore()

    def create(writer: int) -> str:
        try:
            ObjectStorage(store).put(ROOT / "vintage", f"{writer}".encode())
        except StorageError as refused:
            return str(refused)
        return "written"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(create, range(8)))
    assert said.count("written") == 1
    assert read(ObjectStorage(store), ROOT / "vintage") == f"{said.index('written')}".encode()
    cause = "data folder: s3://bucket/data/vintage is there already, with other content"
    assert {*said} == {"written", f"{cause}; see who else writes there, then run again; nothing was lost"}


def test_the_same_object_once_more_is_no_mistake() -> None:
    storage = ObjectStorage(MemoryStore())
    for _ in range(2):  # the answer to the first try was lost on its way
        storage.put(ROOT / "vintage", b"same")
    assert storage.names(ROOT) == ["vintage"]


@pytest.mark.parametrize("length", [1, JOURNAL_BYTES // 4])
def test_a_journal_of_many_writers_loses_no_entry(length: int) -> None:
    store = MemoryStore()

    def append(writer: int) -> None:
        storage = ObjectStorage(store)
        for number in range(5):
            storage.append(ROOT / "journal", f"\n{writer} {number} {'x' * length}", opening="\nbegun")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    lines = ObjectStorage(store).journal(ROOT / "journal").decode().splitlines()
    assert lines[:2] == ["", "begun"]
    said = [line.rpartition(" ")[0] for line in lines[2:]]
    assert sorted(said) == [f"{writer} {number}" for writer in range(4) for number in range(5)]
    for writer in range(4):
        own = [line for line in said if line.startswith(f"{writer} ")]
        assert own == sorted(own), "each writer's entries are in their order"


def test_a_long_journal_is_continued_in_other_objects() -> None:
    store, entries = MemoryStore(), [f"\n{number} {'x' * 50_000}" for number in range(9)]
    for number, entry in enumerate(entries):
        ObjectStorage(store).append(ROOT / "journal", entry, opening="\nbegun")
        assert ObjectStorage(store).journal(ROOT / "journal").decode() == "\nbegun" + "".join(entries[: number + 1])
    storage = ObjectStorage(store)
    assert storage.names(ROOT) == ["journal", "journal.1", "journal.2"]
    assert all(len(read(storage, ROOT / name)) < JOURNAL_BYTES + 60_000 for name in storage.names(ROOT))


def test_a_large_file_is_uploaded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fw_pipeline.raw.object_storage.IN_ONE_PUT", 1000)
    storage, content = ObjectStorage(MemoryStore()), b"x" * 12_000_000
    with storage.draft(ROOT, None) as draft:
        draft.write(content)
        storage.settle(draft, ROOT / "run/large.parquet")
    assert read(storage, ROOT / "run/large.parquet") == content
