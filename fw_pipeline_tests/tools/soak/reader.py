"""A user of the published file, as a process of its own: `python reader.py FILE HOLD [USER]`.

It opens the file, queries it HOLD times, opens it again, until its input is closed; then it prints a line of JSON: how
many reads, which generations, and what was wrong. With USER, a number, it reads as that user of the machine. It needs
DuckDB and nothing of this project, so that any release of DuckDB can be the reader.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Iterator

import duckdb

PAUSE = 0.02
"""Seconds between two queries, so that readers leave the machine to the pipeline."""

GENERATION = """
select
    (select questions from raw.stackoverflow where provider = 'soak'),
    (select questions from staging.stackoverflow where series = 'soak'),
    (select unexpected from meta.validations where expectation = 'generation'),
    (select count(*) from marts.framework_metrics),
    (select metrics from meta.generation)
"""
"""The generation as three layers know it, the rows of a comparison, and how many there were when it was built."""


def views(path: str, hold: int) -> Iterator[tuple[int, ...]]:
    """Yield what a query sees, for ever; the file is opened anew after `hold` reads."""
    while True:
        connection = duckdb.connect(path, read_only=True)
        try:
            for _ in range(hold):
                yield connection.execute(GENERATION).fetchall()[0]
        finally:
            connection.close()


def main() -> None:
    """Read until the input is closed."""
    path, hold = sys.argv[1], int(sys.argv[2])
    if len(sys.argv) > 3:
        os.setgroups([])
        os.setgid(int(sys.argv[3]))
        os.setuid(int(sys.argv[3]))
    reads, seen, faults, last, version = 0, set(), [], 0, 0
    for number, (raw, staged, proved, rows, noted) in enumerate(views(path, hold)):
        reads += 1
        if reads == 1:
            print("reads", flush=True)
        if not raw == staged == proved or rows != noted:
            faults.append(f"half a build: {raw} in raw, {staged} staged, {proved} proved, {rows} rows of {noted}")
        if number % hold == 0:
            version = raw
        elif raw != version:
            faults.append(f"an open reader's version moved from {version} to {raw}")
        if raw < last:
            faults.append(f"went back from {last} to {raw}")
        last = raw
        seen.add(raw)
        if select.select([sys.stdin], [], [], PAUSE)[0]:
            break
    print(json.dumps({"duckdb": duckdb.__version__, "reads": reads, "seen": sorted(seen), "faults": faults[:20]}))


if __name__ == "__main__":
    main()
