"""The folder of the report is written by one run at a time, and a run that was killed at it leaves nothing for long."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.atomic_files import written_aside
from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration import publish_assets
from fw_pipeline.orchestration.publish_assets import alone


def test_what_a_killed_run_left_half_written_is_gone_before_the_next_one_begins(tmp_path: Path) -> None:
    report, work = tmp_path / "report", tmp_path / ".work"
    cut = [report / ".writing-page", report / "charts" / ".writing-chart", work / ".writing-library"]
    for path in cut:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<!doc", encoding="utf-8")
    with alone(report, work), written_aside(report / "index.html") as stream:
        assert not [path for path in cut if path.exists()]
        stream.write(b"<!doctype html>")
    assert (report / "index.html").read_bytes() == b"<!doctype html>"


def test_a_second_run_waits_and_says_for_what(tmp_path: Path) -> None:
    report, work = tmp_path / "report", tmp_path / ".work"
    with (
        alone(report, work),
        pytest.raises(PipelineError, match="another run has been making it for more than 0 s; wait for it"),
        alone(report, work, patience=0),
    ):
        pass
    with alone(report, work, patience=0):
        pass


def test_a_chart_that_is_no_more_goes_with_its_files_and_its_page_to_embed(tmp_path: Path) -> None:
    page = {"index.html": b"page"}
    before = {"charts/old.svg": b"old", "embed/old.html": b"old", "charts/kept.svg": b"kept"}
    publish_assets._write(tmp_path, {**page, **before})
    publish_assets._write(tmp_path, {**page, "charts/kept.svg": b"new", "embed/kept.html": b"new"})
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"index.html", "charts/kept.svg", "embed/kept.html"}
    assert (tmp_path / "charts" / "kept.svg").read_bytes() == b"new"
