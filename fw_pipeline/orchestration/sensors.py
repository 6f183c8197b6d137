"""Freshness in the UI: a check beside each source, and the sensor that keeps it true while nothing runs."""

import json
from collections.abc import Mapping

from dagster import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetKey,
    DefaultSensorStatus,
    ResourceParam,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    asset_check,
    sensor,
)

from fw_pipeline import alerts
from fw_pipeline.alerts import Alert
from fw_pipeline.contract import Source
from fw_pipeline.ingestion.freshness import Freshness, freshness
from fw_pipeline.transform.context import Pipeline

CHECK = "last_closed_month_is_there"


def freshness_check(source: Source) -> AssetChecksDefinition:
    """Return the check that warns when a source lacks the last month that is due; it blocks nothing."""

    @asset_check(
        asset=["raw", source.name],
        name=CHECK,
        description=(
            f"Green: the last month that is due, {source.due_days} days after its end, is here. "
            "Yellow: it is not, or the provider has nothing newer, as where recorded figures end. It blocks nothing."
        ),
    )
    def check(pipeline: ResourceParam[Pipeline]) -> AssetCheckResult:
        found = freshness(source, pipeline.settings, now=pipeline.clock())
        return AssetCheckResult(
            passed=found.months_behind == 0,
            severity=AssetCheckSeverity.WARN,
            description=found.line,
            metadata=_metadata(found),
        )

    return check


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
                    check_name=CHECK,
                    passed=one.months_behind == 0,
                    severity=AssetCheckSeverity.WARN,
                    description=one.line,
                    metadata=_metadata(one),
                )
                for one in changed
            ],
            cursor=json.dumps({one.source: [one.is_stale, one.line] for one in begun}),
        )

    return look


def _metadata(found: Freshness) -> dict[str, str | int]:
    return {
        "provider": found.provider,
        "last month here": f"{found.last_month:%Y-%m}" if found.last_month else "none",
        "later months that are due": found.months_behind if found.months_behind is not None else "all",
        "what would supply them" if found.is_stale else "next": found.what,
    }
