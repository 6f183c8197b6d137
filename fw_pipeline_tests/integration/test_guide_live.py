"""The block of the guide that runs live mode against the test server does what it says, as it is printed."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose
from fw_pipeline.months import Window, parse_month
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import environment
from fw_pipeline_tests.support.fake_services.server import FakeServices

ROOT = Path(__file__).parents[2]
[BLOCK] = re.findall(r"```sh\n([^`]*fake_services --port[^`]*)```", (ROOT / "docs/live.md").read_text(encoding="utf-8"))
AT = "http://127.0.0.1:8100"


def test_its_settings_bring_every_month_of_every_source_without_a_key(services: FakeServices, tmp_path: Path) -> None:
    words = shlex.split(BLOCK)
    given = dict(word.split("=", 1) for word in words if re.match(r"FW_\w+=", word))
    given = {name: value.replace(AT, services.url) for name, value in given.items()} | {"FW_DATA_DIR": str(tmp_path)}
    window = Window.of(*(parse_month(words[words.index(option) + 1]) for option in ("--from", "--to")))
    settings, now = read(given, dotenv=Path("none")), datetime.now(UTC)
    assert settings.mode == "live"
    for source in SOURCES.values():
        asked = len(services.requests)
        got = ingest(choose(source, settings), window, settings, run_id="x", now=now, log=print, done=lambda _: None)
        assert not got.failures, "a quota that the server enforces is not exceeded, and nothing else is lacking"
        assert sorted(got.months("present")) == list(window.months()), source.name
        assert len(services.requests) > asked
        asked = len(services.requests)
        ingest(choose(source, settings), window, settings, run_id="y", now=now, log=print, done=print, again=False)
        assert len(services.requests) == asked, "a rerun asks for nothing that is here"


@pytest.mark.long
def test_it_runs_as_it_is_printed(tmp_path: Path) -> None:
    first, *rest = BLOCK.splitlines()
    assert first == "make .venv/.ready-dev", "what these tests run in has been set up by it"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = "\n".join(rest).replace("8100", f"{port}").replace("/tmp/live", str(tmp_path / "live"))
    script = script.replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    clean = {name: value for name, value in environment(tmp_path).items() if not name.startswith("FW_")}
    done = subprocess.run(
        ["bash", "-ec", script], cwd=ROOT, env=clean, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"published {tmp_path / 'live' / 'warehouse.duckdb'}: huggingface")
    assert query(tmp_path / "live" / "warehouse.duckdb", "select min(months) from meta.sources").item() == 8
