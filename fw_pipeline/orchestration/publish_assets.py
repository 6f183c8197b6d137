"""The two last assets: the published file and the page. Neither changes unless every check passed."""

import base64
import contextlib
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetObservation,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from fw_pipeline import locks, report
from fw_pipeline.atomic_files import FileCache, sweep, unwritable, written_aside
from fw_pipeline.errors import PipelineError
from fw_pipeline.locks import Busy, FileLocks, Locks, StillHeld, Tell, silent
from fw_pipeline.orchestration.asset_checks import Rules, broken, prove
from fw_pipeline.orchestration.asset_metadata import SEVERAL, relation_key
from fw_pipeline.orchestration.build_plan import Table
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.pipeline import Pipeline, registered
from fw_pipeline.report.answer import answer
from fw_pipeline.report.formatting import VERDICTS, in_month
from fw_pipeline.text import in_markdown
from fw_pipeline.warehouse import BOOKS, Writer, latest, reading


def publish_asset(rules: Rules, tables: Sequence[Table]) -> AssetsDefinition:
    """Return the asset `publish`: it replaces the published file when every blocking rule held on this very build."""

    @asset(
        key=["publish"],
        deps=[relation_key(relation) for relation in rules],
        group_name="published",
        kinds={"duckdb"},
        owners=["team:fw_pipeline"],
        tags={"source": SEVERAL},
        description=(
            "The DuckDB file that users open. It is replaced as a whole, once every blocking check holds; "
            "who has it open keeps the version they have. A table that is materialised by itself changes nothing here "
            "until this asset is."
        ),
    )
    @plain_failures
    def publish(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        path = pipeline.settings.published
        with pipeline.publishing() as writer:
            again = _catch_up(writer, pipeline, tables)
            gone = writer.drop_unknown({*registered(pipeline.sources), *(it.relation for it in tables), *BOOKS})
            _prove_all(writer, pipeline, rules)
        if again:
            context.log.info("what they read had changed since, so these were made again: %s", ", ".join(again))
        if gone:
            context.log.info("no model makes these any more, so they were removed: %s", ", ".join(gone))
        pipeline.progress("publish", str(path))
        return MaterializeResult(
            metadata={
                **contents(path),
                "published": MetadataValue.timestamp(pipeline.clock()),
                "path": MetadataValue.path(str(path)),
                "bytes": path.stat().st_size,
                "made again": again,
            }
        )

    return publish


def contents(published: Path) -> dict[str, str]:
    """Return what the published file holds, for whoever looks at the asset: answer, verdicts, and months by source.

    Nothing is said of a file that was built without the verdicts.
    """
    fetched = "select source, max(observed_at) as fetched from meta.coverage_by_series group by source"
    with reading(published) as read:
        if read("from duckdb_tables() where schema_name = 'marts' and table_name = 'headline_verdicts'").is_empty():
            return {}
        headline = read("from marts.headline_verdicts where as_of = (select max(as_of) from marts.headline_verdicts)")
        answered = answer(read)
        sources = read(f"from meta.sources left join ({fetched}) using (source) order by source").to_dicts()
    found = Counter(headline["verdict"])
    counted = ", ".join(f"{found[verdict]} {words}" for verdict, words in VERDICTS.items() if found[verdict])
    return {
        "answer": " ".join([answered.question, *answered.sentences]),
        **({f"verdicts as of {in_month(headline['as_of'][0])}": counted} if counted else {}),
        **{
            f"months of {row['source']}": row["why_none"]
            or f"{row['months']} months with figures, {in_month(row['first_month'])} to {in_month(row['last_month'])}; "
            f"last fetched {row['fetched']:%Y-%m-%d %H:%M} UTC"
            for row in sources
        },
    }


def report_asset() -> AssetsDefinition:
    """Return the asset `report`: one page, self-contained, made from the published file."""

    @asset(
        key=["report"],
        deps=[["publish"]],
        group_name="published",
        kinds={"altair"},
        owners=["team:fw_pipeline"],
        tags={"source": SEVERAL},
        description=(
            "The page `data/report/index.html`, made from the published file: the answer, the verdict on every claim, "
            "and the charts."
        ),
    )
    @plain_failures
    def page(context: AssetExecutionContext, pipeline: ResourceParam[Pipeline]) -> MaterializeResult[Any]:
        folder, work = pipeline.settings.work_dir / "report", pipeline.settings.work_dir / ".work"
        with alone(folder, work, pipeline.settings.locks, waits=pipeline.waits) as still_held:
            keep = FileCache(work / "drawn")
            with reading(latest(pipeline.settings.published, pipeline.settings.data_dir)) as read:
                made = report.build(read, pipeline.models, keep)
            still_held()
            _write(folder, made.files)
            keep.forget_unused()
        for seen in _observations(made.pictures):
            context.log_event(seen)
        pipeline.progress("report", str(folder / "index.html"))
        return MaterializeResult(
            metadata={"path": MetadataValue.path(str(folder / "index.html")), "machine": socket.gethostname()}
        )

    return page


@contextlib.contextmanager
def alone(
    folder: Path, work: Path, shared: Locks | None = None, *, patience: float = 900.0, waits: Tell = silent
) -> Iterator[StillHeld]:
    """Let one run at a time make the report, and begin without what a killed one left half-written.

    Two at once could leave the page of one with the charts of the other.

    Raises:
        PipelineError: another run has been at it for longer than `patience` seconds.
        StorageError: the data folder cannot be used.
        LockLost: where locks are held cannot be reached.
    """

    def told(seconds: float) -> None:
        waits(locks.line("report", seconds, now=time.time(), why="another run is making it", at_most=True))

    with contextlib.ExitStack() as held:
        try:
            work.mkdir(parents=True, exist_ok=True)
            still_held = held.enter_context((shared or FileLocks(work)).held("report", patience=patience, told=told))
        except Busy:
            cause = f"another run has been making it for more than {patience:.0f} s"
            raise PipelineError("report", cause, "wait for it, or stop it, and run again") from None
        except OSError as error:
            raise unwritable(work / "report.lock", error) from error
        sweep(folder)
        sweep(work)
        yield still_held


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what differs from the earlier report, and remove the charts of it that this one does not have."""
    for name, content in files.items():
        if (folder / name).is_file() and (folder / name).read_bytes() == content:
            continue
        with written_aside(folder / name) as stream:
            stream.write(content)
    for found in (*folder.glob("charts/[!.]*"), *folder.glob("embed/[!.]*")):
        if found.relative_to(folder).as_posix() not in files:
            found.unlink()


def _observations(pictures: Sequence[report.Picture]) -> Iterator[AssetObservation]:
    """Yield each chart as an observation of the tables that it pictures, so that the UI shows it there.

    It is drawn from the published file, after the tables were built: their own materialisations cannot carry it.
    """
    for picture in pictures:
        drawn = base64.b64encode(picture.svg.encode()).decode()
        words = in_markdown(picture.summary, 4000)
        chart = MetadataValue.md(f"![Chart](data:image/svg+xml;base64,{drawn})\n\n{words}")
        for relation in picture.shows:
            yield AssetObservation(relation_key(relation), metadata={"chart": chart})


def _catch_up(writer: Writer, pipeline: Pipeline, tables: Sequence[Table]) -> list[str]:
    """Make again what would come out otherwise, and return the names: months may come in while tables are built.

    Without this, a file could be published in which some tables know of a month and others do not.
    """
    again = []
    for table in tables:
        before = writer.contents(table.relation)
        if table.renew(writer, pipeline) and writer.contents(table.relation) != before:
            again.append(table.relation)
    return again


def _prove_all(writer: Writer, pipeline: Pipeline, rules: Rules) -> None:
    """Check what was not checked on the rows that are there, and refuse to go on unless every blocking rule holds."""
    writer.forget_checks({relation: [rule.name for rule in found] for relation, found in rules.items()})
    against = [
        reason
        for relation, found in rules.items()
        for reason in broken(relation, prove(writer, pipeline, relation, found))
    ]
    if against:
        raise ExceptionGroup("rules that do not hold", against)
