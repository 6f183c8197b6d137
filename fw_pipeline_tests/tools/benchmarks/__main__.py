"""Run the benchmarks: `python -m fw_pipeline_tests.tools.benchmarks [NAME ...]`.

When none is named, those run that compare the pipeline with itself, bare, as it is; `peers` is all that compare it with
what others would use, which have an environment of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fw_pipeline_tests.tools.benchmarks.comparisons import COMPARISONS
from fw_pipeline_tests.tools.benchmarks.growth_comparisons import GROWTH_COMPARISONS
from fw_pipeline_tests.tools.benchmarks.measuring import HERE, NotMeasured, measure
from fw_pipeline_tests.tools.benchmarks.peer_comparisons import PEER_COMPARISONS
from fw_pipeline_tests.tools.benchmarks.showing import show

PROGRAMS = {"requests": "requests_made", "clicks": "clicks"}
"""Those that are programs of their own: what they import would show in the peaks of what is measured after them."""
PEERS = "peers"
USUAL = (*COMPARISONS, "requests")
SIZED = {**PEER_COMPARISONS, **GROWTH_COMPARISONS}
NAMES = (*COMPARISONS, *PROGRAMS, *SIZED)


def main() -> int:
    """Run what is named; return 1 where something could not be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join((*NAMES, PEERS))}")
    parser.add_argument("--full", action="store_true", help="the large sizes of those that have them: takes minutes")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - {*NAMES, PEERS}):
        parser.error(f"no benchmark named {unknown[0]!r}; choose from {', '.join((*NAMES, PEERS))}")
    wanted = {*(chosen.names or USUAL), *(PEER_COMPARISONS if PEERS in chosen.names else ())}
    names = [name for name in NAMES if name in wanted]
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    busy = ": busy with other work, so trust CPU and its ratios, not wall" if load > processors / 4 else ""
    print(f"{processors} processors, load {load:.1f} at the start{busy}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory(prefix="fw-benchmarks-") as folder:
        for name in names:
            try:
                _run(name, Path(folder), full=chosen.full)
            except NotMeasured as why:
                print(f"benchmarks: {name}: {why}", file=sys.stderr)
                failed = True
    return int(failed)


def _run(name: str, folder: Path, *, full: bool) -> None:
    if name in PROGRAMS:
        program = [sys.executable, "-m", f"fw_pipeline_tests.tools.benchmarks.{PROGRAMS[name]}"]
        if status := subprocess.run(program, cwd=HERE, check=False).returncode:
            raise NotMeasured(f"ended with status {status}")
    elif name in SIZED:
        show(measure(SIZED[name](folder, full=full), folder / name))
    else:
        show(measure(COMPARISONS[name](folder / "all-months"), folder / name))


if __name__ == "__main__":
    sys.exit(main())
