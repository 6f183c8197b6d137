"""The sensor that tells somebody when a run failed, whoever launched it. What and whom to tell is decided elsewhere."""

from dagster import (
    DagsterEventType,
    DefaultSensorStatus,
    ResourceParam,
    RunFailureSensorContext,
    SensorDefinition,
    SkipReason,
    run_failure_sensor,
)
from dagster._core.instance import DagsterInstance
from dagster._core.storage.dagster_run import DagsterRun

from fw_pipeline import alerts, signals
from fw_pipeline.alerts import Alert
from fw_pipeline.orchestration.partitions import RANGE_END, RANGE_START
from fw_pipeline.orchestration.run_job import failure_lines
from fw_pipeline.transform.context import Pipeline


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
        if not (settings.alerting.webhook or settings.alerting.mail_to):
            return SkipReason(
                f"run {context.dagster_run.run_id} failed, and nobody is set to be told: "
                "FW_ALERT_WEBHOOK and FW_ALERT_MAIL_TO are empty"
            )
        alert = alert_of(context.instance, context.dagster_run, context.failure_event.message, ui=settings.alerting.ui)
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
