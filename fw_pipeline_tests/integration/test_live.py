"""Live mode by the command line against the test server: all four sources, no secret anywhere, and going on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose
from fw_pipeline.months import Window
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import described, query
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.fake_services.server import FakeServices

MONTHS = Window.of(date(2022, 4, 1), date(2022, 6, 1))
NOW = datetime(2026, 11, 28, tzinfo=UTC)
KEY, TOKEN = "key((with*signs~and.more", "hf_a_token_to_look_for"


def settings(services: FakeServices) -> dict[str, str]:
    pwc = f"{services.url}/pwc"
    return {
        "FW_MODE": "live",
        "FW_PROVIDERS": "stackoverflow=api",
        "FW_CONTACT": "somebody@example.org",
        "STACKEXCHANGE_KEY": KEY,
        "HF_TOKEN": TOKEN,
        "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange",
        "FW_HUGGINGFACE_URL": f"{services.url}/huggingface",
        "FW_ARXIV_URL": f"{services.url}/arxiv",
        "FW_PYPISTATS_URL": f"{services.url}/pypistats",
        "FW_CLICKPY_URL": f"{services.url}/clickpy",
        "FW_PWC_LINKS_URL": f"{pwc}/links-between-papers-and-code.json.gz",
        "FW_PWC_PAPERS_URL": f"{pwc}/papers-with-abstracts.json.gz",
    }


def everything_written(data: Path) -> Iterator[tuple[str, str]]:
    """Go over what was left, unpacked: files, packed answers, vintages, and each table of the published file if any."""
    for path in filter(Path.is_file, data.rglob("*")):
        body = path.read_bytes()
        if path.suffix == ".parquet":
            frame, told = pl.read_parquet(path), str(pl.read_parquet_metadata(path))
            body = f"{told}{frame.to_dicts()}".encode()
        yield str(path), (gzip.decompress(body) if path.suffix == ".gz" else body).decode("utf-8", "replace")
    published = data / "warehouse.duckdb"
    if not published.exists():
        return
    tables = described(published)
    with duckdb.connect(str(published), read_only=True) as connection:
        for table in tables:
            yield table.name, f"{table.comment}{connection.execute(f'from {table.name}').fetchall()}"


def assert_no_secret_is_kept_and_each_went_to_its_service_alone(data: Path, services: FakeServices) -> None:
    assert [place for place, words in everything_written(data) if KEY in words or TOKEN in words] == []
    names = ("stackexchange", "huggingface", "pwc", "clickpy")
    told = {name: str([(it.query, dict(it.headers)) for it in services.of(name)]) for name in names}
    assert KEY in told["stackexchange"], "the key is sent to the service that it is for"
    assert TOKEN in told["huggingface"]
    assert not any(KEY in words for name, words in told.items() if name != "stackexchange")
    assert not any(TOKEN in words for name, words in told.items() if name != "huggingface")


def test_what_every_source_fetches_live_keeps_no_secret(services: FakeServices, tmp_path: Path) -> None:
    given = read({**settings(services), "FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))
    lines: list[str] = []
    for source in SOURCES.values():
        chosen = choose(source, given)
        got = ingest(chosen, MONTHS, given, run_id="x", now=NOW, log=lines.append, done=lambda _: None)
        assert sorted(got.months("present")) == list(MONTHS.months()), source.name
    assert not any(secret in line for secret in (KEY, TOKEN) for line in lines)
    assert_no_secret_is_kept_and_each_went_to_its_service_alone(tmp_path, services)


@pytest.mark.long
def test_a_live_run_fills_all_sources_from_their_live_providers_and_keeps_no_secret(
    services: FakeServices, tmp_path: Path
) -> None:
    filled = tmp_path / "data"
    done = fw_pipeline(filled, "run", "--from", "2022-04", "--to", "2022-06", **settings(services))
    assert done.status == 0, done.err
    assert done.err.count(" from ") >= 4, "each source says its plan first"
    assert not any(secret in done.err + done.out for secret in (KEY, TOKEN))
    assert_no_secret_is_kept_and_each_went_to_its_service_alone(filled, services)
    for table, provider in {
        "stackoverflow": "api",
        "huggingface": "api",
        "papers": "archive",
        "pypi": "clickpy",
    }.items():
        sql = f"select distinct provider, count(distinct month) from raw.{table} group by provider"
        assert query(filled / "warehouse.duckdb", sql).rows() == [(provider, 3)]
    months = json.loads(fw_pipeline(filled, "status", "--months", "--format", "json").out)
    shown = {row["source"]: row for row in months if row["month"] == "2022-05-01"}
    assert shown["pypi"]["providers"] == ["clickpy"]
    assert shown["stackoverflow"]["status"] == "present"


@pytest.mark.long
def test_recorded_and_live_figures_stand_side_by_side(recorded: Path, services: FakeServices) -> None:
    arguments = ("run", "--source", "pypi", "--from", "2022-04", "--to", "2022-04")
    done = fw_pipeline(recorded, *arguments, **settings(services))
    assert done.status == 0, done.err
    sql = "select distinct provider, origin from raw.pypi where month = date '2022-04-01' order by all"
    assert [provider for provider, _ in query(recorded / "warehouse.duckdb", sql).rows()] == [
        "clickpy",
        "recorded",
        "recorded",
    ]
    spliced = """
        select series from staging.pypi where month = date '2022-04-01' and package = 'torch'
        group by series having count(*) > 1
    """
    assert query(recorded / "warehouse.duckdb", spliced).rows() == []
