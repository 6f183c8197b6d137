"""A source that fails keeps nobody from the figures of the others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import fw_pipeline

QUESTIONS = "select questions from raw.stackoverflow where tagged = 'pytorch' and month = date '2022-06-01'"
PYPI = "select months, first_month, last_month from meta.sources where source = 'pypi'"


@pytest.mark.long
def test_what_came_in_of_the_other_sources_is_published(recorded: Path) -> None:
    (before,) = query(recorded / "warehouse.duckdb", QUESTIONS)["questions"]
    [(months, first, last)] = query(recorded / "warehouse.duckdb", PYPI).rows()
    shutil.copytree(PROJECT_DIR / "data" / "recorded", recorded / "recorded")
    file = recorded / "recorded" / "stackoverflow.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    (old,) = (line for line in lines if line.startswith("2022-06-01,pytorch,"))
    lines[lines.index(old)] = old.replace(f",{before},", f",{before + 1},")
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    refusing = {"FW_PROVIDERS": "pypi=clickpy", "FW_CLICKPY_URL": "http://127.0.0.1:9", "FW_CONTACT": "a@example.org"}
    done = fw_pipeline(recorded, "run", "--from", "2022-06", "--to", "2022-06", **refusing)
    assert done.status == 1
    (complaint,) = done.complaints
    assert complaint.startswith("fw-pipeline: pypi (clickpy) 2022-06: the server refuses the connection")
    assert len(re.findall(r"^made \d+ tables", done.err, re.MULTILINE)) == 1, "in one build"
    stays = f", pypi {first:%Y-%m} to {last:%Y-%m} ({months} months), "
    assert months > 100
    assert stays in done.err.splitlines()[-1], "what was there before stays"
    assert done.err.splitlines()[-1].endswith("; not all that was asked for: the line above says why")
    assert query(recorded / "warehouse.duckdb", QUESTIONS)["questions"].to_list() == [before + 1]
