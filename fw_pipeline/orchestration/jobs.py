"""The jobs that people launch and the schedule that launches one of them. The command line runs the same jobs."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from dagster import (
    AssetKey,
    AssetSelection,
    ScheduleDefinition,
    build_schedule_from_partitioned_job,
    define_asset_job,
)

if TYPE_CHECKING:
    from dagster._core.definitions.partitions.partitioned_schedule import (
        UnresolvedPartitionedAssetScheduleDefinition,
    )
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    Schedule = UnresolvedPartitionedAssetScheduleDefinition | ScheduleDefinition

EVERYTHING = "everything"
REBUILD = "rebuild"


def fetch_job(source: str) -> "UnresolvedAssetJobDefinition":
    """Return the job that fetches months of one source and checks them, without building what hangs on it."""
    return define_asset_job(
        f"fetch_{source}",
        selection=AssetSelection.assets(["raw", source]),
        description=f"Fetch months of {source} and check them; the tables that hang on it are not built.",
    )


def jobs(sources: Collection[str]) -> "list[UnresolvedAssetJobDefinition]":
    """Return every job: all of it for some months, the fetch of one source, and all but the fetch."""
    everything = define_asset_job(
        EVERYTHING,
        selection=AssetSelection.all(),
        description="Fetch months of all sources, build and check every table, publish the file and the page.",
    )
    rebuild = define_asset_job(
        REBUILD,
        selection=(AssetSelection.all() - AssetSelection.groups("raw"))
        | AssetSelection.checks_for_assets(*(AssetKey(["raw", source]) for source in sources)),
        description="Build, check and publish everything from the raw vintages, without any fetch.",
    )
    return [everything, rebuild, *(fetch_job(source) for source in sources)]


def monthly_schedule(everything: "UnresolvedAssetJobDefinition") -> "Schedule":
    """Return the schedule that runs everything for the month that has closed.

    On the third: most providers are late by a day or two.
    """
    return build_schedule_from_partitioned_job(
        everything,
        name="monthly",
        day_of_month=3,
        hour_of_day=6,
        description="On the third of each month, 06:00 UTC: everything for the month that has closed.",
    )
