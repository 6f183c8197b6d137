"""Load, build and publish as the data grows.

`python -m ...growth add-rows MODELS PAPERS|add-vintages NUMBER EVERY|measure`: the first two add made-up vintages to
the data folder that FW_DATA_DIR names; the third does the work, without Dagster and without validation, and leaves the
CPU seconds of each part in `figures.json`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from fw_pipeline.contract import Batch
from fw_pipeline.months import Window, next_month
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.raw import Vintage, VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.huggingface.hub_counts import FORMATS, HUGGINGFACE_MODELS, Look, counted
from fw_pipeline_tests.tools.benchmarks import bare, corpora

HUB = Window.of(date(2022, 3, 1), date(2026, 8, 1))
PAPERS = Window.of(date(2015, 11, 1), date(2025, 7, 1))
SEEN = datetime(2026, 9, 2, tzinfo=UTC)

ON_DRIFT = ("marts.figure_history", "marts.drift", "marts.drift_rates")
"""The tables that read every vintage, or what is made from that."""

_LIBRARIES = ("transformers", "diffusers", "keras", "timm", "sentence-transformers", "peft", "gguf", None)
_LOOK = Look("api", "counted in the listing of all models", "Hugging Face Hub API", SEEN.date(), SEEN, SEEN)


def add_models(store: VintageStore, number: int) -> None:
    """Add a vintage of the provider `api` for each month of the Hub, so many models in all."""
    months = HUB.months()
    formats = [list(FORMATS[it : it + it % 3]) for it in range(len(FORMATS))]
    for at, month in enumerate(months):
        each = number // len(months)
        n = pl.int_range(at * each, (at + 1) * each, eager=True)
        begins = int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp()) * 1_000_000
        apart = (next_month(month) - month).days * 86_400_000_000 // each
        # numbers without a common divisor mix the columns as chance would
        models = pl.DataFrame(
            {
                "model_id": n.cast(pl.String).str.zfill(24),
                "id": pl.select(pl.format("owner-{}/model-{}", n % 9973, n)).to_series(),
                "created_at": ((n - n[0]) * apart + begins).cast(pl.Datetime("us", "UTC")),
                "library": pl.Series(_LIBRARIES).gather(n * 31 % len(_LIBRARIES)),
                "formats": pl.Series(formats, dtype=pl.List(pl.String)).gather(n * 37 % len(formats)),
                "gated": pl.Series(["no"]).gather(n * 0),
                "downloads_30d": n * 7919 % 100_003,
                "likes": n * 101 % 41,
            }
        )
        batch = counted(month, models, _LOOK, evidence=("made up",))
        assert isinstance(batch, Batch)
        store.add(
            "huggingface",
            month,
            batch.rows,
            provider="api",
            observed_at=SEEN,
            evidence=batch.evidence,
            run_id="growth",
            detail=batch.detail,
            detail_name=HUGGINGFACE_MODELS.name,
        )


def add_papers(data: Path, number: int) -> None:
    """Add the vintages that the provider `archive` makes of the archive of so many papers."""
    with tempfile.TemporaryDirectory() as folder:
        corpora.archive(Path(folder), number)
        places = f"links={folder}/links.parquet;papers={folder}/papers.parquet"
        settings = read({"FW_DATA_DIR": str(data), "FW_PROVIDERS": f"papers=archive:{places}"}, dotenv=data / "none")
        bare.ingest("papers", PAPERS, Pipeline(SOURCES, (), given=settings))


def add_vintages(store: VintageStore, number: int, every: int) -> None:
    """Add so many vintages to each month of each source, each a day later than the one before.

    Args:
        store: where to add them.
        number: how many for each month.
        every: one row in so many has another figure than in the vintage before, each time another one.
    """
    for source, table in ((name, known.table) for name, known in SOURCES.items()):
        measure = next(name for name, kind in table.measures.items() if kind == pl.Int64)
        before = 0
        for vintage in store.vintages(source):
            rows = store.read(source, vintage)
            n = pl.int_range(before, before + rows.height, eager=True)
            before += rows.height
            for turn in range(1, number + 1):
                changes = (n + turn) // every - n // every
                later = pl.col("observed_on") + timedelta(days=turn)
                _add_later(store, source, vintage, rows.with_columns(pl.col(measure) + changes, later), days=turn)


def _add_later(store: VintageStore, source: str, vintage: Vintage, rows: pl.DataFrame, *, days: int) -> None:
    """Add rows as a vintage of a month that was observed so many days after another one."""
    at = vintage.observed_at + timedelta(days=days)
    evidence = (f"made up for {at}",)
    store.add(
        source, vintage.month, rows, provider=rows["provider"][0], observed_at=at, evidence=evidence, run_id="growth"
    )


def measure(data: Path) -> None:
    """Load, build and publish, timing each part; then the tables on drift alone, and loading one vintage more."""
    pipeline, store = Pipeline(SOURCES, bare.models()), VintageStore(data)
    spent: dict[str, float] = {}

    def done(part: str, since: float) -> float:
        spent[part] = time.process_time() - since
        return time.process_time()

    began = time.process_time()
    with pipeline.warehouse.writing() as writer:
        for source in SOURCES:
            writer.load_raw(source)
    began = done("load", began)
    with pipeline.writing() as writer:
        bare.build(writer, pipeline)
    began = done("build", began)
    pipeline.warehouse.publish()
    done("publish", began)
    with pipeline.writing() as writer:
        began = time.process_time()
        for model in pipeline.models:
            if model.name in ON_DRIFT:
                writer.build(model.name, model.sql, description="", columns={})
        done("drift", began)
    for source in SOURCES:
        last = store.vintages(source)[-1]
        _add_later(store, source, last, store.read(source, last), days=1)
    began = time.process_time()
    with pipeline.warehouse.writing() as writer:
        for source in SOURCES:
            writer.load_raw(source)
    done("one more", began)
    (data / "figures.json").write_text(json.dumps(spent), encoding="utf-8")


def main() -> None:
    """Do what the arguments say."""
    data = read().data_dir
    store = VintageStore(data)
    match sys.argv[1:]:
        case ["add-rows", models, papers]:
            add_models(store, int(models))
            add_papers(data, int(papers))
        case ["add-vintages", number, every]:
            add_vintages(store, int(number), int(every))
        case ["measure"]:
            measure(data)
        case other:
            sys.exit(f"unknown: {other}")


if __name__ == "__main__":
    main()
