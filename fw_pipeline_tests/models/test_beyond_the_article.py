"""Momentum and the composite, computed again from the CSV files without any of the SQL; and how weights change it."""

from __future__ import annotations

import csv
import math
import shutil
import statistics
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fw_pipeline.catalog.frameworks import POPULATIONS
from fw_pipeline_tests.second_path.momentum import Part, breaks_of, changes
from fw_pipeline_tests.second_path.sums import (
    RECORDED,
    downloads,
    over,
    questions,
    read,
    starscout,
)
from fw_pipeline_tests.support.claims_warehouse import before_models, build, in_memory
from fw_pipeline_tests.support.relations import FOLDER, empty_warehouse, models
from fw_pipeline_tests.unit.transform.test_claims import forget, move
from fw_pipeline_tests.unit.transform.test_seeds import rows

TABLES = (
    "marts.momentum",
    "marts.composite",
    "marts.crossovers",
    "marts.framework_reach",
    "marts.pytorch_vs_tensorflow",
)
CUT = date(2022, 6, 1)
FLAGS = ("is_partial", "is_estimated")


@pytest.fixture(scope="module")
def figures() -> Mapping[str, pl.DataFrame]:
    return before_models()


def built(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Build the tables of this module, and what they read."""
    build(connection, models(), TABLES)
    return connection


@pytest.fixture(scope="module")
def recorded(figures: Mapping[str, pl.DataFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    with built(in_memory(figures)) as connection:
        yield connection


def momentum(
    connection: duckdb.DuckDBPyConnection, definition: str, framework: str, measure: str
) -> dict[date, tuple[float, ...]]:
    rows = connection.execute(
        "select month, change, change_low, change_high, pairs from marts.momentum"
        " where definition = ? and framework = ? and measure = ? and change is not null",
        [definition, framework, measure],
    ).fetchall()
    return {month: tuple(numbers) for month, *numbers in rows}


def interpolated(*tags: str) -> tuple[date, ...]:
    rows = read("stackoverflow").filter(pl.col("tagged").is_in(tags), pl.col("method") == "interpolated")
    return tuple(rows["month"])


@pytest.mark.parametrize("tag", ["tensorflow", "pytorch", "keras"])
def test_momentum_of_questions_comes_out_by_another_path(recorded: duckdb.DuckDBPyConnection, tag: str) -> None:
    breaks = breaks_of("stackoverflow", "recorded")
    assert date(2019, 4, 1) in breaks
    for kind, series, tags in (
        ("value", questions(tag), (tag,)),
        ("share", over(questions(tag), questions("*")), (tag, "*")),
    ):
        seen = momentum(recorded, "questions in the month, recorded", tag, kind)
        expected = changes(series, without=interpolated(*tags), breaks=breaks)
        assert len(expected) > 25
        assert seen.keys() == expected.keys()
        for end, numbers in seen.items():
            assert numbers == pytest.approx(expected[end], rel=1e-8, abs=1e-8), (tag, kind, end)


def test_no_change_is_told_across_a_break_of_stack_overflow(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute("""
        select month, pairs, reason, left_out from marts.momentum
        where source = 'stackoverflow' and framework = 'keras' and measure = 'value'
        and month between '2019-10-01' and '2020-03-01' order by month
    """).fetchall()
    assert [pairs for _, pairs, _, _ in rows] == [5, 4, 3, 2, 1, 0]
    for _, _, reason, left_out in rows:
        assert "6 are needed" in reason
        assert "a break of the series between the two months" in left_out


def test_an_interval_of_momentum_holds_the_true_change_though_neighbours_resemble_one_another() -> None:
    """Known changes, an AR(1) around them: Student's interval for independent months holds six in ten of them."""
    chance = np.random.default_rng(3)
    true, months = 0.1, [date(2010 + at // 12, at % 12 + 1, 1) for at in range(60)]
    rows = []
    for number in range(300):
        values = [100.0] * 12
        off = chance.normal(scale=0.05 / math.sqrt(1 - 0.74**2))
        for at in range(12, 60):
            off = 0.74 * off + chance.normal(scale=0.05)
            values.append(values[at - 12] * math.exp(true + off))
        rows += [
            ("pypi", "downloads_per_day", f"d{number}", "s", 0, "jax", month, value, month, False, False)
            for month, value in zip(months, values, strict=True)
        ]
    columns = [
        *("source", "metric", "definition", "series", "segment", "framework", "month", "value", "known_from"),
        *FLAGS,
    ]
    known = models()
    model = next(it for it in known if it.name == "marts.momentum")
    with empty_warehouse(model.upstream, known) as connection:
        frame = pl.DataFrame(rows, schema=columns, orient="row")
        connection.register("rows", frame)
        connection.execute("insert into marts.framework_metrics by name select * from rows")
        connection.execute(f"create table marts.momentum as {model.sql}")
        ((held, judged),) = connection.execute(
            """
            select avg((exp($true) - 1 between change_low and change_high)::int), count(*)
            from marts.momentum where month = $last and measure = 'value'
            """,
            {"true": true, "last": months[-1]},
        ).fetchall()
    assert judged == 300
    assert held > 0.88


def test_an_interval_of_momentum_holds_most_of_what_was_measured_half_a_year_later(
    recorded: duckdb.DuckDBPyConnection,
) -> None:
    """The back-test on the recorded figures: as if months were independent, a third was held."""
    ((held, judged),) = recorded.execute("""
        select avg((later.change between now.change_low and now.change_high)::int), count(*)
        from marts.momentum as now
        inner join marts.momentum as later
            on now.month + interval 6 months = later.month and now.definition = later.definition
            and now.metric = later.metric and now.framework = later.framework and now.measure = later.measure
        where now.metric in ('questions', 'downloads_per_day') and now.measure = 'value'
            and now.change is not null and later.change is not null
    """).fetchall()
    assert judged > 200
    assert held > 0.8


@pytest.mark.parametrize(("package", "framework"), [("torch", "pytorch"), ("jax", "jax"), ("keras", "keras")])
def test_momentum_of_downloads_leaves_the_distorted_months_out(
    recorded: duckdb.DuckDBPyConnection, package: str, framework: str
) -> None:
    distorted = (
        *(date(2020, month, 1) for month in range(4, 9)),
        date(2021, 11, 1),
        date(2021, 12, 1),
        date(2024, 5, 1),
    )
    young = tuple(month for month in starscout(package) if month < date(2018, 8, 1))
    seen = momentum(recorded, "downloads per day of the package, StarScout, all", framework, "value")
    expected = changes(starscout(package), without=(*distorted, *young))
    assert len(expected) > 40
    assert seen.keys() == expected.keys()
    for end, numbers in seen.items():
        assert numbers == pytest.approx(expected[end], rel=1e-8, abs=1e-8), end


def test_windows_that_leave_days_out_still_have_a_momentum_of_downloads_per_day(
    recorded: duckdb.DuckDBPyConnection,
) -> None:
    windows = downloads("torch", "top-pypi-packages (BigQuery)", "pip")
    lost = tuple(month for month in windows if date(2020, 4, 1) <= month <= date(2021, 3, 1))
    lost += (date(2021, 11, 1), date(2021, 12, 1), date(2024, 5, 1))
    young = tuple(month for month in windows if month < date(2018, 8, 1))
    end = date(2023, 1, 1)
    seen = momentum(recorded, "downloads per day of the package, top-pypi-packages (BigQuery), pip", "pytorch", "value")
    assert seen[end] == pytest.approx(changes(windows, without=(*lost, *young))[end], abs=1e-8)


def papers(framework: str) -> dict[date, float]:
    rows = read("papers").filter(pl.col("population") == "nine venues", pl.col("frameworks") == framework)
    return {
        month: float(count)
        for month, count in rows.group_by("month").agg(pl.col("papers").cast(pl.Int64).sum()).rows()
        if month >= date(2015, 11, 1)
    }


def exact(tag: str) -> dict[date, float]:
    return {month: count for month, count in questions(tag).items() if month not in interpolated(tag)}


def test_the_composite_comes_out_by_another_path(recorded: duckdb.DuckDBPyConnection) -> None:
    asked = {name: exact(name) for name in ("tensorflow", "pytorch", "keras")}
    parts = {
        "stackoverflow": Part(asked, 3, 2, breaks_of("stackoverflow", "recorded")),
        "pypi": Part({name: starscout("torch" if name == "pytorch" else name) for name in FRAMEWORKS}, 3, 2),
        "papers": Part({name: papers(name) for name in ("tensorflow", "pytorch")}, 12, 1),
    }
    seen = recorded.execute(
        "select month, framework, score, sources, reason from marts.composite where composite = 'three sources'"
    ).fetchall()
    assert {framework for _, framework, *_ in seen} == {*FRAMEWORKS}
    told, fallen_out = 0, []
    for month, framework, found, there, reason in seen:
        scores = {source: it.score(framework, month) for source, it in parts.items()}
        known = [value for value in scores.values() if value is not None]
        assert there == sorted(source for source, value in scores.items() if value is not None), (month, framework)
        whole = {"tensorflow": 3, "pytorch": 3, "keras": 2, "jax": 2}[framework]
        if len(known) < whole:
            assert found is None
            fallen_out += [(framework, month)] if "a source of other months is missing" in reason else []
            continue
        told += 1
        assert found == pytest.approx(statistics.mean(known), abs=1e-5), (month, framework)
    assert told > 200
    assert {("pytorch", date(2023, 5, 1)), ("pytorch", date(2023, 6, 1))} <= {*fallen_out}, "no venue for a year"


FRAMEWORKS = ("tensorflow", "pytorch", "keras", "jax")


def test_other_weights_give_another_composite(figures: Mapping[str, pl.DataFrame], tmp_path: Path) -> None:
    """What a user does: change the file, and build."""
    path = tmp_path / "composite_weights.csv"
    shutil.copy(FOLDER / "seeds" / "composite_weights.csv", path)
    text = path.read_text(encoding="utf-8")
    changed = text.replace('"papers in the month, nine venues",1,12,1', '"papers in the month, nine venues",2,12,1')
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    weights = pl.DataFrame(rows("composite_weights", tmp_path), schema=figures["meta.composite_weights"].schema)
    with built(in_memory({**figures, "meta.composite_weights": weights})) as connection:
        parts = dict(
            connection.execute("""
                select source, score from marts.composite_parts
                where composite = 'three sources' and framework = 'pytorch' and month = '2022-01-01'
            """).fetchall()
        )
        found = connection.execute("""
            select score, weights from marts.composite
            where composite = 'three sources' and framework = 'pytorch' and month = '2022-01-01'
        """).fetchall()
    expected = (parts["stackoverflow"] + parts["pypi"] + 2 * parts["papers"]) / 4
    assert found == [(pytest.approx(expected, abs=1e-5), "papers 50.0 %, pypi 25.0 %, stackoverflow 25.0 %")]


def test_every_recorded_series_that_counts_all_there_is_has_a_rank(recorded: duckdb.DuckDBPyConnection) -> None:
    """One is left out: the Hub's field for the library holds one word for each model, where its tags say more."""
    ranked = {row["definition"] for row in rows("headline_series")}
    samples = {it.name for it in POPULATIONS if it.is_sample}
    series = {name for (name,) in recorded.execute("select distinct series from marts.framework_metrics").fetchall()}
    lacking = {name for name in series - samples if not any(definition.endswith(f", {name}") for definition in ranked)}
    assert lacking == {"hub, by library_name"}


@pytest.mark.parametrize("change_later", [move, forget])
def test_nothing_known_by_a_month_changes_when_every_later_figure_does(
    figures: Mapping[str, pl.DataFrame], recorded: duckdb.DuckDBPyConnection, change_later: object
) -> None:
    with in_memory(figures) as connection:
        assert callable(change_later)
        change_later(connection, CUT)
        built(connection)
        for table in ("marts.momentum", "marts.composite"):
            then, now = (pl.DataFrame(it.sql(f"from {table} order by all").pl()) for it in (connection, recorded))
            values = [c for c, kind in now.schema.items() if kind == pl.Float64]
            known = now.filter(pl.col("known_from") <= CUT).drop_nulls(values[0])
            assert known.height > 150
            assert_frame_equal(then.filter(pl.col("known_from") <= CUT).drop_nulls(values[0]), known, check_exact=True)
            assert then.filter(pl.col("known_from") > CUT).equals(now.filter(pl.col("known_from") > CUT)) is False


def test_what_is_marked_may_be_added_up(recorded: duckdb.DuckDBPyConnection) -> None:
    """The question that came out four times too large, and one row for it in each table."""
    true = starscout("torch")[date(2023, 1, 1)]
    month = "source = 'pypi' and month = date '2023-01-01'"
    sums = recorded.execute(f"""
        select (select sum(value) from marts.framework_metrics where {month} and framework = 'pytorch' and is_headline),
            (select sum(pytorch) from marts.pytorch_vs_tensorflow where {month}),
            (select sum(value) from marts.framework_metrics where {month} and framework = 'pytorch')
    """).fetchall()
    assert sums == [(pytest.approx(true), pytest.approx(true), pytest.approx(4 * true, rel=0.1))]
    unlike = recorded.execute("""
        select month, source from marts.pytorch_vs_tensorflow as rows
        inner join marts.framework_metrics as metrics using (month, source)
        where metrics.is_headline and metrics.framework in ('pytorch', 'tensorflow')
        group by all having count(*) > 2 or count(distinct metrics.definition) > 1
    """).fetchall()
    assert unlike == []


def test_nothing_leads_before_it_is_released(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute("""
        select crossings.leader, crossings.challenger, crossings.series, first_month
        from marts.crossovers as crossings
        inner join meta.frameworks as frameworks
            on frameworks.framework in (crossings.leader, crossings.challenger)
            and crossings.first_month < date_trunc('month', frameworks.released)
    """).fetchall()
    assert rows == []
    early = recorded.execute("""
        select count(*) from marts.framework_metrics
        where framework = 'pytorch' and month < date '2017-01-01' and value > 0 and before_release
    """).fetchall()
    assert early > [(10,)], "papers of the sample that are older than their code are there, and marked"


def test_where_a_framework_has_no_figures_the_reason_stands(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute("""
        select source, series, framework from marts.framework_reach where months_found = 0 and metric != 'repositories'
        group by all order by all
    """).fetchall()
    assert rows == [
        ("papers", "nine venues", "jax"),
        ("papers", "nine venues", "keras"),
        ("papers", "papers with code sample", "keras"),
        ("stackoverflow", "recorded", "jax"),
    ]


def test_keras_led_pytorch_and_it_lasted_only_at_the_second_time(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute(
        """
        select leader, led_first, strftime(crossed, '%Y-%m'), lasted, strftime(settled, '%Y-%m') from marts.crossovers
        where source = 'stackoverflow' and list_sort([leader, challenger]) = ['keras', 'pytorch']
        order by led_first desc
    """
    ).fetchall()
    asked = {month: questions("pytorch")[month] - questions("keras")[month] for month in questions("pytorch")}
    ahead = [month for month, lead in sorted(asked.items()) if lead > 0]
    back = next(month for month, lead in sorted(asked.items()) if lead < 0 and month > ahead[0])
    assert rows == [
        ("keras", True, f"{ahead[0]:%Y-%m}", False, "2022-08"),
        ("pytorch", False, f"{back:%Y-%m}", False, None),
    ]


def test_the_shipped_csv_of_outages_says_what_each_is(recorded: duckdb.DuckDBPyConnection) -> None:
    with (RECORDED / "outages.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["kind"] for row in rows} == {"lost", "distorted", "break"}
    assert all((row["kind"] == "lost") == ("not recorded" in row["effect"]) for row in rows)
    series = {name for (name,) in recorded.execute("select distinct series from marts.framework_metrics").fetchall()}
    named = {row["series"] for row in rows if row["series"]} - {"clickpy", "papers with code"}  # live only
    assert all(any(it.startswith(name) for it in series) for name in named)
