"""The published file in a browser: DuckDB-WASM from the npm registry opens it over HTTP and reads it."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.duckdb_releases import shared_folder

NPM = shutil.which("npm")
WASM = "@duckdb/duckdb-wasm@1.32.0"
pytestmark = [*NEEDED, pytest.mark.skipif(NPM is None, reason="no npm is installed")]

PAGE = """<!doctype html><script type="importmap">{"imports": {
    "apache-arrow": "/node_modules/apache-arrow/Arrow.dom.mjs",
    "flatbuffers": "/node_modules/flatbuffers/mjs/flatbuffers.js",
    "tslib": "/node_modules/tslib/tslib.es6.mjs"
}}</script>
<script type="module">
    import * as duckdb from "/node_modules/@duckdb/duckdb-wasm/dist/duckdb-browser.mjs";
    const dist = `${location.origin}/node_modules/@duckdb/duckdb-wasm/dist`;
    window.opened = (async () => {
        const database = new duckdb.AsyncDuckDB(
            new duckdb.VoidLogger(), new Worker(`${dist}/duckdb-browser-eh.worker.js`));
        await database.instantiate(`${dist}/duckdb-eh.wasm`);
        await database.registerFileURL(
            "warehouse.duckdb", `${location.origin}/warehouse.duckdb`, duckdb.DuckDBDataProtocol.HTTP, false);
        await database.open({path: "warehouse.duckdb", accessMode: duckdb.DuckDBAccessMode.READ_ONLY});
        return database.connect();
    })();
    window.ask = async sql => JSON.stringify((await (await window.opened).query(sql)).toArray());
</script>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that writes nothing about it."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Write nothing."""


@pytest.fixture(scope="module")
def wasm(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with DuckDB-WASM in it, downloaded once in a test run."""
    shared = shared_folder(tmp_path_factory, worker_id)
    folder = shared / "wasm"
    with FileLock(shared / "wasm.lock"):
        if not folder.exists():
            folder.mkdir()
            asked: list[str | Path] = [NPM or "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", WASM]
            done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
            if done.returncode:
                pytest.skip(f"{WASM} cannot be installed: {done.stderr.strip()[-200:]}")
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    return folder


@pytest.fixture
def address(wasm: Path, recorded_once: Path) -> Iterator[str]:
    shutil.copy(recorded_once / "warehouse.duckdb", wasm)
    serve = functools.partial(Quiet, directory=str(wasm))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()


def test_duckdb_wasm_opens_the_published_file_and_reads_what_we_read(
    browser: Any, address: str, recorded_once: Path
) -> None:
    page = browser.new_page()
    page.goto(address)

    def ask(sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(page.evaluate("sql => window.ask(sql)", sql))
        return found

    tables = "select schema_name || '.' || table_name as name, comment from duckdb_tables() order by all"
    assert ask(tables) == query(recorded_once / "warehouse.duckdb", tables).to_dicts()
    for sql in (
        "select claim, verdict, why, flipped_by::varchar as flips from marts.headline_verdicts order by as_of, claim",
        "select month::varchar as month, source, value, gap_reason from marts.framework_metrics order by all limit 999",
    ):
        assert ask(sql) == query(recorded_once / "warehouse.duckdb", sql).to_dicts()
    page.close()
