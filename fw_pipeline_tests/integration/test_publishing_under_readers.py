"""Other processes read the published file while it is replaced: no error, no half-built view, no step back."""

from __future__ import annotations

from pathlib import Path

from fw_pipeline_tests.tools.soak.publishes import run


def test_readers_of_other_processes_see_whole_builds_only_and_never_block_a_publish(recorded_once: Path) -> None:
    tally = run(0, older=False, recorded=recorded_once)
    assert tally.failures == []
    assert tally.held
