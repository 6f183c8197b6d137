"""Run the soaks: `python -m fw_pipeline_tests.tools.soak [NAME ...]`, all of them when none is named."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from fw_pipeline_tests.tools.soak.tally import Tally

SOAKS: Mapping[str, str] = MappingProxyType(
    {
        "publishes": "fw_pipeline_tests.tools.soak.publishes",
        "kills": "fw_pipeline_tests.tools.soak.kills",
        "crash-points": "fw_pipeline_tests.tools.soak.points",
        "backfills": "fw_pipeline_tests.tools.soak.backfills",
        "ui-backfills": "fw_pipeline_tests.tools.soak.ui_backfills",
        "full-disks": "fw_pipeline_tests.tools.soak.disks",
    }
)
"""Module by name. A module has `run(budget_seconds) -> Tally` and `SECONDS`, the time it takes when none is given."""


def main(arguments: list[str] | None = None, *, soaks: Mapping[str, str] = SOAKS) -> int:
    """Run what is named and print each tally; return 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(soaks)}; all when left out")
    parser.add_argument("--seconds", type=float, help="time for each soak; its own when left out")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(soaks)):
        parser.error(f"no soak named {unknown[0]!r}; choose from {', '.join(soaks)}")
    names = [name for name in soaks if not chosen.names or name in chosen.names]
    if len(names) == 1:
        return int(not _held(names[0], soaks[names[0]], chosen.seconds))
    # Each in a process of its own: some fork, which no process may that has worked with threads before.
    seconds = [] if chosen.seconds is None else ["--seconds", str(chosen.seconds)]
    program = [sys.executable, "-m", "fw_pipeline_tests.tools.soak"]
    ended = [subprocess.run([*program, name, *seconds], check=False).returncode for name in names]
    return int(any(ended))


def _held(name: str, module: str, seconds: float | None) -> bool:
    began = time.monotonic()
    soak = import_module(module)
    try:
        tally: Tally = soak.run(soak.SECONDS if seconds is None else seconds)
    except Exception:  # noqa: BLE001 - a soak that breaks off has failed; the others still run
        tally = Tally(name, failures=["it broke off", *traceback.format_exc().splitlines()])
    if not tally.counts and not tally.failures:
        tally.failures.append("it counted nothing")
    print(f"\n{tally.name}: {'held' if tally.held else 'DID NOT HOLD'}, {time.monotonic() - began:.0f} s")
    for line in tally.counts:
        print(f"  * {line}")
    for line in tally.failures:
        print(f"  ! {line}")
    sys.stdout.flush()
    return tally.held


if __name__ == "__main__":
    sys.exit(main())
