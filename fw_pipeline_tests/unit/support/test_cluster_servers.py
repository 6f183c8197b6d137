"""Tests that need servers: whoever wants to see them pass is told where they would be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def collected(**given: str) -> subprocess.CompletedProcess[str]:
    """Collect one file where no program is on the path."""
    kept = {name: value for name, value in os.environ.items() if name != "TEST_SERVERS"}
    command = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "fw_pipeline_tests/unit/test_months.py"]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PATH": "", **given}, capture_output=True, text=True, check=False, timeout=120
    )


def test_where_servers_are_required_a_missing_one_is_one_line_that_says_what_to_install() -> None:
    done = collected(TEST_SERVERS="required")
    assert done.returncode == 4, done.stdout
    [line] = [line for line in done.stderr.splitlines() if line]
    assert "(Debian: apt-get install postgresql redis-server)" in line
    assert collected().returncode == 0


def test_the_proof_of_a_cluster_and_what_has_to_hold_before_a_change_lands_require_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "TEST_SERVERS=required $(BIN)/python -m pytest -n 0 -m cluster" in makefile
    before, _, after = (ROOT / ".ci" / "run").read_text(encoding="utf-8").partition("export TEST_SERVERS=required")
    assert "apt-get install" in before
    assert "make test-long" in after
