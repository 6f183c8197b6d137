"""What is being done: a line that moves on a terminal, elsewhere, one line per source and a total."""

from __future__ import annotations

from collections import Counter
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from fw_pipeline.text import one_line

_WORDS = {"present": "with figures", "gap": "known to have none"}
"""What became of a month, where the word that the pipeline has for it would not do."""


class Progress:
    """Shows the steps of a run on stderr, so that stdout stays for answers."""

    def __enter__(self) -> Self:
        """Begin to show."""
        self._console = Console(stderr=True, highlight=False)
        self._counts: Counter[str] = Counter()
        self._source, self._months = "", Counter[str]()
        self._bar: Bar | None = None
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._bar = Bar(*columns, console=self._console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task("loading", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop showing, and say what was done."""
        if self._bar is not None:
            self._bar.stop()
        self._end_source()
        if self._counts["build"]:
            kept = f", kept {self._counts['keep']} that would come out the same" if self._counts["keep"] else ""
            self._console.print(f"built {self._counts['build']} tables{kept}, checked {self._counts['check']}")

    def __call__(self, stage: str, what: str) -> None:
        """Show one step: its stage, and what it was; a fetch says its source, its month and the outcome."""
        if stage == "say":
            self._console.print(one_line(what, 2500), markup=False, soft_wrap=True)
            return
        if stage == "wait":
            if self._bar is not None:
                self._bar.update(self._task, description=one_line(what, 160))
            else:
                self._console.print(one_line(what, 400), markup=False, soft_wrap=True)
            return
        self._counts[stage] += 1
        if self._bar is not None:
            self._bar.update(self._task, description=f"{stage} {self._counts[stage]}: {what}"[:100])
        if stage == "fetch":
            source, month, outcome = what.split(" ", 2)
            if source != self._source:
                self._end_source()
                self._source = source
            if month != "unpartitioned":
                self._months[outcome] += 1

    def _end_source(self) -> None:
        if self._months:
            months = ", ".join(f"{count} {_WORDS.get(outcome, outcome)}" for outcome, count in self._months.items())
            self._console.print(f"fetched {self._source}, months: {months}")
        self._months.clear()
