"""The listing of papers: there when nothing was fetched, whole when two providers fetched it, and measured."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.definitions import load_models
from fw_pipeline.orchestration.asset_metadata import relation_key
from fw_pipeline.orchestration.pipeline import Pipeline, registered
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.sources.papers.paper_tables import PAPERS
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import Writer

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEGAN, LATER = date(2018, 12, 1), date(2019, 1, 1)


def pipeline(data: Path) -> Pipeline:
    settings = read({"FW_DATA_DIR": str(data)}, dotenv=Path("none"))
    return Pipeline(SOURCES, load_models(), given=settings, clock=lambda: NOW)


def add(data: Path, provider: str, month: date, papers: list[tuple[list[str], list[str]]], *, days: int = 0) -> None:
    """Write a vintage with a listing: the frameworks and the authors of each paper."""
    figures = {"month": month, "population": provider, "venue": "*", "frameworks": [], "papers": len(papers)}
    listing = [
        {"population": provider, "paper_url": f"{provider} {month} {number}", "date": month, "frameworks": frameworks,
         "authors": authors}
        for number, (frameworks, authors) in enumerate(papers)
    ]  # fmt: skip
    VintageStore(data).add(
        "papers",
        month,
        pl.DataFrame([{**figures, "method": "counted", "origin": "x"}], schema=SOURCES["papers"].table.schema),
        provider=provider,
        observed_at=NOW + timedelta(days=days),
        evidence=(f"e/{provider}/{days}",),
        run_id=f"{provider}-{days}",
        detail=pl.DataFrame(listing, schema=PAPERS.schema),
        detail_name="papers",
    )


def rows(writer: Writer, sql: str) -> list[tuple[Any, ...]]:
    return writer.frame(sql).rows()


def test_a_listing_that_nobody_fetched_is_empty_with_the_declared_columns(tmp_path: Path) -> None:
    with pipeline(tmp_path).writing() as writer:
        assert writer.frame("from detail.papers").schema == PAPERS.schema
        assert rows(writer, "select count(*) from detail.papers") == [(0,)]


def test_two_providers_that_list_one_month_are_both_kept_each_with_its_last_word(tmp_path: Path) -> None:
    add(tmp_path, "archive", BEGAN, [([], ["Old"])])
    add(tmp_path, "archive", BEGAN, [([], ["Ann"])], days=1)
    add(tmp_path, "arxiv", BEGAN, [([], ["Ben"])], days=2)
    with pipeline(tmp_path).writing() as writer:
        assert rows(writer, "select population, authors from detail.papers order by all") == [
            ("archive", ["Ann"]),
            ("arxiv", ["Ben"]),
        ]


def test_a_fetched_listing_fills_the_table_that_was_empty_and_moves_the_claim(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    with made.writing() as writer:
        assert rows(writer, "select count(*) from detail.papers") == [(0,)]
    for month in (date(2018, number, 1) for number in range(1, 12)):
        add(tmp_path, "archive", month, [([], ["Eve"])])
    add(tmp_path, "archive", BEGAN, [(["tensorflow"], ["Ann", "Ben", "Cy"])])
    add(tmp_path, "archive", LATER, [(["pytorch"], ["Ann", "Ben"]), (["jax", "tensorflow"], ["Ben"])])
    models = {model.name: model for model in made.models}
    with made.writing() as writer:
        for seed in seeds():
            writer.seed(f"meta.{seed.name}", seed.frame(made), description=seed.description, columns=seed.words)
        for name in ("staging.author_cohorts", "claims.c15_researchers_migrated"):
            writer.build(name, models[name].sql, description="", columns={})
        found = rows(
            writer,
            """
            select formula, as_of, value, n, cannot_decide from claims.c15_researchers_migrated
            where series = 'archive' order by all
            """,
        )
    assert found == [
        ("moved to pytorch alone", LATER, 0.5, 2, None),
        ("moved to pytorch alone or beside tensorflow", LATER, 1.0, 2, None),
    ]


def test_a_registered_listing_has_its_columns_declared_and_belongs_to_the_asset_of_its_source() -> None:
    listings = {name for name in registered(SOURCES) if name.startswith("detail.")}
    assert "detail.papers" in listings
    assert {tuple(relation_key(name)) for name in listings} <= {("raw", source) for source in SOURCES}


@pytest.mark.parametrize(
    ("relation", "asset"),
    [
        ("detail.papers", ["raw", "papers"]),
        ("detail.pypi_daily", ["raw", "pypi"]),
        ("raw.pypi_vintages", ["raw", "pypi"]),
        ("staging.papers", ["staging", "papers"]),
    ],
)
def test_what_is_built_on_a_listing_waits_for_the_fetch_that_brings_it(relation: str, asset: list[str]) -> None:
    assert relation_key(relation) == asset
