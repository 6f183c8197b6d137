"""The mutation tests' own frame: what is changed and what is not, and how it is counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fw_pipeline_tests.tools.mutation import in_python, in_sql
from fw_pipeline_tests.tools.mutation.__main__ import line, main
from fw_pipeline_tests.tools.mutation.mutant import judged_equivalent
from fw_pipeline_tests.tools.mutation.parts import PARTS, mutants


def becomes(made: object) -> list[str]:
    return [one.becomes for one in made]  # type: ignore[attr-defined]


def test_each_place_of_python_is_changed_by_itself() -> None:
    text = 'def f(a: int = 1) -> bool:\n    """Say 2."""\n    return "é" == a < 3 or not a\n'
    assert becomes(in_python.mutants("f.py", text)) == [
        "def f(a: int = 2) -> bool:",
        "return None",
        "return ('é' == a < 3 and (not a))",
        "return (not a)",
        "return ('é' == a < 3)",
        "return 'é_' == a < 3 or not a",
        'return "é" == a < 4 or not a',
        'return "é" == a < 3 or (a)',
    ]


def test_what_is_decorated_is_changed_and_the_words_of_a_message_are_not() -> None:
    text = "@property\ndef f(self):\n    if self.x > 0:\n        raise ValueError('x')\n"
    assert becomes(in_python.mutants("f.py", text)) == ["if (self.x >= 0):", "if self.x > 1:", "pass"]


def test_each_word_of_sql_is_changed_by_itself() -> None:
    text = "select count(*), -a from x.y -- > 1\nwhere b between 1 and 2 and c is distinct from 'd'"
    assert becomes(in_sql.mutants("f.sql", text)) == [
        "where true or b between 1 and 2 and c is distinct from 'd'",
        "where b between 2 and 2 and c is distinct from 'd'",
        "where b between 1 and 3 and c is distinct from 'd'",
        "where b between 1 and 2 or c is distinct from 'd'",
        "where b between 1 and 2 and c is distinct from 'd_'",
    ]


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=[pytest.mark.long] if part == "claims-sql" else []) for part in PARTS]
)
def test_every_part_has_mutants_and_each_differs_from_the_file_in_its_line(part: str) -> None:
    root = Path(__file__).parents[3]
    found = list(mutants(part))
    assert len(found) > 40
    for one in found[:: len(found) // 20]:
        good = (root / one.file).read_text(encoding="utf-8").splitlines()
        assert one.was.startswith(" ".join(good[one.line - 1].split()))
        assert one.text.splitlines()[: one.line - 1] == good[: one.line - 1]
        assert one.was != one.becomes


@pytest.mark.long
def test_what_was_judged_equivalent_is_still_a_mutant() -> None:
    names = {one.name for part in PARTS for one in mutants(part)}
    assert sorted(judged_equivalent() - names) == []


def test_the_score_is_of_what_can_be_noticed() -> None:
    tally = Counter({"killed": 6, "timed out": 1, "equivalent": 2, "survived": 1})
    assert line("raw", tally, 50).endswith("2 equivalent, 1 survived, 0 not reached; score 87.5%")


def test_an_unknown_part_is_a_wrong_call() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["1", "row"])
