"""Everything that a user starts, one after the other, and what it did, as JSON: run it cut off (`cut_off`).

    python -m fw_pipeline_tests.support.everything_started DATA

The UI and its daemon stay up while the other commands run and Chromium opens pages of the UI and the report.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from fw_pipeline_tests.support.command import fw_pipeline, start

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Chromium asks its maker for updates whatever it is told. So it gets no names; what a page asks for is seen there.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PAGES = ("overview", "asset-groups", "assets/marts/verdicts", "runs")
ELSEWHERE = "http://elsewhere.example/pixel.png"


def _asked(data: Path, ui: str) -> list[str]:
    """Return every address that the pages of the UI and the report asked for; the last page asks for one elsewhere."""
    asked: dict[str, None] = {}
    with (
        sync_playwright() as play,
        contextlib.closing(play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)) as browser,
    ):
        page = browser.new_page()
        page.on("request", lambda request: asked.setdefault(request.url))
        page.on("websocket", lambda opened: asked.setdefault(opened.url))
        for address in (*(f"{ui}/{name}" for name in PAGES), (data / "report" / "index.html").as_uri()):
            page.goto(address, wait_until="load")
            with contextlib.suppress(Exception):  # a page of the UI may never be idle
                page.wait_for_load_state("networkidle", timeout=5_000)
        page.set_content(f"<img src='{ELSEWHERE}'>", wait_until="load")
    return list(asked)


def _listening() -> list[str]:
    """Return the addresses on which anything in this network namespace listens."""
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            local, state = (line.split()[at] for at in (1, 3))
            if state == "0A":
                words = bytes.fromhex(local.partition(":")[0])
                packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
                found.append(socket.inet_ntop(family, packed))
    return found


def _status_for_a_page_of(site: str, ui: str) -> int:
    """Return the status of a query that a page of another site has the browser send."""
    headers = {"Content-Type": "application/json", "Origin": site}
    query = urllib.request.Request(f"{ui}/graphql", b'{"query": "{ version }"}', headers)
    try:
        with urllib.request.urlopen(query, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def main() -> None:
    """Start everything and tell."""
    data = Path(sys.argv[1])
    ui = "http://127.0.0.1:3000"
    process = start(data, ["ui"])
    said = {
        " ".join(command): fw_pipeline(data, *command).status
        for command in (["verdicts"], ["status"], ["sql", "from marts.crossovers"], ["export", "--format", "csv"])
    }
    while process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{ui}/server_info", timeout=5).close()
            break
        time.sleep(0.2)
    foreign = _status_for_a_page_of(ELSEWHERE, ui)
    asked, listening = _asked(data, ui), _listening()
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)
    outside = [address for address in listening if not ipaddress.ip_address(address).is_loopback]
    print(json.dumps({
        "statuses": {**said, "ui": process.returncode}, "asked": asked, "listening": listening, "outside": outside,
        "told": told[1][-2000:], "foreign": foreign,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
