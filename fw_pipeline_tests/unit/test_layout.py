"""The layout of the package: names that are found at once, tests where one looks first, every room in the guide."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE, UNIT = ROOT / "fw_pipeline", ROOT / "fw_pipeline_tests" / "unit"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__"))
NO_SUBJECT = {"utils", "util", "common", "base", "helpers", "misc", "core"}
"""Names that say nothing about what belongs in a module."""
WITHOUT_A_TEST = {
    "sources/papers/paper_tables": "Two tables of names, types and words; `test_contract` holds every raw table.",
}
"""Modules that no test is named for, and why."""


def test_no_two_modules_have_one_name() -> None:
    names = Counter(path.stem for path in MODULES)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_module_is_named_for_a_subject_and_says_first_what_belongs_in_it() -> None:
    assert [path for path in MODULES if path.stem in NO_SUBJECT] == []
    said = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "" for path in MODULES}
    assert [path for path, text in said.items() if not re.match(r"[A-Z`0-9].{10,}[.:?]", text)] == []


def test_a_test_of_a_room_is_named_for_a_module_of_that_room() -> None:
    strangers = [
        str(test.relative_to(UNIT))
        for test in UNIT.rglob("test_*.py")
        if (room := PACKAGE / test.parent.relative_to(UNIT)).is_dir()
        and test.stem != "test_layout"
        and not any(test.stem.startswith(f"test_{module.stem}") for module in room.glob("[!_]*.py"))
    ]
    assert strangers == []


def test_every_module_has_its_test_where_one_looks_first() -> None:
    lacking = {
        place.as_posix()
        for module in MODULES
        if not (
            UNIT / (place := module.relative_to(PACKAGE).with_suffix("")).parent / f"test_{place.name}.py"
        ).is_file()
    }
    assert lacking == WITHOUT_A_TEST.keys()


def test_the_guide_for_contributors_lists_every_room() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [path.parent.relative_to(ROOT).as_posix() for path in PACKAGE.glob("*/__init__.py")]
    assert [room for room in rooms if f"{room.removeprefix('fw_pipeline/')}/" not in guide] == []


def test_the_promises_of_the_http_layer_name_every_module_of_it() -> None:
    promises = ast.get_docstring(ast.parse((PACKAGE / "http" / "__init__.py").read_text(encoding="utf-8"))) or ""
    kept_by = set(re.findall(r"`(\w+)", promises))
    assert {path.stem for path in (PACKAGE / "http").glob("[!_]*.py")} <= kept_by
