"""What takes too long for every change: real faults, many times over, bounded in time, with a tally of what held.

`make soak` runs all of it; `docs/reliability.md` says what each soak does and what came of it.
"""
