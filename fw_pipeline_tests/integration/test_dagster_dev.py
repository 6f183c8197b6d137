"""Dagster's own commands from the root of the checkout, without `fw-pipeline ui`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from dagster._core.workspace.load_target import get_origins_from_toml

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline_tests.support.command import environment


def validated(tmp_path: Path, **settings: str) -> str:
    """Load the code location by a command of Dagster, and return what it wrote."""
    given = {**environment(tmp_path / "data", DAGSTER_DISABLE_TELEMETRY="yes"), **settings}
    del given["PYTHONWARNINGS"]
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(PROJECT_DIR / "workspace.yaml")]
    done = subprocess.run(
        command, cwd=tmp_path, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return done.stdout


def test_without_a_dagster_home_a_warning_says_what_is_not_shown_and_how_to_see_it(tmp_path: Path) -> None:
    said = validated(tmp_path)
    assert "DAGSTER_HOME is not set: Dagster begins a temporary history" in said
    assert f"set DAGSTER_HOME={tmp_path / 'data' / 'dagster'}" in said
    home = tmp_path / "home"
    home.mkdir()
    assert "DAGSTER_HOME is not set" not in validated(tmp_path, DAGSTER_HOME=str(home))


def test_the_code_location_has_one_name_however_it_is_loaded() -> None:
    (here,) = get_origins_from_toml(str(PROJECT_DIR / "pyproject.toml"))
    (there,) = yaml.safe_load((PROJECT_DIR / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    assert here.location_name == there["python_module"]["location_name"] == "fw_pipeline"


def test_what_dagster_dev_leaves_in_the_checkout_is_ignored_by_git() -> None:
    left = f"{PROJECT_DIR}/.tmp_dagster_home_abc123/history.db"
    done = subprocess.run(["git", "check-ignore", "-q", left], cwd=PROJECT_DIR, check=False)
    assert done.returncode == 0
