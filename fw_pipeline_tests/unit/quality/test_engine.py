"""Great Expectations is imported when the first rule runs, calls nobody, and leaves imports as they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

GUARDED = """
import json, os, sys
connections = []
sys.addaudithook(lambda event, given: connections.append(event) if event in (
    "socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname") else None)
import fw_pipeline.quality as ex
early = sorted({"great_expectations", "pandas"} & sys.modules.keys())
import polars as pl
between = "expect_column_values_to_be_between"
rules = [ex.Expectation(f"r{n}", between, {"column": "n", "min_value": n}) for n in range(9)]
passed = [outcome.passed for outcome in ex.validate(pl.DataFrame({"n": [0, 5]}), rules)]
from fw_pipeline.quality.engine import context
unused = sorted({"altair", "scipy.stats", "scipy.linalg"} & sys.modules.keys())
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as other
import altair, scipy
used = [other.alt.Chart is altair.Chart, other.stats.entropy is scipy.stats.entropy]
settings = context()
print(json.dumps({"connections": connections, "early": early, "passed": passed,
    "unused": unused, "used": used,
    "variable": os.environ["GX_ANALYTICS_ENABLED"], "configured": settings.variables.analytics_enabled,
    "docs": settings.variables.data_docs_sites}))
"""


def test_great_expectations_is_imported_late_calls_nobody_and_draws_no_progress_bar() -> None:
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "true"}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", GUARDED], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {
        "connections": [],
        "early": [],
        "unused": [],
        "used": [True, True],
        "passed": [True] + [False] * 8,
        "variable": "false",
        "configured": False,
        "docs": {},
    }
    assert done.stderr == ""


def test_a_module_that_is_postponed_is_imported_by_whoever_uses_it_and_by_everybody_afterwards() -> None:
    code = """
import sys
from fw_pipeline.quality.engine import _postponed
with _postponed("colorsys"):
    import colorsys as held
    print(type(held).__name__)
print("colorsys" in sys.modules)
import colorsys
print(held.rgb_to_hsv(1, 0, 0) == colorsys.rgb_to_hsv(1, 0, 0), type(colorsys).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["_Postponed", "False", "True module"]
