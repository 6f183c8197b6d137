"""Several providers fill one source: each month comes from the first that reaches it, and stays its own series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fw_pipeline.contract import Reason, Window, parse_month
from fw_pipeline.orchestration.choosing import choose, out_of_reach, shared_out
from fw_pipeline.orchestration.freshness import freshness
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import query
from fw_pipeline_tests.command import fw_pipeline
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.fake_services.world import World

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
        Reason, match=f"stackoverflow has no provider '{name}'; choose one of recorded, clickhouse, api"
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


@pytest.mark.long
def test_two_providers_fill_one_range_as_two_series_that_no_sum_mixes(recorded: Path, services: FakeServices) -> None:
    services.reset(World(first_question=date(2023, 3, 1), last_question=date(2024, 6, 1), today=date(2026, 11, 1)))
    given = {
        "FW_PROVIDERS": "stackoverflow=clickhouse+api",
        "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange",
        "FW_CLICKPY_URL": f"{services.url}/clickpy",
        "FW_FORCE": "1",
    }
    done = fw_pipeline(recorded, "run", "--source", "stackoverflow", "--from", "2023-04", "--to", "2024-06", **given)
    assert done.status == 0, done.err
    said = done.err.splitlines()
    api = next(
        at for at, line in enumerate(said) if "stackoverflow 2024-04 to 2024-06 will come from api: at most" in line
    )
    assert any("stackoverflow 2023-04 to 2024-03 from clickhouse" in line for line in said[api:])
    published = recorded / "warehouse.duckdb"
    months = (
        "select provider, min(month), max(month), count(distinct month) from raw.stackoverflow group by 1 order by 1"
    )
    assert [row for row in query(published, months).rows() if row[0] != "recorded"] == [
        ("api", date(2024, 4, 1), date(2024, 6, 1), 3),
        ("clickhouse", date(2023, 4, 1), date(2024, 3, 1), 12),
    ]
    sums = """
        select series, month, questions_12_months from marts.stackoverflow_comparison
        where framework = 'keras' and series in ('api', 'clickhouse') and questions_12_months is not null
    """
    (row,) = query(published, sums).rows()
    assert row[:2] == ("clickhouse", date(2024, 3, 1)), "twelve months of one series, and never of two"
    windows = "select count(*) from marts.questions_over_12_months where series = 'api' and months_found > 3"
    assert query(published, windows).item() == 0
    listed = "select count(*), min(created), max(created) from detail.stackoverflow_questions"
    count, first, last = query(published, listed).row(0)
    assert count > 300
    assert (first.year, first.month, last.month) == (2024, 4, 6)
    assert (
        replace(services.world).questions_in(date(2024, 5, 1), "keras")
        == query(
            published, "select questions from raw.stackoverflow where tagged = 'keras' and month = date '2024-05-01'"
        ).item()
    )
