"""Several providers fill one source: each month comes from the first that reaches it, and stays its own series."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.catalog.frameworks import FRAMEWORKS, TAGS
from fw_pipeline.contract import Batch
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import asking, choose, freshness, out_of_reach, shared_out
from fw_pipeline.months import Window, parse_month
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World
from fw_pipeline_tests.support.relations import DDL, empty_warehouse, insert, models

SOURCE = SOURCES["stackoverflow"]
NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)


def settings(providers: str = "", **given: str) -> Settings:
    asked = {"FW_PROVIDERS": f"stackoverflow={providers}"} if providers else {}
    return read({**asked, **given}, dotenv=Path("none"))


def whose(providers: str, first: str, last: str, **given: str) -> dict[str, str]:
    own = settings(providers, **given)
    window = Window.of(parse_month(first), parse_month(last))
    parts = shared_out(choose(SOURCE, own), window, own, now=NOW)
    assert [month for _, part in parts for month in part.months()] == list(window.months())
    return {str(part): one.provider.name for one, part in parts}


def test_live_mode_takes_the_copy_of_the_dump_and_the_api_after_it() -> None:
    assert whose("", "2015-11", "2026-10", FW_MODE="live") == {
        "2015-11 to 2024-03": "clickhouse",
        "2024-04 to 2026-10": "api",
    }


@pytest.mark.parametrize(
    ("providers", "found"),
    [
        ("api", {"2023-12 to 2024-06": "api"}),
        ("api+clickhouse", {"2023-12 to 2024-06": "api"}),
        ("clickhouse+api", {"2023-12 to 2024-03": "clickhouse", "2024-04 to 2024-06": "api"}),
        ("clickhouse:/data/c+apis/*.parquet+api", {"2023-12 to 2024-03": "clickhouse", "2024-04 to 2024-06": "api"}),
        ("recorded+clickhouse+api", {"2023-12 to 2024-03": "clickhouse", "2024-04 to 2024-06": "api"}),
        ("clickhouse", {"2023-12 to 2024-06": "clickhouse"}),
    ],
)
def test_each_month_is_asked_of_the_first_that_reaches_it(providers: str, found: dict[str, str]) -> None:
    assert whose(providers, "2023-12", "2024-06") == found


@pytest.mark.parametrize("path", ["/data/c++/*.parquet", "/data/c+dump", "https://example.org:8443/a+api-b/*.parquet"])
def test_a_file_may_have_a_plus_in_its_name(path: str) -> None:
    chosen = choose(SOURCE, settings(f"clickhouse:{path}+api"))
    if path.endswith("+dump"):
        assert [one.provider.name for one in chosen.chain] == ["clickhouse", "dump", "api"], (
            "the name of a provider ends it"
        )
        return
    assert [(one.provider.name, one.options.get("path")) for one in chosen.chain] == [
        ("clickhouse", path),
        ("api", None),
    ]


@pytest.mark.parametrize(("providers", "name"), [("clickhose+api", "clickhose"), ("pypistats", "pypistats")])
def test_a_provider_that_is_misspelt_is_named(providers: str, name: str) -> None:
    with pytest.raises(
        PipelineError, match=f"stackoverflow has no provider '{name}'; choose one of recorded, clickhouse, api"
    ):
        choose(SOURCE, settings(providers))


def test_only_months_that_none_of_them_reaches_are_out_of_reach() -> None:
    both, one = settings("clickhouse+api"), settings("clickhouse")
    window = Window.of(date(2024, 2, 1), date(2026, 11, 1))
    assert [str(it.month) for it in out_of_reach(choose(SOURCE, both), window, both, now=NOW)] == ["2026-11"]
    (said,) = out_of_reach(choose(SOURCE, one), window, one, now=NOW)
    assert str(said.month) == "2024-04 to 2026-11"
    assert "the copy is of the dump of April 2024" in said.cause


def test_the_source_is_as_fresh_as_the_provider_that_reaches_furthest(tmp_path: Path) -> None:
    own = settings("clickhouse+api", FW_DATA_DIR=str(tmp_path))
    found = freshness(SOURCE, own, now=NOW)
    assert (found.provider, found.is_stale) == ("api", True)
    assert found.what == "fw-pipeline run --source stackoverflow --from 2015-11 --to 2026-10"


@pytest.fixture
def long_world(services: FakeServices) -> FakeServices:
    """The fake services, with questions from March 2023 to June 2024."""
    services.reset(World(first_question=date(2023, 3, 1), last_question=date(2024, 6, 1), today=date(2026, 11, 1)))
    return services


def at(services: FakeServices, data: Path) -> dict[str, str]:
    return {
        "FW_DATA_DIR": str(data),
        "FW_PROVIDERS": "stackoverflow=clickhouse+api",
        "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange",
        "FW_CLICKPY_URL": f"{services.url}/clickpy",
        "FW_FORCE": "1",
    }


def test_two_providers_fill_one_range_as_two_series_that_no_sum_mixes(tmp_path: Path, long_world: FakeServices) -> None:
    own = read(at(long_world, tmp_path), dotenv=Path("none"))
    window = Window.of(date(2023, 4, 1), date(2024, 6, 1))
    frames = [
        batch.rows.with_columns(provider=pl.lit(one.provider.name))
        for one, months in shared_out(choose(SOURCE, own), window, own, now=NOW)
        for batch in one.provider.fetch(asking(one, months, own, now=NOW)[0])
        if isinstance(batch, Batch)
    ]
    built = (
        *("staging.stackoverflow", "marts.framework_metrics"),
        *("marts.stackoverflow_comparison", "marts.questions_over_12_months"),
    )
    others = ("staging.pypi", "marts.models_by_framework", "marts.papers_by_framework")
    before = [name for name in DDL if name.startswith(("raw.", "meta."))]
    with empty_warehouse((*before, *others), models()) as warehouse:
        warehouse.register("rows", pl.concat(frames))
        warehouse.execute("insert into raw.stackoverflow by name select * from rows")
        insert(warehouse, "meta.months", [{"month": month} for month in window.months()])
        insert(warehouse, "meta.tags", [asdict(tag) for tag in TAGS])
        insert(warehouse, "meta.frameworks", [{"framework": it.name, "title": it.title} for it in FRAMEWORKS])
        for model in sorted((it for it in models() if it.name in built), key=lambda it: built.index(it.name)):
            warehouse.execute(f"create schema if not exists {model.name.partition('.')[0]}")
            warehouse.execute(f"create table {model.name} as {model.sql}")
        spans = "select series, min(month), max(month), count(distinct month) from staging.stackoverflow group by 1"
        assert sorted(warehouse.sql(spans).fetchall()) == [
            ("api", date(2024, 4, 1), date(2024, 6, 1), 3),
            ("clickhouse", date(2023, 4, 1), date(2024, 3, 1), 12),
        ]
        sums = """
            select series, month, questions_12_months from marts.stackoverflow_comparison
            where framework = 'keras' and questions_12_months is not null
        """
        world = long_world.world
        year = sum(world.questions_in(month, "keras") for month in window.months()[:12])
        assert warehouse.sql(sums).fetchall() == [("clickhouse", date(2024, 3, 1), year)]
        mixed = "select * from marts.questions_over_12_months where series = 'api' and months_found > 3"
        assert warehouse.sql(mixed).fetchall() == []


@pytest.mark.long
def test_a_run_says_the_whole_cost_first_and_asks_each_for_its_months(tmp_path: Path, long_world: FakeServices) -> None:
    data = tmp_path / "data"
    given = {name: text for name, text in at(long_world, data).items() if name != "FW_DATA_DIR"}
    done = fw_pipeline(data, "run", "--source", "stackoverflow", "--from", "2024-02", "--to", "2024-05", **given)
    said = done.err.splitlines()
    cost, first = (
        next(number for number, line in enumerate(said) if words in line)
        for words in (
            "stackoverflow 2024-04 to 2024-05 will come from api: at most about",
            "stackoverflow 2024-02 to 2024-03 from clickhouse: 1 request",
        )
    )
    assert cost < first
    found = {
        path.parent.name: pl.read_parquet(path)
        for path in (data / "raw" / "stackoverflow").glob("*/*Z-*.parquet")
        if ".detail." not in path.name
    }
    whose = {month: frame["provider"].unique().item() for month, frame in sorted(found.items())}
    assert whose == {"2024-02": "clickhouse", "2024-03": "clickhouse", "2024-04": "api", "2024-05": "api"}
    truth = long_world.world.questions_in(date(2024, 5, 1), "keras")
    assert found["2024-05"].filter(tagged="keras")["questions"].item() == truth
