"""All models built on the recorded figures: what the documents promise is produced, and known figures come out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose
from fw_pipeline.months import FIRST_MONTH, Window
from fw_pipeline.orchestration.build_plan import all_tables
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import Model, lineage
from fw_pipeline.warehouse import Built
from fw_pipeline_tests.support.relations import models

PUBLISHED_FIGURES = Path(__file__).parents[2] / "data" / "recorded" / "published_figures.csv"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
RECORDED = Window.of(FIRST_MONTH, date(2026, 10, 1))


@dataclass(frozen=True)
class Recorded:
    """The models, what building each of them made, and the file to query."""

    models: tuple[Model, ...]
    built: Mapping[str, Built]
    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    settings = read({"FW_DATA_DIR": str(tmp_path_factory.mktemp("data"))}, dotenv=Path("none"))
    known = models()
    pipeline = Pipeline(SOURCES, known, given=settings, clock=lambda: NOW)
    for source in SOURCES.values():
        chosen = choose(source, settings)
        ingest(chosen, RECORDED, settings, run_id="run", now=NOW, log=lambda _: None, done=lambda _: None, patience=5)
    built: dict[str, Built] = {}
    with pipeline.writing() as writer:
        for table in all_tables(SOURCES, known):
            built[table.relation] = table.make(writer, pipeline)
    with duckdb.connect(str(pipeline.warehouse.working), read_only=True) as connection:
        yield Recorded(known, built, connection)


def test_documented_columns_and_types_are_the_produced_ones_in_order(recorded: Recorded) -> None:
    for model in recorded.models:
        documented = [(name, column.type) for name, column in model.doc.columns.items()]
        assert documented == list(recorded.built[model.name].columns.items()), model.name


def test_every_model_has_rows_and_one_row_for_each_grain(recorded: Recorded) -> None:
    for model in recorded.models:
        grain = ", ".join(f'"{name}"' for name in model.doc.grain)
        doubled = recorded.rows(f"select {grain}, count(*) from {model.name} group by all having count(*) > 1 limit 3")
        assert recorded.built[model.name].rows > 0 or model.doc.may_be_empty, model.name
        assert not doubled, f"{model.name}: {doubled}"


def test_only_columns_documented_as_nullable_hold_null(recorded: Recorded) -> None:
    for model in recorded.models:
        for name, column in model.doc.columns.items():
            if not column.nullable:
                holes = recorded.rows(f'select * from {model.name} where "{name}" is null limit 3')
                assert not holes, f"{model.name}.{name}: {holes}"


def test_values_are_the_documented_ones(recorded: Recorded) -> None:
    for model in recorded.models:
        for name, column in model.doc.columns.items():
            if column.values is not None:
                seen = recorded.rows(f'select distinct "{name}" from {model.name} where "{name}" is not null')
                assert {row[0] for row in seen} <= set(column.values), f"{model.name}.{name}"


def test_no_rule_of_a_model_finds_a_failing_row(recorded: Recorded) -> None:
    for model in recorded.models:
        for rule in model.doc.expectations:
            if rule["type"] == "failing_rows":
                assert not recorded.rows(f"select * from ({rule['sql']}) limit 3"), f"{model.name}: {rule['name']}"


def test_lineage_names_columns_that_exist(recorded: Recorded) -> None:
    for model in recorded.models:
        for column, origins in lineage(model, recorded.models).items():
            for relation, origin in origins:
                assert relation in model.upstream, f"{model.name}.{column} <- {relation}"
                there = {row[0] for row in recorded.rows(f"describe {relation}")}
                assert origin in there, f"{model.name}.{column} <- {relation}.{origin}"


def test_the_yearly_questions_on_tensorflow_come_out(recorded: Recorded) -> None:
    sums = recorded.rows("""
        select year(month), sum(questions)::bigint from staging.stackoverflow
        where tagged = 'tensorflow' and year(month) in (2018, 2020, 2022) group by all order by all
    """)
    assert sums == [(2018, 14_307), (2020, 20_629), (2022, 11_301)]


def test_torch_passes_tensorflow_in_the_months_that_the_figures_say(recorded: Recorded) -> None:
    crossed = dict(
        recorded.rows("""
            select series, strftime(crossed, '%Y-%m') || case when lasted then ' and it lasted' else '' end
            from marts.crossovers where leader = 'tensorflow' and challenger = 'pytorch'
            and (metric = 'downloads_per_day' or source = 'stackoverflow')
        """)
    )
    assert crossed == {
        "StarScout, all": "2024-01 and it lasted",
        "top-pypi-packages (BigQuery), pip": "2024-03 and it lasted",
        "recorded": None,
    }


def test_the_shares_of_papers_at_the_venues_come_out(recorded: Recorded) -> None:
    shares = recorded.rows("""
        select year(starts), round(pytorch_of_pair, 3), round(pytorch_of_all, 3) from marts.research_adoption
        where series = 'nine venues' and period = 'year' and year(starts) in (2020, 2022) order by all
    """)
    assert shares == [(2020, 0.767, 0.219), (2022, 0.840, 0.322)]


@pytest.mark.parametrize(
    ("source", "first", "last", "status", "words"),
    [
        ("pypi", "2015-11-01", "2015-12-01", "gap", "begin in 2016-01"),
        ("pypi", "2016-04-01", "2016-04-01", "gap", "not recorded"),
        ("pypi", "2024-08-01", "2024-11-01", "partial", "windows"),
        ("pypi", "2024-12-01", "2024-12-01", "gap", "none for this month"),
        ("pypi", "2025-01-01", "2025-04-01", "partial", "windows"),
        ("pypi", "2025-05-01", "2025-05-01", "gap", "days lost"),
        ("pypi", "2025-06-01", "2025-06-01", "present", ""),
        ("pypi", "2018-08-01", "2024-07-01", "present", ""),
        ("stackoverflow", "2015-11-01", "2023-05-01", "present", ""),
        ("stackoverflow", "2023-06-01", "2026-10-01", "missing", "the recorded figures end in 2023-05"),
        ("huggingface", "2015-11-01", "2022-02-01", "gap", "2022-03-02"),
        ("huggingface", "2022-03-01", "2022-03-01", "partial", "holds them all"),
        ("huggingface", "2024-09-01", "2026-08-01", "present", "samples only"),
    ],
)
def test_a_hole_is_told_from_a_figure_and_says_why(
    recorded: Recorded, source: str, first: str, last: str, *, status: str, words: str
) -> None:
    seen = recorded.rows(f"""
        select status, coalesce(reason, '') from meta.coverage
        where source = '{source}' and month between '{first}' and '{last}'
    """)
    assert {row[0] for row in seen} == {status}
    assert all(words in row[1] for row in seen), seen[:3]


def test_every_month_is_in_the_coverage_of_every_source(recorded: Recorded) -> None:
    counts = recorded.rows("select source, count(*), count(distinct month) from meta.coverage group by source")
    assert counts == [(source, 132, 132) for source, _, _ in counts]
    assert {row[0] for row in counts} == set(SOURCES)


def test_published_figures_agree_but_for_the_sample_of_repositories_and_questions_counted_at_another_time(
    recorded: Recorded,
) -> None:
    outside = recorded.rows("""
        select metric, as_of, reason from marts.reconciliation
        where measured is not null and not within_tolerance and not starts_with(metric, 'papers with code')
    """)
    assert {(metric.removeprefix("stackoverflow questions "), year) for metric, year, _ in outside} == {
        ("tensorflow / pytorch", "2022"),
        ("tensorflow", "2017"),
        ("tensorflow", "2019"),
        ("pytorch", "2019"),
        ("keras", "2019"),
    }
    said = {year: reason.split(":", 1)[0] for _, year, reason in outside}
    assert said == {"2017": "unexplained", "2019": "date", "2022": "date"}


def test_every_published_figure_is_reconciled_once_a_series_and_says_why_where_it_differs(recorded: Recorded) -> None:
    with (PUBLISHED_FIGURES).open(encoding="utf-8", newline="") as stream:
        published = {(row["claim"], row["metric"], row["as_of"], row["source"]) for row in csv.DictReader(stream)}
    rows = recorded.rows(
        "select claim, metric, as_of, citation, measured, within_tolerance, reason from marts.reconciliation"
    )
    assert {row[:4] for row in rows} == published
    assert len(published) == 33
    for *_, measured, within, reason in rows:
        assert (within is True) == (reason is None)
        if measured is not None and not within:
            assert reason.split(":")[0] in {"unexplained", "definition", "date", "window", "sample"}


def test_questions_of_2019_that_were_counted_a_year_later_had_shrunk_by_some_percent(recorded: Recorded) -> None:
    lost = recorded.rows("""
        select split_part(metric, ' ', 3), round(published / measured - 1, 3) from marts.reconciliation
        where as_of = '2019' and starts_with(metric, 'stackoverflow') order by all
    """)
    assert lost == [("keras", -0.033), ("pytorch", -0.025), ("tensorflow", -0.038)]


def test_pip_stands_beside_all_installers_of_the_same_month(recorded: Recorded) -> None:
    beside = recorded.rows("""
        select key, series, compared_with, round(value), round(compared_value) from marts.drift
        where kind = 'series' and month = date '2024-06-01' and key in ('tensorflow', 'torch') order by all
    """)
    assert [row[:3] for row in beside] == [
        (package, "top-pypi-packages (BigQuery), pip", "StarScout, all") for package in ("tensorflow", "torch")
    ]
    assert all(0 < pip < everything for *_, pip, everything in beside)


def test_all_claims_have_a_headline_in_the_month_of_the_article(recorded: Recorded) -> None:
    found = dict(recorded.rows("select claim, verdict from marts.headline_verdicts where as_of = date '2023-01-01'"))
    assert sorted(found, key=lambda claim: int(claim[1:])) == [f"C{number}" for number in range(1, 27)]
    assert found["C15"] == "insufficient_data"
    assert {claim for claim, verdict in found.items() if verdict == "not_measurable"} == {"C7", "C10"}


def test_a_bound_carries_a_headline_only_where_it_lies_on_one_side(recorded: Recorded) -> None:
    said = recorded.rows("""
        select claim, verdict, len(definitions_for) from marts.headline_verdicts
        where as_of = date '2025-02-01' and claim in ('C11', 'C12') order by all
    """)
    assert said == [("C11", "supported", 1), ("C12", "insufficient_data", 0)]


def test_a_headline_says_how_old_its_figure_is_and_none_older_than_two_years_decides(recorded: Recorded) -> None:
    said = recorded.rows("""
        select strftime(as_of, '%Y-%m'), verdict, stale_months, carried_verdict from marts.headline_verdicts
        where claim = 'C14' and as_of in ('2022-05-01', '2023-10-01', '2023-11-01') order by as_of
    """)
    assert said == [
        ("2022-05", "supported", 7, "supported"),
        ("2023-10", "supported", 24, "supported"),
        ("2023-11", "insufficient_data", None, "supported"),
    ]


def test_the_listing_of_papers_is_there_before_anything_was_fetched(recorded: Recorded) -> None:
    assert recorded.rows("select count(*), max(len(authors)) from detail.papers") == [(0, None)]
