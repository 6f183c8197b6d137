"""A Hub whose pages are made beforehand, so that its own work disturbs no measurement.

`python -m fw_pipeline_tests.tools.benchmarks.hub_server FILE` serves the models of a file, one line of JSON each and
oldest first, from either end; it prints its address, and ends when its standard input does.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

PAGE = 1000


def pages(lines: list[bytes]) -> list[bytes]:
    """Return the bodies of all pages."""
    return [b"[" + b",".join(lines[at : at + PAGE]) + b"]" for at in range(0, len(lines), PAGE)]


def server(lines: list[bytes]) -> ThreadingHTTPServer:
    """Return a server of a listing; its cursor is the number of a page."""
    newest_first = {"1": pages(lines), "-1": pages(lines[::-1])}

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = parse_qs(asked.query, keep_blank_values=True)
            listing = newest_first[query.get("direction", ["-1"])[0]]
            number = int(query.pop("cursor", ["0"])[0])
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(listing[number])))
            if number + 1 < len(listing):
                following = urlencode({**query, "cursor": number + 1}, doseq=True)
                self.send_header("Link", f'<http://{self.headers["Host"]}{asked.path}?{following}>; rel="next"')
            self.end_headers()
            self.wfile.write(listing[number])
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Hub)


def main() -> None:
    """Serve until nobody wants it any more."""
    serving = server(Path(sys.argv[1]).read_bytes().splitlines())
    print(f"http://127.0.0.1:{serving.server_port}", flush=True)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
