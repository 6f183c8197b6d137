"""What the command line shows: rows as a table for eyes, as JSON or CSV for programs; on stderr, a run's progress."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import TYPE_CHECKING, Any, Self

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from fw_pipeline.errors import PipelineError
from fw_pipeline.text import one_line, visible

if TYPE_CHECKING:
    import polars as pl

_NARROW = 10
"""A column of a table may be folded to so many characters, not to fewer."""

_WORD = 17
"""A column that is no wider is not folded, as long as there is room: a month or a verdict stays one word."""

_BETWEEN = 2
"""Blanks between two columns."""

SCREEN = 80
"""Characters that fit on every screen."""

_FILE = 240
"""Characters of a line where no terminal limits it."""

_WORDS = {"present": "with figures", "gap": "known to have none"}
"""What became of a month, where the word that the pipeline has for it would not do."""


def show(frame: pl.DataFrame, shape: str, *, title: str | None = None, width: int = _FILE) -> None:
    """Print a frame as a table, as JSON records (`json`), or as CSV (`csv`).

    A table never leaves a column out: one that is too wide for the terminal is folded, and where even that does not
    help, the columns of each row stand one below the other. Names in the data come from outside: what a terminal would
    obey is shown as an escape. A CSV that goes into a file or a pipe is verbatim.

    Args:
        frame: the rows.
        shape: `table`, `json` or `csv`.
        title: the line above a table.
        width: characters of a line of a table where no terminal says how many there are.

    Raises:
        PipelineError: standard output cannot be written.
    """
    if shape == "json":
        tell(_as_json(frame.to_dicts()))
    elif shape == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(frame.columns)
        for row in frame.rows():
            writer.writerow([json.dumps(cell, default=str) if isinstance(cell, list | dict) else cell for cell in row])
        with _written() as stdout:
            stdout.write(visible(out.getvalue()) if stdout.isatty() else out.getvalue())
    else:
        _show_table(frame, title, width)


def tell(text: str) -> None:
    """Print a text on standard output.

    Raises:
        PipelineError: standard output cannot be written.
    """
    with _written() as stdout:
        stdout.write(f"{text}\n")


def tell_facts(facts: Iterable[tuple[str, str]]) -> None:
    """Print facts, each behind its name, folded to the width of the terminal; without one, to that of a screen.

    Raises:
        PipelineError: standard output cannot be written.
    """
    said = [(name, visible(text)) for name, text in facts if text]
    margin = max((len(name) for name, _ in said), default=0) + 4
    width = max(shutil.get_terminal_size((SCREEN, 0)).columns, margin + 2 * _NARROW)
    for name, text in said:
        begin = f"  {name}".ljust(margin)
        folded = textwrap.wrap(
            text,
            width,
            initial_indent=begin,
            subsequent_indent=" " * margin,
            break_on_hyphens=False,
            break_long_words=False,  # a command or a path stays in one piece
        )
        tell("\n".join(folded))


@contextlib.contextmanager
def _written() -> Iterator[Any]:
    """Give standard output, and see that what is written there arrives."""
    if sys.stdout is None:
        raise PipelineError("output", "standard output is closed", "send it somewhere, such as into a file")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        cause = f"standard output cannot be written: {error.strerror or error}"
        raise PipelineError("output", cause, "free space there, or send it elsewhere") from error


def drop_output() -> None:
    """Let what is still to be written go nowhere, so that Python does not try once more as it ends."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a name of the system, not a path
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _show_table(frame: pl.DataFrame, title: str | None, elsewhere: int) -> None:
    names = [visible(name) for name in frame.columns]
    rows = [["" if cell is None else visible(_shown(cell)) for cell in row] for row in frame.rows()]
    with _written() as stdout:
        console = Console(file=stdout, width=None if stdout.isatty() else elsewhere, highlight=False)
        widest = [
            max((cell_len(line) for text in column for line in text.split("\n")), default=0)
            for column in zip(names, *rows, strict=True)
        ]

        def fits(most: int) -> bool:
            return sum(min(width, most) + _BETWEEN for width in widest) - _BETWEEN <= console.width

        if not fits(_NARROW):
            _show_records(console, names, rows, title)
            return
        table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
        table.pad_edge, table.collapse_padding = False, True
        whole = fits(_WORD)
        for name, kind, width in zip(names, frame.dtypes, widest, strict=True):
            table.add_column(
                Text(name),
                justify="right" if kind.is_numeric() else "left",
                overflow="fold",
                no_wrap=whole and width <= _WORD,
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)


def _show_records(console: Console, names: list[str], rows: list[list[str]], title: str | None) -> None:
    """Print a row's columns one below the other: side by side, some would have no room, and would not be seen."""
    margin = max(len(name) for name in names)
    if title:
        console.print(Text(title, "italic"))
    for number, row in enumerate(rows, start=1):
        console.print(Text(f"row {number} of {len(rows)}", "bold"))
        for name, cell in zip(names, row, strict=True):
            console.print(Text(f"  {name:<{margin}}  {cell}"), soft_wrap=True)
    if not rows:
        console.print(Text(f"no rows of {len(names)} columns: {', '.join(names)}"), soft_wrap=True)


def _as_json(records: list[dict[str, Any]]) -> str:
    """Write JSON that every parser takes: a number that is none becomes its name, and so do control characters."""
    told = json.dumps(_finite(records), default=str, ensure_ascii=False, indent=1)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in told)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)


def _tables(count: int) -> str:
    return "1 table" if count == 1 else f"{count} tables"


class Progress:
    """Shows the steps of a run on stderr, so that stdout stays for answers."""

    def __enter__(self) -> Self:
        """Begin to show."""
        self._console = Console(stderr=True, highlight=False)
        self._counts: Counter[str] = Counter()
        self._checked: set[str] = set()
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
            said = f"made {_tables(self._counts['build'])}"
            if self._counts["keep"]:
                said += f", kept {self._counts['keep']} that would come out the same"
            if self._checked:
                said += f"; ran the rules of {_tables(len(self._checked))}"
            elif self._counts["keep"]:  # where workers build, nothing is known of the rules
                said += "; ran no rule again, as the rows are the same"
            self._console.print(said, soft_wrap=True)

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
        if stage == "check":
            self._checked.add(what.partition(":")[0])
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
