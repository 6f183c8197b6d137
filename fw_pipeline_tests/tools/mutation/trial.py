"""A mutant is written into a copy of the repository, and tests are run there, in a forked process.

The parent imports what the tests need of other people's, and runs nothing: a child pays for no more than the project
itself, finds no threads, and knows no module that was read without the defect.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fw_pipeline_tests.tools.mutation.mutant import Mutant
from fw_pipeline_tests.tools.mutation.parts import ROOT

COPIED = ("data/recorded", "dbt_like_sql", "docs", "fw_pipeline", "fw_pipeline_tests")
MEMORY = 8 * 2**30
"""Bytes that a child may take: a loop without an end must not take the machine along."""


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of the repository, to be spoilt."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Place:
        """Copy the repository to a folder."""
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy2(path, root)
        return cls(root)

    @property
    def told(self) -> str:
        """The last that the last child said."""
        return (self.root / "output.txt").read_text(encoding="utf-8", errors="replace")[-4000:]

    @contextmanager
    def spoilt(self, mutant: Mutant) -> Iterator[None]:
        """Have the mutant in its place; afterwards the file is what it was, down to its date."""
        path = self.root / mutant.file
        good, stat = path.read_bytes(), path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        try:
            yield
        finally:
            path.write_bytes(good)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def test(self, arguments: Sequence[str], plugins: Sequence[object]) -> int:
        """Run pytest in this process, which must be a child; return what it ended with."""
        options = ("-n", "0", "-x", "--no-header", "--basetemp", str(self.root / "tmp"))
        return int(pytest.main([*options, *arguments], list(plugins)))

    def in_child(self, work: Callable[[], int], *, seconds: float, compiled: bool = False) -> int | None:
        """Do a piece of work in a child that knows the copy alone.

        Args:
            work: returns the status of the child.
            seconds: after this time the child is killed, and whatever it started.
            compiled: whether byte code is kept, which is right where nothing is spoilt.

        Returns:
            The status, negative for a signal; None when the time was over.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                self._enter(compiled=compiled)
                status = work()
            except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        until, ended, status = time.monotonic() + seconds, 0, 0
        try:
            while not ended and time.monotonic() < until:
                time.sleep(0.01)
                ended, status = os.waitpid(child, os.WNOHANG)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # and what a test started and left
        if ended:
            return os.waitstatus_to_exitcode(status)
        os.waitpid(child, 0)
        return None

    def _enter(self, *, compiled: bool) -> None:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        output = os.open(self.root / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for standard, file in ((0, nothing), (1, output), (2, output)):
            os.dup2(file, standard)
        for name in [name for name in sys.modules if is_ours(name)]:
            del sys.modules[name]
        sys.path.insert(0, str(self.root))
        sys.dont_write_bytecode = not compiled
        os.environ.update(PYTHONPATH=str(self.root), PYTHONDONTWRITEBYTECODE="" if compiled else "1")
        os.chdir(self.root)


def is_ours(module: str) -> bool:
    """Tell the modules of this project."""
    return module.partition(".")[0] in {"fw_pipeline", "fw_pipeline_tests"}
