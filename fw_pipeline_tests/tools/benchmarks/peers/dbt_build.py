"""A build by dbt: `python dbt_build.py PROJECT` makes and tests every model in the DuckDB file below FW_DATA_DIR."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

from dbt.cli.main import dbtRunner

DATA = Path(os.environ["FW_DATA_DIR"])


def main(project: str) -> None:
    """Build, and say how many models and tests that were."""
    places = ["--project-dir", project, "--profiles-dir", project]
    places += ["--target-path", str(DATA / "target"), "--log-path", str(DATA / "logs")]
    done = dbtRunner().invoke(["build", *places, "--no-version-check", "--quiet"])
    if not done.success:
        failed = [f"{it.node.name}: {it.message}" for it in done.result or () if it.status not in ("success", "pass")]
        sys.exit("; ".join(failed)[:2000] or str(done.exception))
    counts = Counter(str(it.node.resource_type) for it in done.result)
    (DATA / "figures.json").write_text(json.dumps(counts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
