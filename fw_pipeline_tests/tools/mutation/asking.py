"""Which tests are asked about a mutant: learnt by running all of them once, without a defect."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import accumulate
from pathlib import Path

import coverage

from fw_pipeline_tests.tools.mutation.mutant import Mutant
from fw_pipeline_tests.tools.mutation.parts import EXAMPLES, OF_PYTHON, OF_SQL
from fw_pipeline_tests.tools.mutation.plugin import Contexts, Recorded, Timed, judged
from fw_pipeline_tests.tools.mutation.trial import Place, is_ours

RUN_SECONDS = 1800.0

MOST = 12.0
"""Seconds of tests that one mutant of Python is worth, the quickest first: what only later ones notice has survived."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Some tests that are run together."""

    arguments: tuple[str, ...]
    """For pytest."""
    seconds: float
    """What they take without a defect."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The tests, how long they take, and which lines each reaches."""

    place: Place
    seconds: Mapping[str, float]
    """By test."""
    reached: coverage.CoverageData
    made: Path
    """The data folder of a recorded run without a defect."""

    @classmethod
    def learnt(cls, place: Place, *, sql: bool = True, python: bool = True) -> Asking:
        """Make a recorded run, run every test that may be asked, and import what they need of others.

        Args:
            place: the copy of the repository.
            sql: whether there will be mutants of SQL.
            python: whether there will be mutants of Python.

        Raises:
            RuntimeError: something fails without any defect.
        """
        made, lines = place.root / "made", place.root / "reached"
        seconds: dict[str, float] = {}
        if python:
            _without_defect(place, lambda: _recorded_run(made))
            seconds |= _tried(place, OF_PYTHON, Recorded(partial(shutil.copytree, made)), reached=lines)
        if sql:
            for arguments in ((EXAMPLES,), *OF_SQL):
                seconds |= _tried(place, arguments, Recorded(judged))
        reached = coverage.CoverageData(str(lines))
        reached.read()
        return cls(place, seconds, reached, made)

    def stages(self, mutant: Mutant) -> list[Stage]:
        """Return the tests to ask, those that say most for their time first; none where no test reaches the line."""
        if mutant.file.endswith(".sql"):
            table = Path(mutant.file).stem
            return [self._stage([EXAMPLES], "-k", table), *(self._stage([file], *more) for file, *more in OF_SQL)]
        by_line = self.reached.contexts_by_lineno(str(self.place.root / mutant.file))
        tests = {context for context in by_line.get(mutant.line, ()) if context}
        if not tests and mutant.line in by_line:  # reached while modules are imported
            tests = set(OF_PYTHON)
        files = {test for test in tests if "::" not in test}
        tests = {test for test in self.seconds if test in tests or test.partition("::")[0] in files}
        ordered = sorted(tests, key=self.seconds.__getitem__)
        spent = accumulate(self.seconds[test] for test in ordered)
        quick = [test for test, until in zip(ordered, spent, strict=True) if until < MOST]
        return [self._stage(quick or ordered[:1])] if ordered else []

    def plugin(self, mutant: Mutant) -> Recorded:
        """Return what stands in for a recorded run, which would take the better part of a minute for each mutant.

        A mutant of Python gets the outcome of one that was made before; a mutant of SQL gets the verdicts that its SQL
        makes of the same figures, in memory.
        """
        return Recorded(judged) if mutant.file.endswith(".sql") else Recorded(partial(shutil.copytree, self.made))

    def _stage(self, tests: Sequence[str], *more: str) -> Stage:
        return Stage((*tests, *more), self._takes(tests))

    def _takes(self, tests: Iterable[str]) -> float:
        asked = set(tests)
        return sum(took for test, took in self.seconds.items() if asked & {test, test.partition("::")[0]})


def _tried(place: Place, tests: Sequence[str], plugin: object, *, reached: Path | None = None) -> dict[str, float]:
    """Run good tests; return their times. Whatever modules of others they imported is imported here."""
    note = place.root / "note.json"

    def work() -> int:
        timed = Timed()
        measured = coverage.Coverage(data_file=str(reached), source=["fw_pipeline"]) if reached else None
        if measured:
            measured.start()
        status = place.test(tests, [timed, plugin, *([Contexts(measured)] if measured else [])])
        if measured:
            measured.stop()
            measured.save()
        theirs = [name for name in sys.modules if not is_ours(name) and name != "__main__"]
        note.write_text(json.dumps([timed.seconds, theirs]), encoding="utf-8")
        return status

    _without_defect(place, work)
    seconds, theirs = json.loads(note.read_text(encoding="utf-8"))
    for name in theirs:
        _imported(name)
    return dict(seconds)


def _imported(name: str) -> None:
    try:
        import_module(name)
    except Exception:  # noqa: BLE001 - a module that must come in another order is left to the child
        return


def _recorded_run(data: Path) -> int:
    return int(import_module("fw_pipeline_tests.support.command").fw_pipeline(data, "run").status)


def _without_defect(place: Place, work: Callable[[], int]) -> None:
    if (status := place.in_child(work, seconds=RUN_SECONDS, compiled=True)) != 0:
        raise RuntimeError(f"the tests do not pass without a defect (status {status}):\n{place.told}")
