"""Run the benchmarks: `python -m fw_pipeline_tests.tools.benchmarks [NAME ...]`, all of them when none is named."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fw_pipeline_tests.tools.benchmarks.comparisons import COMPARISONS
from fw_pipeline_tests.tools.benchmarks.measuring import HERE, NotMeasured, measure
from fw_pipeline_tests.tools.benchmarks.showing import show

REQUESTS = "requests"
NAMES = (*COMPARISONS, REQUESTS)


def main() -> int:
    """Run what is named; return 1 where something could not be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; all when left out")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(NAMES)):
        parser.error(f"no benchmark named {unknown[0]!r}; choose from {', '.join(NAMES)}")
    names = [name for name in NAMES if not chosen.names or name in chosen.names]
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    busy = ": busy with other work, so trust CPU and its ratios, not wall" if load > processors / 4 else ""
    print(f"{processors} processors, load {load:.1f} at the start{busy}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory(prefix="fw-benchmarks-") as folder:
        for name in names:
            try:
                _run(name, Path(folder))
            except NotMeasured as why:
                print(f"benchmarks: {name}: {why}", file=sys.stderr)
                failed = True
    return int(failed)


def _run(name: str, folder: Path) -> None:
    if name == REQUESTS:
        # a process of its own: what it imports would show in the peaks of what is measured after it
        program = [sys.executable, "-m", "fw_pipeline_tests.tools.benchmarks.requests_made"]
        if status := subprocess.run(program, cwd=HERE, check=False).returncode:
            raise NotMeasured(f"ended with status {status}")
    else:
        show(measure(COMPARISONS[name](folder / "all-months"), folder / name))


if __name__ == "__main__":
    sys.exit(main())
