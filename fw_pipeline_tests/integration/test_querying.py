"""`docs/querying.md` asks real questions: each is asked again, and the answers in the page must be those that come."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import environment

PAGE = (Path(__file__).parents[2] / "docs" / "querying.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"^## (\d+ .*?)\n.*?^```sql\n(.*?)^```\n\n((?:\|[^\n]*\n)*)", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^## In (\w+)\n\n```python\n(.*?)^```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def as_markdown(frame: pl.DataFrame) -> str:
    """Return rows as the page shows them; NULL is an empty cell."""

    def cell(value: object) -> str:
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return shown.replace("*", "\\*").replace("|", "\\|")

    lines = [frame.columns, ["---"] * frame.width, *([cell(value) for value in row] for row in frame.rows())]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def test_the_page_asks_eleven_questions_and_shows_two_programs() -> None:
    assert [title.partition(" ")[0] for title, _, _ in QUESTIONS] == [str(number) for number in range(1, 12)]
    assert [name for name, _, _ in PROGRAMS] == ["Polars", "pandas"]


@pytest.mark.parametrize(("sql", "answer"), [it[1:] for it in QUESTIONS], ids=[it[0] for it in QUESTIONS])
def test_the_answer_in_the_page_is_the_one_that_comes(sql: str, answer: str, recorded_once: Path) -> None:
    found = query(recorded_once / "warehouse.duckdb", sql)
    assert found.height > 0
    assert as_markdown(found) == answer


@pytest.mark.parametrize(("program", "printed"), [it[1:] for it in PROGRAMS], ids=[it[0] for it in PROGRAMS])
def test_the_program_in_the_page_runs_and_prints_what_the_page_says(
    program: str, printed: str, recorded_once: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=recorded_once.parent, env=environment(recorded_once), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, printed), done.stderr
