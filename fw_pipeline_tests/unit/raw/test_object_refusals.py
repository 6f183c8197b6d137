"""What an object store refuses is one line with its cause and remedy, and never a secret."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from obstore.store import S3Store

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_storage import ObjectStorage

ROOT = ObjectPath("s3://bucket/data")
KEY, SECRET = "an-access-key", "a-secret-to-look-for"


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
