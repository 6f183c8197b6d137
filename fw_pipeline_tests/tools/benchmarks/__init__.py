"""What the pipeline costs beside the same work done bare: time, memory, requests. Facts to read, never tests.

`make bench` runs all of it; `docs/performance.md` says how to read the tables.
"""
