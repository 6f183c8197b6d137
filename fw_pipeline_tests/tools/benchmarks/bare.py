"""The pipeline's loads and SQL without Dagster and without Great Expectations, as a program of its own.

`python -m fw_pipeline_tests.tools.benchmarks.bare [--from M] [--to M] [--source NAME] [--no-ingest] [--no-models]
[--page]` works on the data folder that FW_DATA_DIR names: ingest without validation, raw tables, small tables, every
model in order, publish.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from fw_pipeline.contract import Batch
from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, parse_month
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.raw import Statement, VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS, Model, load
from fw_pipeline.transform.claims import measurements_sql
from fw_pipeline.transform.forecasts import forecasts
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import Writer, query

RUN = "bare"


def ingest(source: str, window: Window, pipeline: Pipeline) -> None:
    """Fetch months of one source and write what comes, unseen."""
    settings, now = pipeline.settings, pipeline.clock()
    chosen = choose(SOURCES[source], settings)
    reach = chosen.provider.reach(asking(chosen, window, settings, now=now)[0]).window
    within = Window(max(window.start, reach.start), min(window.end, reach.end))
    fetch, evidence_store = asking(chosen, within, settings, now=now, run_id=RUN)
    store = VintageStore(settings.data_dir)
    for batch in chosen.provider.fetch(fetch):
        if not isinstance(batch, Batch):
            raise batch
        if batch.gap is not None and batch.month is not None:
            store.state(Statement(source, batch.month, chosen.provider.name, now, "gap", batch.gap, ""))
            continue
        store.add(
            source,
            batch.month,
            batch.rows,
            provider=chosen.provider.name,
            observed_at=evidence_store.observed_at(batch.evidence),
            evidence=batch.evidence,
            run_id=RUN,
            detail=batch.detail,
            detail_name=chosen.provider.detail.name if chosen.provider.detail else None,
        )
    evidence_store.finish()


def build(writer: Writer, pipeline: Pipeline) -> None:
    """Make the small tables and every model, each after what it reads."""
    for seed in seeds():
        writer.seed(f"meta.{seed.name}", seed.frame(pipeline), description=seed.description, columns=seed.words)
    united = foretold = False
    for model in pipeline.models:
        if MEASUREMENTS in model.upstream and not united:
            writer.build(MEASUREMENTS, measurements_sql(pipeline.models), description="", columns={})
            united = True
        if FORECASTS in model.upstream and not foretold:
            writer.seed(FORECASTS, forecasts(writer.frame(f"from {FORECAST_SERIES}")), description="", columns={})
            foretold = True
        words = {name: column.description for name, column in model.doc.columns.items()}
        writer.build(model.name, model.sql, description=model.doc.description, columns=words)


def draw(pipeline: Pipeline) -> None:
    """Draw the page from the published file."""
    from fw_pipeline import report  # noqa: PLC0415 - only this step pays for it

    folder = pipeline.settings.data_dir / "report"
    for name, content in report.build(
        lambda sql: query(pipeline.settings.published, sql), pipeline.models
    ).files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def models() -> tuple[Model, ...]:
    """Return the SQL models; the pipeline's own way to them imports Dagster."""
    raw = {f"raw.{source}{suffix}" for source in SOURCES for suffix in ("", "_vintages", "_unpartitioned")}
    providers = [provider for source in SOURCES.values() for provider in source.providers.values()]
    detail = {f"detail.{provider.detail.name}" for provider in providers if provider.detail}
    return load(
        read().sql_dir, frozenset(raw | detail | {f"meta.{seed.name}" for seed in seeds()} | {MEASUREMENTS, FORECASTS})
    )


def main() -> None:
    """Do all of it, or what the arguments leave of it."""
    parser = argparse.ArgumentParser(prog=RUN, description=__doc__)
    parser.add_argument("--from", dest="first", type=parse_month, default=FIRST_MONTH)
    parser.add_argument("--to", dest="last", type=parse_month, default=last_closed_month(datetime.now(UTC)))
    parser.add_argument("--source", action="append", choices=list(SOURCES))
    parser.add_argument("--no-ingest", action="store_true", help="load what is there")
    parser.add_argument("--no-models", action="store_true", help="only ingest, load and publish")
    parser.add_argument("--page", action="store_true", help="draw the page too")
    chosen = parser.parse_args()
    pipeline = Pipeline(SOURCES, () if chosen.no_models else models())
    sources = chosen.source or list(SOURCES)
    for source in () if chosen.no_ingest else sources:
        ingest(source, Window.of(chosen.first, chosen.last), pipeline)
    with pipeline.warehouse.writing() as writer:
        for source in sources:
            writer.load_raw(source)
    if pipeline.models:
        with pipeline.writing() as writer:
            build(writer, pipeline)
    pipeline.warehouse.publish()
    if chosen.page:
        draw(pipeline)
    if strange := {"dagster", "great_expectations"} & sys.modules.keys():
        sys.exit(f"this is not bare: {', '.join(sorted(strange))} was imported")


if __name__ == "__main__":
    main()
