"""The built wheel, installed in an empty environment and used in an empty folder, as `uvx` and `pipx` would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.warehouse import query

UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, with the locked versions of what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    python = folder / "venv" / "bin" / "python"
    for arguments in (
        ["build", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", str(folder), str(PROJECT_DIR)],
        ["venv", "--python", sys.executable, str(folder / "venv")],
        ["pip", "install", "--python", str(python), "-c", str(PROJECT_DIR / "requirements.lock"), "WHEEL"],
    ):
        given = [str(next(folder.glob("*.whl"))) if each == "WHEEL" else each for each in arguments]
        done = subprocess.run([UV, "-q", *given], capture_output=True, text=True, check=False, timeout=300)
        if arguments[0] == "pip" and done.returncode and "fetch" in done.stderr:
            pytest.skip(f"no package registry can be reached: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
    return python.with_name("fw-pipeline")


def call(command: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("FW_", "DAGSTER_", "PYTHON"))}
    return subprocess.run(
        [command, *arguments], cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=900
    )


@pytest.mark.long
def test_an_installed_wheel_runs_in_an_empty_folder_and_leaves_data_there(command: Path, tmp_path: Path) -> None:
    done = call(command, tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    sql = "select count(*) from raw.stackoverflow where month = date '2023-01-01'"
    assert query(tmp_path / "data" / "warehouse.duckdb", sql).item() > 0
    assert (tmp_path / "data" / "report" / "index.html").stat().st_size > 100_000
    settings = call(command, tmp_path, "status", "--settings", "--format", "json")
    assert str(tmp_path / "data") in settings.stdout
