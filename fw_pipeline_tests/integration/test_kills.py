"""A run that is killed loses nothing: every file opens, no month is half there, and the next run completes.

The soaks do it hundreds of times; here each does the least that it can, in a process of its own, because it forks.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from fw_pipeline_tests.tools.soak.kills import STAGES
from fw_pipeline_tests.tools.soak.points import LEAST

pytestmark = pytest.mark.long


def tally(name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "fw_pipeline_tests.tools.soak", name, "--seconds", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_kills_at_every_stage_lose_nothing_and_the_next_run_gives_the_same() -> None:
    said = tally("kills")
    assert re.search(r"kills survived: (\d+) of \1$", said, re.MULTILINE)
    for stage in STAGES:
        assert f"killed in {stage}: " in said


def test_a_kill_before_any_step_on_a_file_loses_nothing_and_no_answer_is_asked_for_twice() -> None:
    assert f"survived: {LEAST} of {LEAST}\n" in tally("crash-points")
