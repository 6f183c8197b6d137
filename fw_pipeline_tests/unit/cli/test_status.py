"""How far each source has come, and what would complete it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import called


def test_status_is_a_line_for_each_source_with_the_months_that_are_published(recorded_once: Path) -> None:
    done = called(recorded_once, "status")
    lines = done.out.splitlines()
    assert lines[1].split() == ["source", "provider", "months", "last", "month", "behind", "stale", "next"]
    assert max(map(len, lines)) <= 80
    assert len(lines) < 15
    told = json.loads(called(recorded_once, "status", "--format", "json").out)
    published = query(
        recorded_once / "warehouse.duckdb", "select source, months from meta.sources order by source"
    ).rows()
    assert sorted((row["source"], row["months"]) for row in told) == published
    assert re.search(r"^stackoverflow +recorded +91 +2023-05 +\d+ +no +1 *$", done.out, re.MULTILINE)
    assert "  1  the recorded figures end in 2023-05; set FW_MODE=live" in lines


def test_the_months_of_status_say_what_would_complete_them(recorded_once: Path) -> None:
    done = called(recorded_once, "status", "--months", "--format", "json")
    months = json.loads(done.out)
    assert {row["status"] for row in months} == {"present", "partial", "gap", "missing"}
    late = next(row for row in months if row["source"] == "stackoverflow" and row["month"] == "2024-01-01")
    assert late["status"] == "missing"
    assert "FW_MODE=live" in late["reason"]
    table = called(recorded_once, "status", "--months").out
    [stretch] = re.findall(r"^stackoverflow +2023-06 .*missing +(.*)$", table, re.MULTILINE)
    notes = dict(re.findall(r"^ +(\d+) +(.+)$", table, re.MULTILINE))
    assert [notes[number].partition(":")[0] for number in stretch.split()] == [late["reason"], "set FW_MODE=live"]
