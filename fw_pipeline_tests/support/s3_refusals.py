"""A bucket with some objects that refuses what a test wants it to refuse; `s3_server` has a real one."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from fw_pipeline.object_path import ObjectPath


@dataclass
class Bucket:
    """Its objects by key, and what it refuses: a function of the method and the number of requests so far."""

    root: ObjectPath
    objects: dict[str, bytes] = field(default_factory=dict)
    refuses: Callable[[str, int], bool] = lambda _method, _asked: False
    asked: int = 0


class _Handler(http.server.BaseHTTPRequestHandler):
    bucket: Bucket

    def do_GET(self) -> None:
        one, asked = self.bucket, self.bucket.asked
        one.asked += 1
        key = self.path.partition("?")[0].removeprefix(f"/{one.root.bucket}").strip("/")
        if one.refuses(self.command, asked):
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>")
        elif not key:
            found = "".join(
                f"<Contents><Key>{key}</Key><LastModified>2022-01-01T00:00:00.000Z</LastModified>"
                f'<ETag>"1"</ETag><Size>{len(body)}</Size></Contents>'
                for key, body in one.objects.items()
            )
            self._send(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())
        elif key not in one.objects:
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
        elif part := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            body, first = one.objects[key], int(part[1])
            cut = body[first : int(part[2]) + 1]
            self._send(206, cut, {"Content-Range": f"bytes {first}-{first + len(cut) - 1}/{len(body)}"})
        else:
            self._send(200, one.objects[key])

    do_HEAD = do_GET  # noqa: N815 - named by http.server

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        given = {"Content-Length": str(len(body)), "ETag": '"1"', "Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}
        for name, value in {**given, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
        """Say nothing."""


@contextlib.contextmanager
def bucket_that_refuses(name: str) -> Iterator[Bucket]:
    """Serve a bucket of a name that no other test has, and let the environment lead there."""
    one = Bucket(ObjectPath(f"s3://{name}/data"))
    handler = type("Handler", (_Handler,), {"bucket": one})
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        pytest.MonkeyPatch.context() as environ,
    ):
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        environ.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            environ.setenv(variable, "tester")
        try:
            yield one
        finally:
            server.shutdown()
