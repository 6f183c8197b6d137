"""Try mutants for a while, and count: `python -m fw_pipeline_tests.tools.mutation [seconds] [parts]`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fw_pipeline_tests.tools.mutation.asking import Asking
from fw_pipeline_tests.tools.mutation.mutant import Mutant, judged_equivalent
from fw_pipeline_tests.tools.mutation.parts import PARTS, SQL, mutants
from fw_pipeline_tests.tools.mutation.trial import Place

SECONDS = 3600.0
OUTCOMES = ("killed", "timed out", "equivalent", "survived", "not reached")


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what is named, or everything; return 1 where a mutant survived that nobody judged equivalent."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=SECONDS, help="time for all of it, after the start")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}; all when left out")
    parser.add_argument("--seed", type=int, default=None, help="draw the mutants of this seed instead of a new one")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.parts) - set(PARTS)):
        parser.error(f"no part named {unknown[0]!r}; choose from {', '.join(PARTS)}")
    seed = random.randrange(2**32) if chosen.seed is None else chosen.seed
    every = {part: list(mutants(part)) for part in PARTS if not chosen.parts or part in chosen.parts}
    made = ", ".join(f"{len(found):,} of {part}" for part, found in every.items())
    print(f"seed {seed}, {chosen.seconds:g} s; mutants that there are: {made}", flush=True)
    tallies: dict[str, Counter[str]] = {part: Counter() for part in every}
    with tempfile.TemporaryDirectory(prefix="fw-mutation-") as folder:
        try:
            asking = Asking.learnt(Place.at(Path(folder)), sql=SQL in every, python=any(part != SQL for part in every))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return 2
        until = time.monotonic() + chosen.seconds
        judged = judged_equivalent()
        for part, one in _in_turn(every, seed):
            if time.monotonic() > until:
                break
            outcome = "equivalent" if one.name in judged else tried(asking, one)
            tallies[part][outcome] += 1
            if outcome in {"survived", "not reached", "timed out"}:
                print(f"  {outcome}: {one.told}", flush=True)
    for part, tally in tallies.items():
        print(line(part, tally, len(every[part])))
    print(line("all", sum(tallies.values(), Counter()), sum(map(len, every.values()))))
    return int(any(tally["survived"] + tally["not reached"] for tally in tallies.values()))


def tried(asking: Asking, one: Mutant) -> str:
    """Ask the tests about a mutant; return one of `OUTCOMES`. A defect that ends the process is noticed too."""
    outcome = "not reached"
    with asking.place.spoilt(one):
        for stage in asking.stages(one):
            status = asking.place.in_child(
                lambda stage=stage: asking.place.test(stage.arguments, [asking.plugin(one)]),  # type: ignore[misc]
                seconds=20 + 5 * stage.seconds,
            )
            if status is None:
                return "timed out"
            if status == NOTHING_SELECTED:
                continue
            if status != 0:
                return "killed"
            outcome = "survived"
    return outcome


NOTHING_SELECTED = 5
"""What pytest ends with where no test was selected: a model without an example."""


def line(name: str, tally: Mapping[str, int], made: int) -> str:
    """Return a tally on one line. The score is of what can be noticed: equivalent mutants do not count."""
    tried_of_it = sum(tally.values())
    noticed, noticeable = tally["killed"] + tally["timed out"], tried_of_it - tally["equivalent"]
    told = ", ".join(f"{tally[outcome]:,} {outcome}" for outcome in OUTCOMES)
    score = f"{noticed / noticeable:.1%}" if noticeable else "none"
    return f"{name:12} {tried_of_it:>5,} tried of {made:,}: {told}; score {score}"


def _in_turn(every: Mapping[str, Sequence[Mutant]], seed: int) -> Iterator[tuple[str, Mutant]]:
    """Yield mutants drawn at random, of each part in turn, so that whenever the time is over each had its share."""
    drawn = {part: random.Random(f"{seed} {part}").sample(found, len(found)) for part, found in every.items()}
    for number in range(max(map(len, drawn.values()))):
        yield from ((part, found[number]) for part, found in drawn.items() if number < len(found))


if __name__ == "__main__":
    sys.exit(main())
