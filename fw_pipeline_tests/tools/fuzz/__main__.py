"""Try spoilt inputs on every reader for a while, and count: `make fuzz FUZZ="[seconds] [names]"`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fw_pipeline_tests.tools.fuzz.targets import Target, spoiled, targets

SECONDS = 600.0

MOST_KEPT = 5
"""Crashes of one reader that are kept: the sixth is seldom another defect."""

SLOW = 20.0
"""Seconds that one input may take: a reader that takes longer can be held up by anybody."""


@dataclass
class Tally:
    """What came of the inputs of one reader."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def line(self) -> str:
        """The tally on one line."""
        told = ", ".join(f"{count:,} {what}" for what, count in sorted(self.outcomes.items()))
        return (
            f"{self.name:22} {self.outcomes.total() + self.crashes.total():>8,} tried: {told}; "
            f"{self.crashes.total()} crashes; slowest {self.slowest:.1f} s"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz what is named, or everything; return 1 where a reader crashed."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=SECONDS, help="time for all of it")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these readers, such as 'pypi clickpy'")
    parser.add_argument("--seed", type=int, default=None, help="begin with this seed instead of a new one")
    parser.add_argument("--crashes", type=Path, default=Path("fuzz-crashes"), help="where what crashed is kept")
    parser.add_argument("--again", type=Path, help="a kept input to try once more, named as it was kept")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fw-fuzz-") as folder, targets(Path(folder)) as makers:
        if unknown := sorted(set(chosen.names) - set(makers)):
            parser.error(f"no reader named {unknown[0]!r}; choose from {', '.join(makers)}")
        if chosen.again:
            name, label = chosen.again.with_suffix(".txt").read_text(encoding="utf-8").splitlines()[:2]
            print(makers[name]().spoil(label, chosen.again.read_bytes()))
            return 0
        names = chosen.names or list(makers)
        seed = random.randrange(2**32) if chosen.seed is None else chosen.seed
        print(f"seed {seed}, {chosen.seconds:g} s, {len(names)} readers", flush=True)
        tallies = [
            _tried(name, makers[name](), random.Random(f"{seed} {name}"), chosen.seconds / len(names), chosen.crashes)
            for name in names
        ]
    tried = sum(tally.outcomes.total() + tally.crashes.total() for tally in tallies)
    crashed = sum(tally.crashes.total() for tally in tallies)
    print(f"{'all':22} {tried:>8,} tried; {crashed} crashes")
    return int(crashed > 0)


def _tried(name: str, target: Target, chance: random.Random, seconds: float, kept: Path) -> Tally:
    tally, until = Tally(name), time.monotonic() + seconds
    while time.monotonic() < until:
        label, body = spoiled(target, chance)
        began = time.monotonic()
        try:
            tally.outcomes[target.spoil(label, body)] += 1
        except Exception as crash:  # noqa: BLE001 - finding them is the point
            _keep(tally, crash, label, body, kept)
        took = time.monotonic() - began
        if took > SLOW:
            _keep(tally, TimeoutError(f"{took:.0f} s for one input"), label, body, kept)
        tally.slowest = max(tally.slowest, took)
    print(tally.line, flush=True)
    return tally


def _keep(tally: Tally, crash: Exception, label: str, body: bytes, kept: Path) -> None:
    """Keep what crashed, once for each place in the code."""
    where = traceback.extract_tb(crash.__traceback__)
    place = f"{type(crash).__name__} {where[-1].name if where else ''} {where[-1].lineno if where else ''}"
    tally.crashes[place] += 1
    if tally.crashes[place] == 1 and len(tally.crashes) <= MOST_KEPT:
        kept.mkdir(parents=True, exist_ok=True)
        stem = kept / f"{tally.name.replace(' ', '-')}-{len(tally.crashes)}"
        stem.with_suffix(".bin").write_bytes(body)
        told = "".join(traceback.format_exception(crash))
        stem.with_suffix(".txt").write_text(f"{tally.name}\n{label}\n{told}", encoding="utf-8")
        print(f"! {tally.name}: {type(crash).__name__}: {str(crash)[:200]!r}, kept as {stem}.bin", flush=True)


if __name__ == "__main__":
    sys.exit(main())
