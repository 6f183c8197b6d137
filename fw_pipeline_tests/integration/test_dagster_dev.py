"""Dagster's own commands from the root of the checkout, without `fw-pipeline ui`."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster._core.workspace.load_target import get_origins_from_toml

from fw_pipeline.orchestration.instance import warn_if_temporary
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline_tests.support.command import environment

UNSET = "DAGSTER_HOME is not set"


def test_without_a_dagster_home_a_warning_says_what_is_not_shown_and_how_to_see_it(tmp_path: Path) -> None:
    given = environment(tmp_path / "data", DAGSTER_DISABLE_TELEMETRY="yes")
    del given["PYTHONWARNINGS"]
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(PROJECT_DIR / "workspace.yaml")]
    done = subprocess.run(
        command, cwd=tmp_path, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    assert f"{UNSET}: Dagster begins a temporary history" in done.stdout
    assert f"set DAGSTER_HOME={tmp_path / 'data' / 'dagster'}" in done.stdout


@pytest.mark.parametrize(
    ("program", "home", "warns"),
    [("/bin/dagster", None, True), ("/bin/dagster", "/somewhere", False), ("/bin/fw-pipeline", None, False)],
)
def test_only_dagsters_own_commands_without_a_dagster_home_are_warned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str, home: str | None, warns: bool
) -> None:
    monkeypatch.setattr(sys, "argv", [program])
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    if home:
        monkeypatch.setenv("DAGSTER_HOME", home)
    logger = logging.getLogger("dagster")
    logger.addHandler(caplog.handler)
    warn_if_temporary()
    logger.removeHandler(caplog.handler)
    assert (UNSET in caplog.text) is warns


def test_the_code_location_has_one_name_however_it_is_loaded() -> None:
    (here,) = get_origins_from_toml(str(PROJECT_DIR / "pyproject.toml"))
    (there,) = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    assert here.location_name == there["python_module"]["location_name"] == "fw_pipeline"


def test_what_dagster_dev_leaves_in_the_checkout_is_ignored_by_git() -> None:
    left = f"{PROJECT_DIR}/.tmp_dagster_home_abc123/history.db"
    done = subprocess.run(["git", "check-ignore", "-q", left], cwd=PROJECT_DIR, check=False)
    assert done.returncode == 0
