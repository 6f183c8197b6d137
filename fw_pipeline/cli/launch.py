"""What `run`, `revisit` and `rebuild` do: fetch, build once whatever came in, and say what was published.

What takes time to import is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fw_pipeline.cli.progress import Progress
from fw_pipeline.errors import PipelineError
from fw_pipeline.months import Window
from fw_pipeline.orchestration.instance import prepare
from fw_pipeline.settings import Settings
from fw_pipeline.warehouse import query


@dataclass(frozen=True, slots=True)
class Launched:
    """The outcome of a command: whether a file was published, and every failure as a line."""

    published: bool
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def launch(
    settings: Settings,
    *,
    fetches: Sequence[tuple[str, Window | None]] = (),
    again: bool = True,
) -> Launched:
    """Run the jobs that fetch, then build, check and publish what is there: one build, whatever failed before.

    Where a source failed, all that came in is published, as it is in the UI. Where nothing came in that is not
    published, a fetch that failed is followed by no build.

    Args:
        settings: the settings of this run.
        fetches: names of the jobs that fetch, each with its months; None where the job knows them.
        again: whether months that are here already are asked for again.
    """
    prepare(settings.data_dir)
    with Progress() as progress:
        from dagster import DagsterInstance

        from fw_pipeline.definitions import build_defs, load_models
        from fw_pipeline.orchestration.build_sensor import nothing_here, unpublished
        from fw_pipeline.orchestration.instance_storage import told
        from fw_pipeline.orchestration.jobs import REBUILD
        from fw_pipeline.orchestration.retention import trim
        from fw_pipeline.orchestration.run_job import run_job
        from fw_pipeline.orchestration.runs import held_by_runs, mark_killed
        from fw_pipeline.sources import SOURCES
        from fw_pipeline.transform.context import Pipeline

        models = load_models()
        pipeline = Pipeline(SOURCES, models, given=settings, progress=progress, again=again)
        definitions = build_defs(models=models, resources={"pipeline": held_by_runs(pipeline)}, settings=settings)
        published = False
        failures: list[str] = []
        notes: list[str] = []
        with told(), DagsterInstance.get() as instance:
            mark_killed(instance, settings.data_dir)
            for name, window in fetches:
                failures += run_job(definitions, name, instance=instance, window=window).failures
            if nothing_here(pipeline):
                failures += [] if failures else [str(_NOTHING)]
            elif not failures or unpublished(pipeline):
                built = run_job(definitions, REBUILD, instance=instance)
                published = built.succeeded
                failures += built.failures
            try:
                trim(instance, keep=settings.keep_runs)
            except PipelineError as reason:  # what was fetched and published is none the worse
                notes.append(f"note: {reason}")
        return Launched(published, tuple(dict.fromkeys(failures)), tuple(notes))


_NOTHING = PipelineError("publish", "no month of any source has come in", "fetch some: fw-pipeline run")


def what_is_published(settings: Settings, launched: Launched) -> str:
    """Return the last line of a command: what the published file rests on, and what it lacks."""
    path, failed = settings.published, len(launched.failures)
    why = "the line above says why" if failed == 1 else f"the {failed} lines above say why"
    if not launched.published:
        here = f"{path} is as it was" if path.exists() else "there is no file yet"
        return f"nothing was published, and {here}: {why}"
    months = query(path, "select source, months, first_month, last_month from meta.sources order by source").rows()
    rests = [f"{source} {Window.of(first, last)} ({count} months)" for source, count, first, last in months if count]
    lacks = [source for source, count, _, _ in months if not count]
    said = f"published {path}: {', '.join(rests)}"
    if lacks:
        said += f"; not {', '.join(lacks)}, of which no month has come in"
    return f"{said}; not all that was asked for: {why}" if failed else said
