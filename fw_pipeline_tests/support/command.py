"""The `fw-pipeline` command with its own data folder and environment, in another process, or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from fw_pipeline.cli import main

COMMAND = (sys.executable, "-c", "from fw_pipeline.cli import main; main(prog_name='fw-pipeline')")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: its exit status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """The lines that say what went wrong."""
        return [line for line in self.err.splitlines() if line.startswith("fw-pipeline: ")]


def environment(data: Path, **settings: str) -> dict[str, str]:
    """Return an environment with nothing of the caller's settings in it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FW_", "DAGSTER_", "STACKEXCHANGE_", "HF_"))}
    return {**kept, "FW_DATA_DIR": str(data), "PYTHONWARNINGS": "ignore", **settings}


def fw_pipeline(data: Path, *arguments: str, within: Sequence[str] = (), **settings: str) -> Done:
    """Run the command to its end; `within` is written before it."""
    done = subprocess.run(
        [*within, *COMMAND, *arguments],
        env=environment(data, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def called(data: Path, *arguments: str, stdin: bytes = b"", **settings: str) -> Done:
    """Call a command in this process: without the second that a start takes, where a process of its own shows no more.

    Runs, terminals, signals, and what a stream takes or refuses need `fw_pipeline` or `start`.
    """
    given: dict[str, str | None] = {**dict.fromkeys(os.environ), **environment(data, **settings)}
    done = CliRunner().invoke(main, arguments, stdin, given, catch_exceptions=False, prog_name="fw-pipeline")
    return Done(done.exit_code, done.stdout, done.stderr)


def start(data: Path, arguments: Sequence[str], **settings: str) -> subprocess.Popen[str]:
    """Start the command and do not wait for it; the caller ends it."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(data, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
