"""Everything that runs the pipeline: Dagster's assets, checks, jobs and schedule, and the one way figures come in."""
