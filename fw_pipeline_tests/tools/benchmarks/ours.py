"""The pipeline's side of the comparisons with others: `python -m ...ours hub|posts|archive|rebuild ...`.

Each works in the data folder that FW_DATA_DIR names and leaves its figures in `figures.json` there, as others do.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

DATA = Path(os.environ["FW_DATA_DIR"])


def hub(address: str) -> None:
    """List all models through the provider `api`, with evidence, months and checks."""
    own = {"FW_PROVIDERS": "huggingface=api", "FW_HUGGINGFACE_URL": address}
    rows = _ingested("huggingface", "2022-03", "2023-06", datetime(2023, 7, 1, 7, tzinfo=UTC), own)
    keys = (f"{row['month']:%Y-%m} {row['library'] or ''}|{';'.join(row['formats'])}" for row in rows)
    _write(dict(zip(keys, ([row["models"], row["downloads_30d"], row["likes"]] for row in rows), strict=True)))


def posts(file: str, tags: str) -> None:
    """Count a Posts.xml with the scanner of the provider `dump`."""
    from fw_pipeline.sources.stackoverflow.posts_xml import Posts  # noqa: PLC0415 - of one side only

    counting = Posts(frozenset(json.loads(Path(tags).read_text(encoding="utf-8"))))
    with Path(file).open("rb") as stream:
        while block := stream.read(1 << 20):
            counting.feed(block)
    counting.finish()
    figures = {}
    for month, (site, sets) in counting.by_month().items():
        figures[f"{month:%Y-%m}"] = site
        figures |= {f"{month:%Y-%m} {';'.join(sorted(names))}": count for names, count in sets.items()}
    _write(figures)


def archive(folder: str) -> None:
    """Read the two files through the provider `archive`, with details, months and checks."""
    own = {"FW_PROVIDERS": f"papers=archive:links={folder}/links.parquet;papers={folder}/papers.parquet"}
    rows = _ingested("papers", "2015-11", "2025-07", datetime(2026, 1, 5, tzinfo=UTC), own)
    keys = (f"{row['month']:%Y-%m} {';'.join(row['frameworks'])}|{row['official']}" for row in rows)
    _write(dict(zip(keys, ([row["papers"], row["repositories"]] for row in rows), strict=True)))


def rebuild() -> None:
    """Do what `fw-pipeline rebuild` does, but for the page."""
    from dagster import AssetKey, DagsterInstance  # noqa: PLC0415 - of one side only

    from fw_pipeline.definitions import build_defs, load_models  # noqa: PLC0415
    from fw_pipeline.orchestration.instance import prepare  # noqa: PLC0415
    from fw_pipeline.orchestration.jobs import REBUILD  # noqa: PLC0415
    from fw_pipeline.orchestration.pipeline import Pipeline  # noqa: PLC0415
    from fw_pipeline.orchestration.runs import held_by_runs, run_job  # noqa: PLC0415
    from fw_pipeline.settings import read  # noqa: PLC0415
    from fw_pipeline.sources import SOURCES  # noqa: PLC0415

    settings, models = read(), load_models()
    prepare(settings.data_dir)
    pipeline = Pipeline(SOURCES, models, given=settings)
    pipeline.warehouse.discard_working()
    definitions = build_defs(models=models, resources={"pipeline": held_by_runs(pipeline)}, settings=settings)
    with DagsterInstance.get() as instance:
        ran = run_job(definitions, REBUILD, instance=instance, skip=[AssetKey("report")])
    if not ran.succeeded:
        sys.exit("; ".join(ran.failures))


def _ingested(source: str, first: str, last: str, now: datetime, own: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """Ingest months and return the rows of the vintages that were written."""
    import polars as pl  # noqa: PLC0415 - not of all sides

    from fw_pipeline.ingestion.ingest import ingest  # noqa: PLC0415
    from fw_pipeline.ingestion.providers import choose  # noqa: PLC0415
    from fw_pipeline.months import Window, parse_month  # noqa: PLC0415
    from fw_pipeline.raw import VintageStore  # noqa: PLC0415
    from fw_pipeline.settings import read  # noqa: PLC0415
    from fw_pipeline.sources import SOURCES  # noqa: PLC0415

    settings = read({"FW_DATA_DIR": str(DATA), **own}, dotenv=DATA / "none")
    months = Window.of(parse_month(first), parse_month(last))
    chosen = choose(SOURCES[source], settings)
    got = ingest(chosen, months, settings, run_id="bench", now=now, log=_silent, done=_silent)
    if got.failures:
        sys.exit("; ".join(map(str, got.failures)))
    vintages = [it.path for it in VintageStore(DATA).vintages(source) if isinstance(it.month, date)]
    return pl.read_parquet(vintages).to_dicts()


def _silent(_: object) -> None:
    pass


def _write(figures: dict[str, Any]) -> None:
    (DATA / "figures.json").write_text(json.dumps(figures, sort_keys=True), encoding="utf-8")


SIDES: Mapping[str, Callable[..., None]] = {"hub": hub, "posts": posts, "archive": archive, "rebuild": rebuild}

if __name__ == "__main__":
    SIDES[sys.argv[1]](*sys.argv[2:])
