"""An object store: created once whoever comes first, journals that lose no entry, refusals in one line."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import MemoryStore, S3Store

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_storage import ObjectStorage

ROOT = ObjectPath("s3://bucket/data")
KEY, SECRET = "an-access-key", "a-secret-to-look-for"


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


def test_a_journal_of_many_writers_loses_no_entry() -> None:
    store = MemoryStore()

    def append(writer: int) -> None:
        storage = ObjectStorage(store)
        for number in range(5):
            storage.append(ROOT / "journal", f"\n{writer} {number}", opening="\nbegun")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    lines = read(ObjectStorage(store), ROOT / "journal").decode().splitlines()
    assert lines[:2] == ["", "begun"]
    assert sorted(lines[2:]) == [f"{writer} {number}" for writer in range(4) for number in range(5)]
    for writer in range(4):
        own = [line for line in lines if line.startswith(f"{writer} ")]
        assert own == sorted(own), "each writer's entries are in their order"


def test_a_large_file_is_uploaded_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fw_pipeline.raw.object_storage.IN_ONE_PUT", 1000)
    storage, content = ObjectStorage(MemoryStore()), b"x" * 12_000_000
    with storage.draft(ROOT, None) as draft:
        draft.write(content)
        storage.settle(draft, ROOT / "run/large.parquet")
    assert read(storage, ROOT / "run/large.parquet") == content


@pytest.fixture
def refusing() -> Iterator[tuple[ObjectStorage, list[tuple[int, str]]]]:
    """A bucket on a server that gives one answer to everything, and that answer."""
    answer: list[tuple[int, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, code = answer[0]
            body = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield bucket(f"http://127.0.0.1:{server.server_port}"), answer
        server.shutdown()


def bucket(endpoint: str) -> ObjectStorage:
    store = S3Store(
        "bucket",
        endpoint=endpoint,
        access_key_id=KEY,
        secret_access_key=SECRET,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    return ObjectStorage(store)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "SignatureDoesNotMatch", "the object store of s3://bucket refuses these credentials (SignatureDoes"),
        (403, "AccessDenied", "the object store of s3://bucket refuses these credentials (AccessDenied)"),
        (404, "NoSuchBucket", "there is no bucket 'bucket'; create it, or mend FW_DATA_DIR"),
        (503, "SlowDown", "the object store of s3://bucket cannot be used: SlowDown"),
        (500, "", "the object store of s3://bucket cannot be used: 500 Internal Server Error"),
    ],
)
def test_what_a_store_refuses_is_one_line_without_a_secret(
    refusing: tuple[ObjectStorage, list[tuple[int, str]]], status: int, code: str, said: str
) -> None:
    storage, answer = refusing
    answer.append((status, code))
    for asked in (
        lambda: storage.names(ROOT),
        lambda: storage.opened(ROOT / "a"),
        lambda: storage.put(ROOT / "a", b"a"),
        lambda: storage.append(ROOT / "a", "a", opening=""),
    ):
        with pytest.raises(StorageError) as raised:
            asked()
        assert str(raised.value).startswith(f"data folder: {said}")
        assert str(raised.value).endswith(", then run again; nothing was lost")
        assert "\n" not in str(raised.value)
        assert KEY not in str(raised.value)
        assert SECRET not in str(raised.value)


def test_a_server_that_is_away_is_one_line() -> None:
    with pytest.raises(StorageError) as raised:
        bucket("http://127.0.0.1:1").names(ROOT)
    assert str(raised.value) == (
        "data folder: the object store of s3://bucket cannot be used: it gives no answer; "
        "see that it runs and that AWS_ENDPOINT_URL is right, then run again; nothing was lost"
    )
