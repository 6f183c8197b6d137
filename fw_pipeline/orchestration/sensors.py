"""The sensors: they build what came in, mark killed runs, tell of failures and of staleness, and trim the history.

Each is on from the start, looks at files or at the history, and decides nothing that the command line does otherwise.
"""

import json
import time
from collections.abc import Mapping
from itertools import count

from dagster import (
    AssetCheckEvaluation,
    AssetCheckSeverity,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultSensorStatus,
    ResourceParam,
    RunFailureSensorContext,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    run_failure_sensor,
    sensor,
)

from fw_pipeline import alerts, signals
from fw_pipeline.alerts import Alert
from fw_pipeline.atomic_files import StorageError
from fw_pipeline.contract import Source
from fw_pipeline.ingestion.providers import freshness
from fw_pipeline.orchestration.asset_checks import FRESH, freshness_metadata
from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.jobs import NOT_TRIMMED, REBUILD, nothing_to_build, state
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import RANGE_END, RANGE_START
from fw_pipeline.orchestration.runs import UNFINISHED, WILL_RETRY, mark_killed

RUN_KEY = "dagster/run_key"
"""The tag in which Dagster notes the key of a run that a sensor asked for."""


def sensors(sources: Mapping[str, Source]) -> list[SensorDefinition]:
    """Return every sensor."""
    return [build_what_changed(), mark_killed_runs(), tell_of_failures(), watch_freshness(sources), tidy_history()]


def build_what_changed() -> SensorDefinition:
    """Return the sensor that builds, checks and publishes after months came in, however they came.

    A backfill of raw months in the UI therefore ends in the same state as the command line. It looks at the files, not
    at the history: it builds when the vintages on disk are not those of the published file. It waits until no run is
    queued or at work, so that one build follows a backfill of all sources. It builds each state of the figures once; a
    build of which no step began is launched again.
    """

    @sensor(
        name="build_what_changed",
        job_name=REBUILD,
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=1,
        description="Builds, checks and publishes everything when months have come in and nothing is running.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> RunRequest | SkipReason:
        if not _is_quiet(context.instance):
            return SkipReason("waits until nothing is running")
        try:
            if reason := nothing_to_build(pipeline):
                return SkipReason(reason)
            of_state = state(pipeline)
        except StorageError as away:  # nobody can say whether a build is due, and it would fail
            return SkipReason(str(away))
        return RunRequest(run_key=_run_key(context.instance, of_state))

    return look


WATCH = 4.0
"""Seconds for which the sensor watches a run that is at work; Dagster looks at its sensors every five."""


def _is_quiet(instance: DagsterInstance) -> bool:
    """Say whether no run is queued or at work, having waited up to `WATCH` seconds for those that are."""
    until = time.monotonic() + WATCH
    while instance.get_runs_count(RunsFilter(statuses=UNFINISHED)):
        if time.monotonic() > until:
            return False
        time.sleep(0.25)
    return True


ATTEMPTS = 3
"""How often a build is launched whose run ends before any of its steps began, as when Dagster's code server is away."""


def _run_key(instance: DagsterInstance, of_state: str) -> str:
    """Return the key of the run that builds a state of the figures: Dagster launches one run a key.

    A run that failed or was cancelled is not repeated, unless it failed before it began. After one that succeeded, the
    state is built again where it is not what is published: it had been replaced, or the file was deleted.
    """
    lost = 0
    for number in count(1):
        key = of_state if number == 1 else f"{of_state}-{number}"
        run = next(iter(instance.get_runs(RunsFilter(tags={RUN_KEY: key}), limit=1)), None)
        if run is None:
            return key
        if run.status is DagsterRunStatus.SUCCESS:
            lost = 0
        elif run.status is DagsterRunStatus.FAILURE and not instance.get_run_step_stats(run.run_id):
            lost += 1
            if lost == ATTEMPTS:
                return key
        else:
            return key
    raise AssertionError("numbers do not end")


def mark_killed_runs() -> SensorDefinition:
    """Return the sensor that marks killed runs as failed."""

    @sensor(
        name="mark_killed_runs",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=15,
        description="Marks runs as failed whose process was killed, so that nothing waits for them.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> SkipReason:
        killed = mark_killed(context.instance, pipeline.settings.locks)
        return SkipReason(f"marked as failed: {', '.join(killed)}" if killed else "no run was killed")

    return look


def tidy_history() -> SensorDefinition:
    """Return the sensor that trims the history while the UI runs; the command line does so after each run."""

    @sensor(
        name="tidy_history",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=600,
        description="Keeps the newest runs (FW_KEEP_RUNS), and of older ones what makes a month green.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> SkipReason:
        from fw_pipeline.orchestration.retention import trim  # noqa: PLC0415 - it brings all of Dagster's storage

        keep = pipeline.settings.keep_runs
        removed = trim(context.instance, keep=keep)
        return SkipReason(
            str(NOT_TRIMMED) if removed is None else f"removed {removed} runs; the newest {keep} are kept"
        )

    return look


def watch_freshness(sources: Mapping[str, Source]) -> SensorDefinition:
    """Return the sensor that looks every hour whether a month has become due, or has come, since the last look.

    It writes the checks anew where something changed, and tells of each source that has gone stale. A source that was
    never fetched is not gone stale: nobody has asked for it.
    """

    @sensor(
        name="watch_freshness",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=3600,
        description="Looks every hour whether a source has gone stale; shows it as a check, and tells of it.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> SensorResult:
        found = [freshness(source, pipeline.settings, now=pipeline.clock()) for source in sources.values()]
        begun = [one for one in found if one.last_month is not None]
        seen = json.loads(context.cursor or "{}")
        changed = [one for one in begun if seen.get(one.source) != [one.is_stale, one.line]]
        gone = [one for one in changed if one.is_stale and not seen.get(one.source, [False])[0]]
        where = pipeline.settings.alerting
        if gone and (where.webhook or where.mail_to):
            subject = f"stale: {', '.join(one.source for one in gone)}"
            alerts.send(
                Alert(subject, tuple(one.line for one in gone), where.ui), pipeline.settings, say=context.log.warning
            )
        stale = [one.line for one in begun if one.is_stale]
        well = (
            "every source that was fetched has all that its provider can give" if begun else "no source was fetched yet"
        )
        return SensorResult(
            skip_reason="; ".join(stale) or well,
            asset_events=[
                AssetCheckEvaluation(
                    asset_key=AssetKey(["raw", one.source]),
                    check_name=FRESH,
                    passed=one.months_behind == 0,
                    severity=AssetCheckSeverity.WARN,
                    description=one.line,
                    metadata=freshness_metadata(one),
                )
                for one in changed
            ],
            cursor=json.dumps({one.source: [one.is_stale, one.line] for one in begun}),
        )

    return look


def tell_of_failures() -> SensorDefinition:
    """Return the sensor that sends an alert for each failed run: its job, its months, every failure and its remedy.

    It is on from the start, and skips while nobody is set to be told. When nobody can be told, its tick fails and says
    why; the run is what it was. Runs of the command line count too.
    """

    @run_failure_sensor(
        name="tell_of_failures",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        monitor_all_code_locations=True,  # whoever launched it, and under whatever name
        description="Tells of failed runs by webhook or mail: FW_ALERT_WEBHOOK, FW_ALERT_MAIL_TO.",
    )
    def tell(context: RunFailureSensorContext, pipeline: ResourceParam[Pipeline]) -> SkipReason | None:
        settings = pipeline.settings
        run = context.dagster_run
        if run.tags.get(WILL_RETRY) == "true":
            return SkipReason(f"run {run.run_id} failed, and is launched again")
        if not (settings.alerting.webhook or settings.alerting.mail_to):
            return SkipReason(
                f"run {run.run_id} failed, and nobody is set to be told: "
                "FW_ALERT_WEBHOOK and FW_ALERT_MAIL_TO are empty"
            )
        alert = alert_of(context.instance, run, context.failure_event.message, ui=settings.alerting.ui)
        ways = alerts.send(alert, settings, say=context.log.warning)
        context.log.info("told of run %s by %s", alert.run_id, " and ".join(ways))
        return None

    return tell


def alert_of(instance: DagsterInstance, run: DagsterRun, otherwise: str | None, *, ui: str = "") -> Alert:
    """Return the alert for a failed run.

    `otherwise` is said where no step failed by itself, as when it was killed, or ended for having run too long.
    """
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)]
    lines = failure_lines(event for event in events if event is not None)
    if all(signals.INTERRUPTED in line for line in lines):
        said = " ".join((otherwise or "it ended without a word").split())
        lines = [f"run {run.run_id}: {said}; {signals.REMEDY}", *lines]
    return Alert(
        subject=f"{run.job_name} failed{_months(run)}",
        lines=tuple(lines),
        link=f"{ui}/runs/{run.run_id}" if ui else "",
        run_id=run.run_id,
    )


def _months(run: DagsterRun) -> str:
    first = run.tags.get(RANGE_START) or run.tags.get("dagster/partition")
    if not first:
        return ""
    last = run.tags.get(RANGE_END, first)
    return f" for {first[:7]}" if first == last else f" for {first[:7]} to {last[:7]}"
