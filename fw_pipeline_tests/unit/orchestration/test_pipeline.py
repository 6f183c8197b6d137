"""What every step works with is had without Dagster: a benchmark's floor and the tests of models need no more."""

from __future__ import annotations

import subprocess
import sys


def test_the_parts_of_a_run_and_the_floor_of_the_benchmarks_import_no_dagster() -> None:
    code = "import sys, fw_pipeline_tests.tools.benchmarks.bare; sys.exit('dagster' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
