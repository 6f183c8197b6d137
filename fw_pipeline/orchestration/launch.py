"""What the command line launches: the jobs that fetch, then one build of whatever came in; and when a build is due."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster import DagsterInstance, Definitions

from fw_pipeline.errors import PipelineError
from fw_pipeline.months import Window
from fw_pipeline.orchestration.instance import told, write_quickly
from fw_pipeline.orchestration.jobs import REBUILD
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import mark_killed, run_job
from fw_pipeline.warehouse import query


@dataclass(frozen=True, slots=True)
class Launched:
    """The outcome of a command: whether a file was published, and every failure as a line."""

    published: bool
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fetch_and_build(
    definitions: Definitions, pipeline: Pipeline, fetches: Sequence[tuple[str, Window | None]] = ()
) -> Launched:
    """Run the jobs that fetch, then build, check and publish what is there: one build, whatever failed before.

    Where a source failed, all that came in is published, as it is in the UI. Where nothing came in that is not
    published, a fetch that failed is followed by no build.

    Args:
        definitions: the code location; its resource `pipeline` is that of `pipeline`.
        pipeline: what the runs work with.
        fetches: names of the jobs that fetch, each with its months; None where the job knows them.

    Raises:
        PipelineError: Dagster's history cannot be read or written.
    """
    from fw_pipeline.orchestration.retention import trim  # noqa: PLC0415 - it brings all of Dagster's storage

    write_quickly()
    published = False
    failures: list[str] = []
    notes: list[str] = []
    with told(), DagsterInstance.get() as instance:
        mark_killed(instance, pipeline.settings.data_dir)
        for name, window in fetches:
            failures += run_job(definitions, name, instance=instance, window=window).failures
        if nothing_here(pipeline):
            failures += [] if failures else [str(_NOTHING)]
        elif not failures or unpublished(pipeline):
            built = run_job(definitions, REBUILD, instance=instance)
            published = built.succeeded
            failures += built.failures
        try:
            if trim(instance, keep=pipeline.settings.keep_runs) is None:
                notes.append(f"note: {NOT_TRIMMED}")
        except PipelineError as reason:  # what was fetched and published is none the worse
            notes.append(f"note: {reason}")
    return Launched(published, tuple(dict.fromkeys(failures)), tuple(notes))


NOT_TRIMMED = PipelineError(
    "Dagster's history",
    "it is stored otherwise than this version sets it up, so old runs are not removed",
    "if an earlier version made it, delete its folder to change over; no figure is in it",
)

_NOTHING = PipelineError("publish", "no month of any source has come in", "fetch some: fw-pipeline run")


def nothing_to_build(pipeline: Pipeline) -> str | None:
    """Return why no build would give another published file than the one that is there; None where one would."""
    if nothing_here(pipeline):
        return "waits for the first month of any source"
    return None if unpublished(pipeline) else "everything that came in is published"


def nothing_here(pipeline: Pipeline) -> bool:
    """Say whether no month of any source has come in."""
    return not any(pipeline.vintages.vintages(name) for name in pipeline.sources)


def unpublished(pipeline: Pipeline) -> frozenset[str]:
    """Return the sources of which the published file has other vintages than are on disk."""
    published = _published(pipeline)
    return frozenset(name for name, listing in _here(pipeline).items() if listing != published.get(name))


def state(pipeline: Pipeline) -> str:
    """Return a mark of the vintages on disk: it changes when one comes or goes."""
    return hashlib.sha256(repr(sorted(_here(pipeline).items())).encode()).hexdigest()[:16]


def _here(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages on disk, by source."""
    return {name: pipeline.vintages.listing(name) for name in pipeline.sources}


def _published(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages that the published file is made of, by source."""
    try:
        rows = query(pipeline.settings.published, "select source, listing from meta.loads").rows()
    except PipelineError:
        return {}
    return dict(rows)
