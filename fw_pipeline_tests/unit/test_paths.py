"""What ships with the code is found where the code is, from any working folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from fw_pipeline.paths import PROJECT_DIR, SEEDS_DIR, SHIPPED_DIR

ROOT = Path(__file__).parents[2]


def test_a_checkout_ships_its_models_its_figures_and_its_seeds() -> None:
    assert SHIPPED_DIR == PROJECT_DIR == ROOT
    assert all((SHIPPED_DIR / name).exists() for name in ("dbt_like_sql", "data/recorded", "workspace.yaml"))
    assert {path.suffix for path in SEEDS_DIR.iterdir()} == {".csv", ".yml"}


def test_an_installed_package_ships_them_inside_and_works_in_the_folder_of_whoever_calls_it(tmp_path: Path) -> None:
    package = tmp_path / "fw_pipeline"
    (package / "shipped").mkdir(parents=True)
    (package / "paths.py").write_bytes((ROOT / "fw_pipeline" / "paths.py").read_bytes())
    (tmp_path / "elsewhere").mkdir()
    code = (
        f"import sys; sys.path.insert(0, {str(package)!r}); import paths; print(paths.SHIPPED_DIR, paths.PROJECT_DIR)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(package / "shipped"), str(tmp_path / "elsewhere")]
