"""Other releases of DuckDB, installed for the time of a test run from the package registry, each in its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

OURS = duckdb.__version__


def shared_folder(factory: pytest.TempPathFactory, worker: str) -> Path:
    """Return the folder that test processes side by side share."""
    own = factory.getbasetemp()
    return own if worker == "master" else own.parent


class Releases:
    """Releases of DuckDB by their number; each is downloaded once in a test run."""

    def __init__(self, folder: Path) -> None:
        """Install below `folder`."""
        self._folder = folder

    def environment(self, version: str) -> dict[str, str]:
        """Return an environment in which `import duckdb` is that release; skip the test where it cannot be had."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        if version == OURS:
            return kept
        place = self._folder / f"duckdb-{version}"
        with FileLock(self._folder / "duckdb-releases.lock"):
            if not place.exists():
                uv = Path(sys.executable).with_name("uv")
                asked: list[str | Path] = [
                    uv,
                    "pip",
                    "install",
                    "-q",
                    "--no-deps",
                    "--python",
                    sys.executable,
                    "--target",
                    place,
                ]
                done = subprocess.run([*asked, f"duckdb=={version}"], capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"DuckDB {version} cannot be installed: {done.stderr.strip()[-200:]}")
        return {**kept, "PYTHONPATH": str(place)}

    def ask(self, version: str, script: str, *arguments: object) -> str:
        """Run a script with that release, and return what it printed."""
        command = [sys.executable, "-c", script, *map(str, arguments)]
        done = subprocess.run(
            command, env=self.environment(version), capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"DuckDB {version}: {done.stderr[-2000:]}"
        return done.stdout
