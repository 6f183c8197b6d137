"""Names of Dagster that are not public: those that a decision lists, each with a test, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
(PAGE,) = (ROOT / "docs" / "adr").glob("*-dagster-by-its-public-names.md")
ROW = re.compile(r"^\| `(?P<name>[\w.]+)` \| `(?P<file>[\w./]+)` \| .+ \| `(?P<test>test_\w+)` \|$", re.MULTILINE)
IN_TEXT = re.compile(r"\bdagster\w*\._[\w.]*\w")


def private_names(file: Path) -> Iterator[str]:
    """Yield what a file imports of Dagster from elsewhere than its one public module, or names in a text."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dagster") and node.module != "dagster":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(("dagster.", "dagster_")))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from IN_TEXT.findall(node.value)


def test_every_private_name_is_listed_with_its_file_and_no_other_is() -> None:
    package = ROOT / "fw_pipeline"
    used = {
        (name, file.relative_to(package).as_posix()) for file in package.rglob("*.py") for name in private_names(file)
    }
    listed = {(row["name"], row["file"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}
    assert used == listed


def test_every_test_that_the_list_names_exists() -> None:
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "fw_pipeline_tests").rglob("test_*.py"))
    named = {row["test"] for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}
    assert named
    assert {name for name in named if f"def {name}(" not in tests} == set()
