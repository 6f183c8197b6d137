"""The answer, the findings and the clauses: every number is in the published figures; other figures say otherwise."""

from __future__ import annotations

import calendar
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from fw_pipeline.report import answer
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.relations import insert
from fw_pipeline_tests.support.report_warehouse import reader


def one(warehouse: Path, sql: str) -> Any:
    """Return the one cell that the query finds in the published file."""
    return query(warehouse, sql).item()


@pytest.fixture(scope="module")
def warehouse(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


def written(month: date) -> str:
    return f"{calendar.month_name[month.month]} {month.year}"


def percent(share: float) -> str:
    return f"{round(100 * abs(share))} percent"


def test_every_number_of_the_answer_is_recomputed_from_the_published_file(warehouse: Path) -> None:
    own, downloads, others = answer.answer(lambda sql: query(warehouse, sql)).sentences

    latest = "select max(month) from marts.momentum where is_headline and source = 'pypi' and framework = 'tensorflow'"
    month = one(warehouse, f"{latest} and change is not null")
    row = (
        f"from marts.momentum where is_headline and source = 'pypi' and framework = 'tensorflow' and month = '{month}'"
    )
    change, low, high = (one(warehouse, f"select {name} {row}") for name in ("change", "change_low", "change_high"))
    assert low < 0 < change < high, "the opening says that the interval leaves both open"
    assert own == (
        f"Its own downloads do not say so: in the year to {written(month)}, the last that can be compared with the one "
        f"before, there were {percent(change)} more (the scatter of the months allows {percent(low)} fewer to "
        f"{percent(high)} more)."
    )

    ahead = """
        select min(month)
        from marts.framework_metrics as t join marts.framework_metrics as p using (month, series, metric)
        where t.framework = 'tensorflow' and p.framework = 'pytorch' and metric = 'downloads_per_day'
            and series = 'StarScout, all' and p.value > t.value"""
    passed = one(warehouse, ahead)
    of_pypi = "from marts.framework_metrics where source = 'pypi' and is_headline and framework"
    month = one(warehouse, f"select max(month) {of_pypi} = 'pytorch' and value is not null")
    both = [
        one(warehouse, f"select value {of_pypi} = '{name}' and month = '{month}'") for name in ("pytorch", "tensorflow")
    ]
    assert downloads == (
        f"But PyTorch passed TensorFlow in downloads in {written(passed)} and had {both[0] / both[1]:.1f} for each one "
        f"of TensorFlow's in {written(month)}."
    )

    counted = """
        from staging.papers where series = 'nine venues' and year(month) {} and has_{} and not has_{}"""
    years = {}
    for year in range(2017, 2023):
        sums = [
            one(warehouse, "select sum(papers) " + counted.format(f"= {year}", *names))
            for names in (("pytorch", "tensorflow"), ("tensorflow", "pytorch"))
        ]
        years[year] = sums[0] / sums[1]
    since = 1 + max(year for year, ratio in years.items() if ratio < 1)
    asked = "from staging.stackoverflow where tagged = '{}' and month = '2023-05-01' and origin like 'nschloe%'"
    pytorch, tensorflow = (one(warehouse, f"select questions {asked.format(tag)}") for tag in ("pytorch", "tensorflow"))
    site = [
        one(warehouse, f"select questions {asked.format('*')}".replace("2023-05", month))
        for month in ("2023-05", "2022-05")
    ]
    assert others == (
        f"In papers at conferences PyTorch has led since {since} ({years[2022]:.1f} to 1 in 2022) and in questions on "
        f"Stack Overflow it drew level by May 2023 ({pytorch} to TensorFlow's {tensorflow}), while the whole site had "
        f"{percent(site[0] / site[1] - 1)} fewer questions than a year before."
    )


def test_every_number_in_the_title_of_a_finding_is_recomputed_from_the_published_file(
    recorded_once: Path, warehouse: Path
) -> None:
    charts = recorded_once / "report" / "charts"

    def title(name: str) -> str:
        return str(etree.parse(charts / f"{name}.svg").findtext("{http://www.w3.org/2000/svg}title"))

    lead = "PyTorch passed TensorFlow in papers in 2019, drew level in questions by May 2023"
    assert title("pytorch_for_each_tensorflow") == f"{lead} and passed it in downloads in January 2024"
    assert title("pypi_downloads") == "PyTorch passed TensorFlow in downloads in January 2024"
    assert title("papers_at_venues") == "PyTorch passed TensorFlow in papers in 2019"

    asked = "from raw.stackoverflow where origin like 'nschloe%' and month in ('2022-05-01', '2023-05-01') and tagged"
    fell = [
        percent(one(warehouse, f"select arg_max(questions, month) / arg_min(questions, month) - 1 {asked} = '{tag}'"))
        for tag in ("tensorflow", "*")
    ]
    questions = f"In the year to May 2023 questions on TensorFlow fell by {fell[0]}, those on all of Stack Overflow"
    assert title("stackoverflow_questions") == f"{questions} fell by {fell[1]}"

    by_tag = "from raw.huggingface_unpartitioned where method like '%filter%' and origin like 'hamida%' and library"
    models_of = [one(warehouse, f"select models {by_tag} = '{name}'") for name in ("PyTorch", "TensorFlow")]
    hub = f"{models_of[0] / models_of[1]:.0f} models carry the tag of PyTorch for each one with TensorFlow's"
    assert title("huggingface_models") == f"On the Hugging Face Hub {hub} (February 2025)"

    added = """
        select sum(downloads_per_day) filter (where p.framework = '{}') / sum(downloads_per_day) filter (where
        p.framework = '{}') from staging.pypi join meta.packages as p using (package)
        where month = '{}' and series like '{}%' and {}"""
    companions = added.format("pytorch", "tensorflow", "2026-06-01", "dashdown", "p.ecosystem = 'companion'")
    tools = "p.role in ('serving', 'edge')"
    serving = added.format("tensorflow", "pytorch", "2026-03-01", "top-pypi-packages (C", tools)
    assert title("packages_around") == (
        f"Around the frameworks, PyTorch leads in companion packages ({one(warehouse, companions):.1f} to 1, Jun 2026) "
        f"and TensorFlow in deployment tools ({one(warehouse, serving):.1f} to 1, Mar 2026)"
    )

    forecast = one(
        warehouse,
        "select forecast from marts.forecasts where claim = 'C25' and series = 'StarScout, all' "
        "and made_as_of = '2023-01-01' and month = '2024-07-01'",
    )
    of_month = "select downloads_per_day from staging.pypi where series = 'StarScout, all' and month = '2024-07-01'"
    came = [one(warehouse, f"{of_month} and package = '{name}'") for name in ("torch", "tensorflow")]
    expected = f"A forecast of January 2023 expected 1 to {1 / forecast:.1f} in downloads for July 2024"
    assert title("forecast_of_2023") == f"{expected}; it came to {came[0] / came[1]:.1f} to 1"


def test_without_any_figures_the_answer_says_so() -> None:
    said = answer.answer(reader(report_warehouse.empty()))
    assert said.sentences == ("No source has figures of both yet, so nothing can be said.",)
    assert said.question.endswith("?")


def test_other_figures_give_another_answer() -> None:
    connection = report_warehouse.small()
    own = {"source": "pypi", "metric": "downloads_per_day", "measure": "value", "series": "A, all", "is_headline": True}
    fallen = {"month": date(2023, 5, 1), "change": -0.2, "change_low": -0.3, "change_high": -0.1, "direction": "falls"}
    insert(connection, "marts.momentum", [{**own, **fallen, "framework": "tensorflow"}])
    sentences = answer.answer(reader(connection)).sentences
    assert sentences[0].startswith("Its own downloads say so: in the year to May 2023")
    assert "20 percent fewer (the scatter of the months allows 30 percent fewer to 10 percent fewer)" in sentences[0]
    passed = "But PyTorch passed TensorFlow in downloads in January 2024"
    assert sentences[1] == f"{passed} and had 3.4 for each one of TensorFlow's in May 2023."
    assert sentences[2] == (
        "In papers at conferences PyTorch is ahead (3.0 to 1 in 2021) and in questions on Stack Overflow it is behind "
        "(1 to 1.2 in May 2023)."
    ), "a break of the series lies in the year, so that all questions of the site cannot be compared"


@pytest.mark.parametrize("source", ["stackoverflow", "papers", "pypi"])
def test_a_source_that_lacks_is_not_mentioned(source: str) -> None:
    connection = report_warehouse.small()
    connection.execute("delete from marts.pytorch_vs_tensorflow where source = $source", {"source": source})
    said = " ".join(answer.answer(reader(connection)).sentences)
    names = {"stackoverflow": "Stack Overflow", "papers": "papers", "pypi": "downloads"}
    assert {name for name in names.values() if name in said} == {*names.values()} - {names[source]}


def of(source: str, ratios: dict[date, float], *, period: str = "month") -> pl.DataFrame:
    rows = [
        {
            "month": month,
            "period": period,
            "source": source,
            "pytorch": 100 * ratio,
            "tensorflow": 100.0,
            "ratio": ratio,
        }
        for month, ratio in ratios.items()
    ]
    return pl.DataFrame(rows)


def crossing(**cells: Any) -> pl.DataFrame:
    row = {"source": "pypi", "is_headline": True, "leader": "tensorflow", "lasted": None, "settled": None}
    return pl.DataFrame([{**row, "crossed": None, **cells}], schema_overrides={"settled": pl.Date, "crossed": pl.Date})


JANUARY, JUNE = date(2024, 1, 1), date(2024, 6, 1)


@pytest.mark.parametrize(
    ("ratios", "crossed", "said"),
    [
        ({JANUARY: 0.5, JUNE: 0.8}, crossing(), "is behind TensorFlow in downloads (1 to 1.2 in June 2024)"),
        ({JANUARY: 0.5, JUNE: 0.98}, crossing(), "drew level in downloads by June 2024"),
        ({JANUARY: 1.0, JUNE: 1.02}, crossing(), "is level in downloads by June 2024"),
        (
            {JANUARY: 0.5, JUNE: 2.0},
            crossing(crossed=JANUARY, lasted=False),
            "is ahead of TensorFlow in downloads (2.0 to 1 in June 2024)",
        ),
        ({JANUARY: 0.5, JUNE: 2.0}, crossing(crossed=JUNE), "passed TensorFlow in downloads in June 2024"),
        (
            {JANUARY: 0.5, JUNE: 2.0},
            crossing(crossed=JANUARY, lasted=False, settled=date(2024, 3, 1)),
            "passed TensorFlow in downloads in March 2024",
        ),
        (
            {JANUARY: 0.5, JUNE: 0.8},
            crossing(crossed=JANUARY, lasted=True, settled=JANUARY),
            "is behind TensorFlow in downloads (1 to 1.2 in June 2024)",
        ),
    ],
)
def test_a_lead_is_said_as_the_figures_are(ratios: dict[date, float], crossed: pl.DataFrame, said: str) -> None:
    found = answer.leads(of("pypi", ratios), crossed)
    assert answer.together(found) == f"PyTorch {said}"


def test_years_of_papers_count_from_the_last_one_in_which_tensorflow_was_ahead() -> None:
    years = {
        date(year, 1, 1): ratio for year, ratio in ((2017, 0.1), (2018, 1.2), (2019, 0.9), (2020, 2.0), (2021, 3.0))
    }
    found = answer.leads(of("papers", years, period="year"), crossing())
    assert answer.together(found) == "PyTorch passed TensorFlow in papers in 2020"
    ahead = answer.leads(of("papers", {date(2021, 1, 1): 3.0}, period="year"), crossing())
    assert answer.together(ahead) == "PyTorch is ahead of TensorFlow in papers (3.0 to 1 in 2021)"
