"""Forecasts: known curves come out, a hole is no zero, nothing later goes in; what was said in January 2023 stands."""

from __future__ import annotations

import math
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from fw_pipeline.months import Window, next_month
from fw_pipeline.transform import forecasts as product
from fw_pipeline.transform.forecasts import HORIZON, LEAST, forecasts, half_width
from fw_pipeline_tests.second_path.sums import over, starscout
from fw_pipeline_tests.support.claims_warehouse import before_models, build, in_memory
from fw_pipeline_tests.support.relations import models
from fw_pipeline_tests.unit.transform.test_claims import forget, move

THEN = date(2023, 1, 1)
TABLES = ("marts.predictions", "marts.forecast_errors")


@pytest.fixture(scope="module")
def figures() -> Mapping[str, pl.DataFrame]:
    return before_models()


@pytest.fixture(scope="module")
def recorded(figures: Mapping[str, pl.DataFrame]) -> Iterator[duckdb.DuckDBPyConnection]:
    with in_memory(figures) as connection:
        build(connection, models(), TABLES)
        yield connection


def series(values: Mapping[date, float | None]) -> pl.DataFrame:
    rows = [("C25", "f", "pypi", "s", month, value) for month, value in values.items()]
    return pl.DataFrame(rows, schema=[*product.KEY, "month", "value"], orient="row")


def growing(first: date, last: date, monthly: float) -> dict[date, float | None]:
    """Grow by a constant part each month, with a small wobble that adds up to nothing."""
    return {
        month: 100 * (1 + monthly) ** place * (1.01 if place % 2 else 1 / 1.01)
        for place, month in enumerate(Window.of(first, last).months())
    }


def test_steady_growth_goes_on_and_damps() -> None:
    values = growing(date(2015, 1, 1), date(2020, 6, 1), 0.03)
    made = forecasts(series(values)).filter(pl.col("made_as_of") == date(2020, 6, 1)).sort("horizon")
    last = values[date(2020, 6, 1)]
    assert last is not None
    assert made["horizon"].to_list() == list(range(1, HORIZON + 1))
    steps = [math.log(b / a) for a, b in zip(made["forecast"], made["forecast"][1:], strict=False)]
    assert all(0 < step < 0.031 for step in steps), "it grows, and never faster than it did"
    assert steps[0] > steps[-1], "and ever more slowly"
    assert made["forecast"][11] == pytest.approx(last * 1.03**12, rel=0.15)
    judged = made.drop_nulls("low")
    assert (judged["low"] <= judged["forecast"]).all()
    assert (judged["forecast"] <= judged["high"]).all()
    widths = (judged["high"] / judged["low"]).to_list()
    assert len(widths) == HORIZON
    rounded = 3e-6  # each end is told to six digits
    assert all(wider > width * (1 - rounded) for width, wider in pairwise(widths)), "further away is not known better"


@pytest.mark.parametrize("monthly", [0.0, 0.01, 0.03, 0.05])
def test_steady_growth_can_be_forecast_as_of_every_quarter(monthly: float) -> None:
    made = forecasts(series(growing(date(2015, 1, 1), date(2020, 6, 1), monthly)))
    assert made["reason"].drop_nulls().to_list() == []
    assert made["made_as_of"].n_unique() == 15


def test_an_interval_is_as_wide_as_the_earlier_forecasts_that_could_be_judged_were_wrong() -> None:
    values = growing(date(2015, 1, 1), date(2020, 6, 1), 0.03)
    everything = forecasts(series(values))
    last = date(2020, 6, 1)
    for horizon in (1, 6, 18):
        of_horizon = everything.filter(horizon=horizon)
        errors = []
        for made_as_of, forecast in of_horizon.select("made_as_of", "forecast").rows():
            month = Window.of(made_as_of, last).months()[horizon:][:1] if made_as_of < last else ()
            errors += [abs(math.log(values[came] / forecast)) for came in month]
        (row,) = of_horizon.filter(made_as_of=last).rows(named=True)
        assert row["errors_known"] == len(errors) >= 4
        rank = math.ceil(0.8 * (len(errors) + 1))
        at_least = sorted(errors)[rank - 1]
        assert math.log(row["high"] / row["forecast"]) >= at_least - 1e-5
        assert math.log(row["high"] / row["low"]) == pytest.approx(
            2 * math.log(row["high"] / row["forecast"]), abs=1e-4
        )
        if horizon == 1:
            assert math.log(row["high"] / row["forecast"]) == pytest.approx(at_least, abs=1e-5)
    first = everything.filter(made_as_of=everything["made_as_of"].min())
    assert first["low"].null_count() == HORIZON, "nothing could be judged yet"
    assert first["errors_known"].to_list() == [0] * HORIZON


def test_four_of_five_are_held_where_errors_do_not_change_their_kind() -> None:
    """Split conformal: whatever the errors look like, so many of them hold the next one."""
    chance = random.Random(5)
    for known, least in ((4, 0.8), (9, 0.8), (30, 0.8)):
        held = []
        for _ in range(4000):
            *errors, following = (chance.paretovariate(1.5) for _ in range(known + 1))
            half = half_width(errors)
            assert half is not None
            held.append(following <= half)
        assert least - 0.02 < statistics.mean(held) < least + 1 / (known + 1) + 0.02
    assert half_width([1.0, 2.0, 3.0]) is None, "the largest of three holds three in four"


def test_it_is_made_anew_each_quarter_and_after_the_last_figure_and_never_before_two_years() -> None:
    made = forecasts(series(growing(date(2019, 1, 1), date(2021, 8, 1), 0.01)))
    assert made["made_as_of"].unique().sort().to_list() == [
        *(date(2021, 1, 1), date(2021, 4, 1), date(2021, 7, 1), date(2021, 8, 1))
    ]
    assert made["months_used"].min() == 25
    young = forecasts(series(growing(date(2019, 1, 1), date(2020, 11, 1), 0.01)))
    assert young.rows(named=True) == [
        {
            **dict(zip(product.KEY, ("C25", "f", "pypi", "s"), strict=True)),
            "made_as_of": date(2020, 11, 1),
            "months_used": LEAST - 1,
            "reason": "23 months have a figure, 24 are needed",
            **dict.fromkeys(("horizon", "forecast", "low", "high", "errors_known")),
        }
    ]


@pytest.mark.parametrize("lacking", ["null", "absent"])
def test_a_month_without_a_figure_is_missing_and_not_a_zero(lacking: str) -> None:
    values = growing(date(2015, 1, 1), date(2019, 12, 1), 0.02)
    whole = forecasts(series(values)).filter(pl.col("made_as_of") == date(2019, 12, 1))
    for month in (date(2017, 5, 1), date(2018, 9, 1), date(2018, 10, 1)):
        values[month] = None
    if lacking == "absent":
        values = {month: value for month, value in values.items() if value is not None}
    holed = forecasts(series(values)).filter(pl.col("made_as_of") == date(2019, 12, 1))
    assert holed["months_used"].to_list() == [57] * HORIZON
    for one, two in zip(holed["forecast"], whole["forecast"], strict=True):
        assert one == pytest.approx(two, rel=0.05)


def test_a_series_without_any_figure_and_one_that_never_moves_do_not_fail() -> None:
    nothing = forecasts(series({date(2020, 1, 1): None}))
    assert nothing["reason"].to_list() == ["0 months have a figure, 24 are needed"]
    still = forecasts(series(dict.fromkeys(Window.of(date(2015, 1, 1), date(2019, 1, 1)).months(), 7.0)))
    assert still.filter(pl.col("forecast").is_null() == pl.col("reason").is_null()).is_empty()
    assert all(value == pytest.approx(7, rel=0.01) for value in still["forecast"].drop_nulls())


def test_importing_costs_no_statsmodels() -> None:
    code = "import sys, fw_pipeline.transform.forecasts; sys.exit('statsmodels' in sys.modules)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("change", [move, forget])
def test_no_forecast_of_the_past_changes_when_every_later_figure_does(
    figures: Mapping[str, pl.DataFrame], recorded: duckdb.DuckDBPyConnection, change: object
) -> None:
    """A forecast as of a quarter knows that quarter and what was before, and so do the errors known then."""
    assert callable(change)
    with in_memory(figures) as connection:
        change(connection, THEN)
        build(connection, models(), TABLES)
        asked = (
            "from meta.forecasts where made_as_of <= '2023-01-01' and forecast is not null order by all",
            """
            select * exclude (measured, came_true, answer, why) from marts.predictions
            where forecast is not null order by all
            """,
            "select * exclude (seen) from marts.forecast_errors where seen = 'then' and smape is not null order by all",
        )
        for sql in asked:
            now, then = (pl.DataFrame(it.sql(sql).pl()) for it in (recorded, connection))
            assert now.height >= 10
            assert_frame_equal(now, then, check_exact=True)
        later = "select measured from marts.predictions where measured is not null order by all"
        assert connection.execute(later).fetchall() != recorded.execute(later).fetchall()


def test_the_overtaking_was_not_called_a_year_ahead(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute("""
        select horizon, forecast, low, high, measured, came_true, answer from marts.predictions
        where claim = 'C25' and series = 'StarScout, all' order by horizon
    """).fetchall()
    ratio = over(starscout("torch"), starscout("tensorflow"))
    month = THEN
    months = [month := next_month(month) for _ in range(HORIZON)]
    for horizon, forecast, low, high, measured, came_true, answer in rows:
        came = ratio.get(months[horizon - 1])
        assert low is None or low < forecast < high
        assert measured == (None if came is None else pytest.approx(came))
        if came is None:
            assert (came_true, answer) == (None, "cannot be told")
        else:
            assert came_true is (came > 1)
            assert answer == ("called" if (forecast > 1) is (came > 1) else "not called")
    assert {horizon: answer for horizon, *_, answer in rows} == {
        3: "called",
        6: "called",
        12: "not called",
        18: "not called",
        24: "cannot be told",
    }


def test_what_has_no_figures_says_so(recorded: duckdb.DuckDBPyConnection) -> None:
    rows = recorded.execute("select distinct answer, why from marts.predictions where claim = 'C20'").fetchall()
    assert {answer for answer, _ in rows} == {"cannot be told"}
    assert ("cannot be told", "no series has figures of both sides") in rows
    assert all("no series" in why or "24 are needed" in why for _, why in rows)
    traffic = recorded.execute("""
        select horizon, answer, measured is null from marts.predictions
        where claim = 'C8' and prediction like 'it falls:%' and formula like 'share%' order by horizon
    """).fetchall()
    assert traffic == [(3, "called", False), *((at, "cannot be told", True) for at in (6, 12, 18, 24))]


def test_the_error_of_the_back_test_comes_out_by_hand(recorded: duckdb.DuckDBPyConnection) -> None:
    ratio = over(starscout("torch"), starscout("tensorflow"))
    rows = recorded.execute("""
        select made_as_of, month, forecast from marts.forecasts
        where formula = 'ratio of downloads' and series = 'StarScout, all' and horizon = 12
    """).fetchall()
    distorted = {date(2024, 5, 1)}
    judged = [(made, month, said) for made, month, said in rows if month in ratio and month not in distorted]
    errors = [2 * abs(said - ratio[month]) / (said + ratio[month]) for _, month, said in judged]
    naive = [2 * abs(ratio[made] - ratio[month]) / (ratio[made] + ratio[month]) for made, month, _ in judged]
    assert recorded.execute("""
        select forecasts, smape, naive_smape from marts.forecast_errors
        where formula = 'ratio of downloads' and series = 'StarScout, all' and horizon = 12 and seen = 'now'
    """).fetchall() == [
        (len(errors), pytest.approx(statistics.mean(errors), abs=1e-5), pytest.approx(statistics.mean(naive), abs=1e-5))
    ]
