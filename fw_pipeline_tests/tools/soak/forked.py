"""A piece of work in a process of its own that is killed at a chosen moment, without paying for imports each time.

The parent imports everything and opens nothing: it has no threads and holds no files when it forks. The child says each
step that it takes over a pipe: what the work tells of, and what the interpreter's own audit events show of the files.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str], None]
Moment = Callable[[str], float | None]
"""Told each step; returns how many seconds later to kill, or None to go on."""

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(slots=True)
class Ended:
    """How a child ended."""

    killed: bool
    stage: str = "start"
    """The step after which it was killed."""
    steps: list[str] = field(default_factory=list)
    error: str = ""
    """The traceback of a child that failed by itself."""


def watched(root: Path, say: Say) -> Callable[[str, tuple[object, ...]], None]:
    """Return an audit hook that says what is about to be done to files below `root`."""
    top = str(root)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        match event, arguments:
            case "open", (path, _, int(flags)) if flags & WRITES and str(path).startswith(top):
                say(f"open {_below(path, top)}")
            case ("os.rename", (old, new, *_)) if str(new).startswith(top):
                say(f"rename {_below(old, top)} to {_below(new, top)}")
            case ("os.mkdir" | "os.remove" | "os.rmdir" | "os.chmod" | "os.truncate", (path, *_)) if str(
                path
            ).startswith(top):
                say(f"{event[3:]} {_below(path, top)}")
            case (("os.link" | "os.symlink"), (_, new, *_)) if str(new).startswith(top):
                say(f"link {_below(new, top)}")
            case _:
                pass

    return hook


def forked(
    work: Callable[[Say], None],
    *,
    root: Path,
    kill: Moment = lambda _: None,
    last: Callable[[str], bool] = lambda _: False,
    patience: float = 600.0,
) -> Ended:
    """Run `work` in a child and kill it when `kill` says so; return how it ended.

    The child asks `last` of each step, and kills itself before it takes the one that is.

    Raises:
        TimeoutError: the child took longer than `patience` seconds; it was killed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_child(work, root, writing, last)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        return _watch(child, pipe.fileno(), kill, patience)


def tell(say: Say, faults: Iterable[str]) -> None:
    """Say what does not hold, in a child."""
    for fault in faults:
        say(f"fault {json.dumps(fault)}")


def told(ended: Ended) -> list[str]:
    """Return what a child said does not hold, and its own failure."""
    found = [json.loads(step.removeprefix("fault ")) for step in ended.steps if step.startswith("fault ")]
    return [*found, ended.error] if ended.error else found


def _be_the_child(work: Callable[[Say], None], root: Path, pipe: int, last: Callable[[str], bool]) -> None:
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)

        def say(step: str) -> None:
            os.write(pipe, f"{step}\n".encode())
            if last(step):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watched(root, say))
        work(say)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
        os.write(pipe, f"error {traceback.format_exc()!r}\n".encode())
    finally:
        os._exit(status)


def _watch(child: int, pipe: int, kill: Moment, patience: float) -> Ended:
    ended, rest, deadline = Ended(killed=False), b"", time.monotonic() + patience
    due: float | None = None
    try:
        while True:
            until = deadline if due is None else due
            if not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
                if due is None:
                    raise TimeoutError(f"nothing more than {ended.stage} in {patience:.0f} s")
                return ended
            heard = os.read(pipe, 1 << 16)
            if not heard:
                return ended
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                step = line.decode()
                if step.startswith("error "):
                    ended.error = step
                    continue
                ended.stage = step
                ended.steps.append(step)
                after = kill(step) if due is None else None
                due = due if after is None else time.monotonic() + after
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ended.killed = os.WIFSIGNALED(status)


def _below(path: object, top: str) -> str:
    return str(path).removeprefix(top).lstrip("/")
